"""Ask about datasets: one dataset, its formats, its attachments, its facets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ods_provider.core.limits import FACET_VALUES
from ods_provider.core.odsql import identifier
from ods_provider.core.plans.explore import get, json_object
from ods_provider.core.plans.records import export_rows
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset
from ods_provider.core.wire import Plan

Facets = dict[str, list[tuple[Any, int]]]


def dataset(dataset_id: str) -> Plan[Dataset]:
    """Ask for one dataset's description. One call."""
    response = yield get(dataset_id=dataset_id, params=(("timezone", "UTC"),))
    return Dataset.from_json(json_object(response, "dataset_id"))


def export_formats(dataset_id: str | None = None) -> Plan[list[str]]:
    """Ask which export formats are offered; the offer differs between datasets. One call."""
    response = yield get("exports", dataset_id=dataset_id)
    return [
        link["rel"] for link in json_object(response, "links")["links"] if link.get("rel") not in ("self", "source")
    ]


def attachments(dataset_id: str) -> Plan[list[dict[str, Any]]]:
    """Ask for a dataset's attachments: ``[{id, title, mimetype, url}]``. One call.

    Source: attachments endpoint, whose entries name their parts ``href`` and ``metas`` (section 7).
    """
    response = yield get("attachments", dataset_id=dataset_id)
    return [_attachment(item) for item in json_object(response, "attachments")["attachments"]]


def _attachment(item: Mapping[str, Any]) -> dict[str, Any]:
    metas = item.get("metas") or {}
    url = str(item.get("href") or metas.get("url") or item.get("url") or "")
    return {
        "id": metas.get("id") or item.get("id") or url.rstrip("/").rpartition("/")[2],
        "title": metas.get("title") or item.get("title"),
        "mimetype": metas.get("mime-type") or item.get("mimetype"),
        "url": url,
    }


def facets(dataset_id: str | None, names: Iterable[str], query: Query) -> Plan[Facets]:
    """Ask how many rows each value of the facets has, whole.

    A facet list stops at 100 values without a sign (Q5). One that reaches 100 is asked for again as a grouped export,
    which has no cap: one more call for each such facet.

    Args:
        dataset_id: None asks about the catalogue.
        names: Facets to list; empty lists those that the dataset declares.
        query: Only its filters matter.
    """
    params = (*(("facet", name) for name in names), *query.filters_only().params())
    response = yield get("facets", dataset_id=dataset_id, params=params)
    found: Facets = {}
    for facet in json_object(response, "facets")["facets"]:
        name, values = str(facet["name"]), facet.get("facets") or []
        found[name] = [(value.get("value", value.get("name")), int(value["count"])) for value in values]
        if len(values) >= FACET_VALUES:
            found[name] = yield from _whole_facet(dataset_id, name, query)
    return found


def _whole_facet(dataset_id: str | None, name: str, query: Query) -> Plan[list[tuple[Any, int]]]:
    grouped = Query(
        select="count(*) as ods_rows",
        group_by=f"{identifier(name)} as ods_value",
        where=query.where,
        refine=query.refine,
        exclude=query.exclude,
        lang=query.lang,
        timezone=query.timezone,
    )
    rows = yield from export_rows(dataset_id, grouped)
    # A facet does not list rows without a value, a group does (Q25).
    pairs = [(row["ods_value"], int(row["ods_rows"])) for row in rows if row["ods_value"] is not None]
    return sorted(pairs, key=lambda pair: (-pair[1], str(pair[0])))
