"""What a load may not do to a table that stands: by what the last load of it, whatever was asked then, left there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.source import CATALOG, named
from ods_provider.jobs.context import JobContext
from ods_provider.tables.keyed import VALID_FROM, VALID_TO
from ods_provider.tables.load import Memory, Mode, StandingColumn

if TYPE_CHECKING:
    from ods_provider.core.schema import Dataset
    from ods_provider.jobs.loading.order import LoadOrder

_HISTORY = frozenset({VALID_FROM.name, VALID_TO.name})
_PLACES = ("geo_point_2d", "geo_shape")
_TO_HISTORY: dict[Mode, str] = {
    "replace": "would delete all that rows were",
    "append": f"would add rows without {VALID_FROM.name}",
    "merge": "would change rows that have ended, too",
}


def expect_fitting(
    ctx: JobContext,
    job: LoadOrder,
    dataset: Dataset | None,
    standing: tuple[StandingColumn, ...] | None,
    last: Memory | None,
) -> None:
    """Refuse a load that does not go with what the table holds.

    Args:
        ctx: The job's.
        job: What is wanted.
        dataset: The portal's description, None where it was not asked for.
        standing: The table's columns, None where no table stands: then anything may come there.
        last: What is remembered of its last load, None where none is known.

    Raises:
        OdsConfigError: The table is of another dataset, keeps history that the mode would spoil, or keeps places in
            another form.
    """
    if standing is None:
        return
    told: dict[str, Any] = json.loads(last.outcome) if last is not None else {}
    if last is not None:
        _expect_same_dataset(ctx, job, dataset, last, told)
    fields = {field.name: field.type for field in dataset.fields} if dataset is not None else {}
    if job.mode != "scd2" and _keeps_history(standing, told, fields):
        raise OdsConfigError(
            f"the table keeps history ({VALID_FROM.name}, {VALID_TO.name}), and mode={job.mode!r} "
            f"{_TO_HISTORY[job.mode]}",
            where=f"table {job.table}",
            advice='Load it with mode="scd2"; or load into another table, or drop this one first',
        )
    kept = told.get("geo")
    if job.mode != "replace" and kept not in (None, job.geo) and any(kind in _PLACES for kind in fields.values()):
        anew = 'load all rows anew with mode="replace"' if job.mode != "scd2" else "load into another table"
        raise OdsConfigError(
            f"the table keeps places as geo={kept!r}, and rows with geo={job.geo!r} would stand beside them",
            where=f"table {job.table}",
            advice=f"Use geo={kept!r}, or {anew}",
        )


def _expect_same_dataset(
    ctx: JobContext, job: LoadOrder, dataset: Dataset | None, last: Memory, told: dict[str, Any]
) -> None:
    """Refuse another dataset; one that has another id, or another portal's address, and the old uid is the same."""
    if dataset is not None and dataset.dataset_uid is not None and dataset.dataset_uid == last.dataset_uid:
        return
    # Not its port: under another it is the same portal.
    before, now = (urlsplit(url).hostname for url in (last.portal, ctx.client.connection.base_url))
    name = named(told.get("source", CATALOG), last.dataset_id)
    if (before, name) == (now, job.named):
        return
    raise OdsConfigError(
        f"the table was loaded from {name} of {before}, and {job.named} of {now} is another dataset",
        where=f"table {job.table}",
        advice="Load into another table, or drop this one first",
    )


def _keeps_history(standing: tuple[StandingColumn, ...], told: dict[str, Any], fields: dict[str, str]) -> bool:
    if known := told.get("mode"):
        return bool(known == "scd2")
    # Somebody else's table, or one of a load that did not say: by its columns, unless they are the dataset's own.
    return {each.name.lower() for each in standing} >= _HISTORY and not fields.keys() >= _HISTORY
