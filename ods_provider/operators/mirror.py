"""``ods_mirror``: a task group that mirrors a portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import TaskGroup

from ods_provider.operators.mirror_dataset import OdsMirrorDatasetOperator
from ods_provider.operators.mirror_plan import OdsMirrorPlanOperator
from ods_provider.operators.mirror_report import OdsMirrorReportOperator


def ods_mirror(
    *,
    to: Any,
    group_id: str = "mirror",
    ods_conn_id: str = "ods_default",
    into: str | None = None,
    format: str | None = None,
    schema: str | None = None,
    where: str | Sequence[str] | None = None,
    refine: Mapping[str, Any] | str | None = None,
    exclude: Mapping[str, Any] | str | None = None,
    vanished: str = "keep",
    reserve: int | str | None = None,
    max_calls: int | str | None = None,
    parallel: int = 4,
    staging: Any = None,
    wait: bool | str = False,
    **task_arguments: Any,
) -> TaskGroup:
    """Return three tasks: ``plan``, ``datasets`` (mapped) and ``report``, whose XCom says what came of each dataset.

    Args:
        to: A folder (path or URL), a database URL, or the connection id of a database with ``into="tables"``. All
            workers must reach it. A database in a file (DuckDB, SQLite) takes one writer: give ``parallel=1``.
        group_id: Name of the group.
        ods_conn_id: Connection of type ``ods``.
        into: ``files`` or ``tables``; None looks at ``to``.
        format: Of the files: parquet unless given.
        schema: Of the tables.
        where: Filters on the catalogue, in the portal's words.
        refine: Facets of it to keep.
        exclude: Facets of it to drop.
        vanished: What becomes of datasets that are gone: ``keep``, ``mark`` or ``drop``.
        reserve: Calls of the quota that are left to others; None leaves a tenth of it.
        max_calls: Calls that a run makes at most.
        parallel: Mapped tasks at the same time.
        staging: Folder where exports lie until they are loaded.
        wait: Whether a quota that is spent is waited for.
        task_arguments: Of all three tasks: ``retries``, ``pool``, ``deferrable``, …
    """
    place = {"to": to, "into": into, "format": format, "schema": schema}
    shared = {"ods_conn_id": ods_conn_id, **place, **task_arguments}
    with TaskGroup(group_id) as group:
        plan = OdsMirrorPlanOperator(
            task_id="plan",
            where=where,
            refine=refine,
            exclude=exclude,
            reserve=reserve,
            max_calls=max_calls,
            **shared,
        )
        datasets = OdsMirrorDatasetOperator.partial(
            task_id="datasets", staging=staging, wait=wait, max_active_tis_per_dagrun=parallel, **shared
        ).expand(batch=plan.output)
        report = OdsMirrorReportOperator(
            task_id="report",
            batches=plan.output,
            results=datasets.output,
            vanished=vanished,
            trigger_rule="all_done",
            **shared,
        )
        [plan, datasets] >> report
    return group
