"""The arguments of a mirror."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.registry import format_named
from ods_provider.core.given import is_given, mapping, record_list, required, text, truth, whole_number
from ods_provider.core.query import Query
from ods_provider.jobs.arguments.kinds import Flag, Mapped, Number, Place, Text, Texts, word
from ods_provider.jobs.mirror import MirrorBatchJob, MirrorJob, MirrorPlanJob, MirrorReportJob
from ods_provider.jobs.mirroring.order import MirrorOrder
from ods_provider.jobs.mirroring.working import Due
from ods_provider.jobs.parts.parted import MOST_PARALLEL
from ods_provider.tables.urls import is_database

PARALLEL = 4


def mirror_job(
    *,
    to: Place,
    into: Text = None,
    format: Text = None,
    schema: Text = None,
    where: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    vanished: Text = "keep",
    reserve: Number = None,
    max_calls: Number = None,
    parallel: Number = PARALLEL,
    staging: Place = None,
    wait: Flag = False,
) -> MirrorJob:
    """Return what mirrors a portal, or the part of it that the filters of the catalogue choose.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return MirrorJob(_order(locals()))


def mirror_plan_job(
    *,
    to: Place,
    into: Text = None,
    format: Text = None,
    schema: Text = None,
    where: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    reserve: Number = None,
    max_calls: Number = None,
    most_batches: Number = None,
) -> MirrorPlanJob:
    """Return what plans a mirror's run, for tasks on any worker.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return MirrorPlanJob(_order(locals()), whole_number("most_batches", most_batches, least=1))


def mirror_batch_job(
    *,
    to: Place,
    batch: Mapped,
    into: Text = None,
    format: Text = None,
    schema: Text = None,
    staging: Place = None,
    wait: Flag = False,
) -> MirrorBatchJob:
    """Return what brings the datasets of one batch.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    planned = mapping("batch", required("batch", batch)) or {}
    order = _order(locals())
    try:
        return MirrorBatchJob(order, [Due.of(each) for each in planned["datasets"]], int(planned["reserve"]))
    except (LookupError, TypeError, ValueError):
        raise OdsConfigError(
            "this is no batch of a mirror", where="argument batch", advice="Expand it over the output of the plan"
        ) from None


def mirror_report_job(
    *,
    to: Place,
    batches: Any,
    results: Any = None,
    into: Text = None,
    format: Text = None,
    schema: Text = None,
    vanished: Text = "keep",
) -> MirrorReportJob:
    """Return what reports of a mirror's run.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    order = _order(locals())
    if batches is None:
        raise OdsConfigError(
            "the task that plans gave nothing", where="argument batches", advice="Look into its log; clear it, and this"
        )
    return MirrorReportJob(order, _rows(results))


def _rows(results: Any) -> list[Any]:
    """Return what the batches gave, one after the other: each is a list, and one that failed gave nothing."""
    if not is_given(results):
        return []
    if isinstance(results, str):
        return list(record_list("results", results) or ())
    rows: list[Any] = []
    for each in results:
        rows.extend([each] if isinstance(each, Mapping) else each if is_given(each) else ())
    return rows


def _order(given: Mapping[str, Any]) -> MirrorOrder:
    to = required("to", given["to"])
    into = word("into", given["into"])
    if into is None:
        into = "tables" if isinstance(to, str) and is_database(to) else "files"
    if into == "tables" and is_given(given["format"]):
        raise OdsConfigError(
            "format is for files", where="argument format", advice='Leave it out, or use into="files" with a folder'
        )
    made = format_named(word("format", given["format"], "parquet")).name
    chosen: dict[str, Any] = {}
    if "where" in given:
        chosen["query"] = Query.of(where=given["where"], refine=given["refine"], exclude=given["exclude"])
        chosen["reserve"] = whole_number("reserve", given["reserve"])
        chosen["max_calls"] = whole_number("max_calls", given["max_calls"])
    if "vanished" in given:
        chosen["vanished"] = word("vanished", given["vanished"], "keep")
    if "parallel" in given:
        chosen["parallel"] = whole_number("parallel", given["parallel"], least=1, most=MOST_PARALLEL, default=PARALLEL)
    if "wait" in given:
        chosen["staging"] = given["staging"] if is_given(given["staging"]) else None
        chosen["wait"] = truth("wait", given["wait"], default=False)
    return MirrorOrder(to, into, made, text("schema", given["schema"]), **chosen)
