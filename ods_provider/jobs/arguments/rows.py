"""The arguments of a search and of an analysis."""

from __future__ import annotations

from typing import Any

from ods_provider.core.clusters import GeoCluster
from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.endings import expect_ending
from ods_provider.core.given import clauses, mapping, text, truth, unless_none, whole_number
from ods_provider.core.query import Query
from ods_provider.core.source import CATALOG, source_named
from ods_provider.jobs.analysis import AnalysisJob
from ods_provider.jobs.arguments.kinds import Flag, Mapped, Number, Place, Text, Texts, file_place, word
from ods_provider.jobs.arguments.older import asked_in
from ods_provider.jobs.search import SearchJob
from ods_provider.jobs.unchanged import expect_known
from ods_provider.jobs.v1 import V1AnalysisJob, V1SearchJob

MAX_XCOM_BYTES = 1_000_000


def search_job(
    *,
    dataset_id: Text = None,
    source: Text = CATALOG,
    select: Texts = None,
    where: Texts = None,
    order_by: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    lang: Text = None,
    timezone: Text = "UTC",
    limit: Number = None,
    include_links: Flag = False,
    include_app_metas: Flag = False,
    record_id: Text = None,
    path: Place = None,
    max_xcom_bytes: Number = MAX_XCOM_BYTES,
    if_unchanged: Text = "fetch",
    v1: Mapped = None,
) -> SearchJob | V1SearchJob:
    """Return a search of a dataset's records, or of the catalogue where ``dataset_id`` is None.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    query = Query.of(
        select=select,
        where=where,
        order_by=order_by,
        refine=refine,
        exclude=exclude,
        lang=lang,
        timezone=timezone,
        include_links=include_links,
        include_app_metas=include_app_metas,
    )
    beside: dict[str, Any] = {
        "limit": whole_number("limit", limit),
        "record_id": text("record_id", unless_none("record_id", record_id)),
    }
    out: dict[str, Any] = {"path": _rows_place(path), "max_xcom_bytes": _most_bytes(max_xcom_bytes)}
    unchanged, where_kept = word("if_unchanged", if_unchanged, "fetch"), source_named(source)
    older, dataset = asked_in(v1, query, dataset_id, source=where_kept, **beside)
    if older is not None:
        _expect_fetch(unchanged)
        return V1SearchJob(dataset, older, **out)
    return SearchJob(dataset_id=dataset, query=query, if_unchanged=unchanged, source=where_kept, **beside, **out)


def analysis_job(
    *,
    dataset_id: Text,
    source: Text = CATALOG,
    select: Texts = None,
    group_by: Texts = None,
    facet: Texts = None,
    geo_cluster: Mapped = None,
    geojson: Flag = False,
    where: Texts = None,
    order_by: Texts = None,
    refine: Mapped = None,
    exclude: Mapped = None,
    lang: Text = None,
    timezone: Text = "UTC",
    limit: Number = None,
    path: Place = None,
    max_xcom_bytes: Number = MAX_XCOM_BYTES,
    v1: Mapped = None,
) -> AnalysisJob | V1AnalysisJob:
    """Return an analysis of a dataset, or of the catalogue where ``dataset_id`` is None.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    query = Query.of(
        select=select,
        where=where,
        group_by=group_by,
        order_by=order_by,
        refine=refine,
        exclude=exclude,
        lang=lang,
        timezone=timezone,
    )
    beside: dict[str, Any] = {
        "facet": clauses("facet", facet),
        "geo_cluster": GeoCluster.of(mapping("geo_cluster", geo_cluster)),
        "limit": whole_number("limit", limit),
    }
    on_a_map = truth("geojson", geojson, default=False)
    out: dict[str, Any] = {
        "geojson": on_a_map,
        "path": _rows_place(path, "geojson" if on_a_map else "jsonl"),
        "max_xcom_bytes": _most_bytes(max_xcom_bytes),
    }
    where_kept = source_named(source)
    older, dataset = asked_in(v1, query, dataset_id, source=where_kept, **beside)
    if older is not None:
        return V1AnalysisJob(dataset_named(dataset), older, **out)
    return AnalysisJob(dataset_id=dataset, query=query, source=where_kept, **beside, **out)


def _expect_fetch(if_unchanged: str) -> None:
    expect_known(if_unchanged)
    if if_unchanged != "fetch":
        raise OdsConfigError(
            "a search with v1 is always fetched",
            where="argument if_unchanged",
            advice="Leave it out; a download with v1 knows it, and a search without",
        )


def _rows_place(path: Place, written: str = "jsonl") -> Place:
    place = file_place(path)
    if place is not None:
        expect_ending(place, written)
    return place


def _most_bytes(value: Any) -> int:
    return whole_number("max_xcom_bytes", value, default=MAX_XCOM_BYTES)
