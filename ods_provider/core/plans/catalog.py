"""Ask about datasets: one dataset, its formats, its attachments, its facets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ods_provider.core.facets import Facet, folded
from ods_provider.core.limits import FACET_VALUES
from ods_provider.core.odsql import identifier
from ods_provider.core.plans.explore import get, json_object, not_shaped, path
from ods_provider.core.plans.records import export_rows
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset
from ods_provider.core.wire import Plan

MOST_IDS = 10_000  # of a portal's datasets: half a megabyte
Facets = dict[str, list[tuple[Any, int]]]


def dataset(dataset_id: str, *, lang: str | None = None) -> Plan[Dataset]:
    """Ask for one dataset's description. One call."""
    found = yield from dataset_object(dataset_id, Query(lang=lang))
    if "dataset_id" not in found:
        raise not_shaped("dataset_id", where=f"dataset {dataset_id}")
    return Dataset.from_json(found)


def dataset_object(dataset_id: str, query: Query) -> Plan[dict[str, Any]]:
    """Ask for one dataset as the portal sends it; of the query its select, language, time zone and extras count."""
    response = yield get(dataset_id=dataset_id, params=query.list_params())
    return dict(json_object(response))


def dataset_ids() -> Plan[list[str]]:
    """Ask for the ids of all datasets that are visible, 10,000 at the most. One call."""
    rows = yield from export_rows(None, Query(select="dataset_id"), limit=MOST_IDS)
    return [row["dataset_id"] for row in rows if isinstance(row.get("dataset_id"), str)]


def export_formats(dataset_id: str | None = None) -> Plan[list[str]]:
    """Ask which export formats are offered; the offer differs between datasets. One call."""
    response = yield get("exports", dataset_id=dataset_id)
    names = [link.get("rel") for link in json_object(response, "links")["links"]]
    return [name for name in names if isinstance(name, str) and name not in ("self", "source")]


def attachments(dataset_id: str) -> Plan[list[dict[str, Any]]]:
    """Ask for a dataset's attachments: ``[{id, title, mimetype, url}]``. One call.

    Source: attachments endpoint, whose entries name their parts ``href`` and ``metas`` (section 7).
    """
    response = yield get("attachments", dataset_id=dataset_id)
    items = json_object(response, "attachments")["attachments"]
    return [_described(item, "attachments", dataset_id) for item in items]


def alternative_exports(dataset_id: str) -> Plan[list[dict[str, Any]]]:
    """Ask for the files that a publisher offers beside the exports: ``[{id, title, mimetype, url}]``. One call."""
    return alternative_exports_of((yield from dataset(dataset_id)))


def alternative_exports_of(found: Dataset) -> list[dict[str, Any]]:
    """Return the files that a dataset's description offers beside the exports."""
    return [_described(item, "alternative_exports", found.dataset_id) for item in found.alternative_exports]


def _described(item: Mapping[str, Any], kind: str, dataset_id: str) -> dict[str, Any]:
    metas = item["metas"] if isinstance(item.get("metas"), Mapping) else {}
    url = str(item.get("href") or metas.get("url") or item.get("url") or "")
    file_id = str(metas.get("id") or item.get("id") or url.rstrip("/").rpartition("/")[2])
    if not url.startswith(("http://", "https://", "/")):
        # Lists made for API v1 hold "odsfile://name", which nothing can fetch.
        url = path(kind, file_id, dataset_id=dataset_id)
    return {
        "id": file_id,
        "title": metas.get("title") or item.get("title"),
        "mimetype": metas.get("mime-type") or item.get("mimetype"),
        "url": url,
    }


def facets(dataset_id: str | None, names: Iterable[str], query: Query) -> Plan[Facets]:
    """Ask how many rows each value of the facets has, whole.

    A facet list stops at 100 values without a sign (Q5). One that reaches 100 is asked for again as a grouped export,
    which has no cap: one more call for each such facet, and one for the schema, which tells hierarchies.

    Args:
        dataset_id: None asks about the catalogue.
        names: Facets to list, as names or ``facet(…)`` calls; empty lists those that the dataset declares.
        query: Only its filters matter.
    """
    asked = [Facet.of(name) for name in names]
    params = (*(("facet", facet.text) for facet in asked), *query.filters_only().params())
    response = yield get("facets", dataset_id=dataset_id, params=params)
    found: Facets = {}
    by_name = {facet.name: facet for facet in asked}
    schema: Dataset | None = None
    for answered in json_object(response, "facets")["facets"]:
        name, values = str(answered["name"]), answered.get("facets") or []
        facet = by_name.get(name, Facet(name, name))
        found[name] = list(_values(values))
        if len(values) >= FACET_VALUES and (facet.limit is None or facet.limit > len(values)):
            if schema is None and dataset_id is not None:
                schema = yield from dataset(dataset_id)
            found[name] = facet.arranged((yield from _whole_facet(dataset_id, facet, query, schema)))
    return found


def _values(values: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Any, int]]:
    """Yield the values of a facet, those of deeper levels after their parent, by their whole path."""
    for value in values:
        yield value.get("value", value.get("name")), int(value["count"])
        yield from _values(value.get("facets") or ())


def _whole_facet(
    dataset_id: str | None, facet: Facet, query: Query, schema: Dataset | None
) -> Plan[list[tuple[Any, int]]]:
    grouped = Query(
        select="count(*) as ods_rows",
        group_by=f"{identifier(facet.name)} as ods_value",
        where=query.where,
        refine=query.refine,
        exclude=query.exclude,
        lang=query.lang,
        timezone=query.timezone,
    )
    rows = yield from export_rows(dataset_id, grouped)
    # A facet does not list rows without a value, a group does (Q25).
    pairs = [(row["ods_value"], int(row["ods_rows"])) for row in rows if row["ods_value"] is not None]
    separator = facet.separator or _separator(schema, facet.name)
    return folded(pairs, separator) if separator else pairs


def _separator(schema: Dataset | None, name: str) -> str | None:
    """Return what parts the levels of a facet: a hierarchy's own mark, or that of a date, whose facet lists years."""
    field = schema.field(name) if schema else None
    if field is None:
        return None
    if field.type in ("date", "datetime"):
        return "-"
    declared = field.annotations.get("hierarchical")
    return declared if isinstance(declared, str) and declared else None
