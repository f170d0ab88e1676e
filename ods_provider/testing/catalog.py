"""The catalogue: dataset objects as the portal shows them, and a table of their metadata to query.

Source: Explore v2.1 dataset object, live shape (Q47: it differs from the specification's).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ods_provider.testing.odsql import Field
from ods_provider.testing.schema import SQL_TYPES, Attachment, DatasetState, quoted
from ods_provider.testing.store import Store

TABLE = quoted("catalogue")

_METAS: dict[str, tuple[str, bool]] = {
    "title": ("text", False),
    "description": ("text", False),
    "theme": ("text", True),
    "keyword": ("text", True),
    "license": ("text", False),
    "language": ("text", False),
    "publisher": ("text", False),
    "modified": ("datetime", False),
    "data_processed": ("datetime", False),
    "metadata_processed": ("datetime", False),
    "records_count": ("int", False),
}
_OWN: dict[str, tuple[str, bool]] = {
    "dataset_id": ("text", False),
    "dataset_uid": ("text", False),
    "has_records": ("boolean", False),
    "features": ("text", True),
}
_DCAT = (
    "created", "issued", "creator", "contributor", "contact_name", "contact_email", "accrualperiodicity", "spatial",
    "temporal", "granularity", "dataquality", "publisher_type", "conforms_to", "temporal_coverage_start",
    "temporal_coverage_end", "accessRights", "relation",
)  # fmt: skip
# What publishers add; their names may hold a hyphen.
_CUSTOM = ("data-owner",)
FACETS = ("publisher", "license", "theme", "keyword", "language", "features")


def _iso(moment: datetime) -> str:
    return moment.isoformat()


def features(state: DatasetState) -> list[str]:
    """Return what the portal offers for a dataset of this schema."""
    types = {column.type for column in state.columns}
    found = ["analyze"]
    if types & {"geo_point_2d", "geo_shape"}:
        found.append("geo")
    if "datetime" in types:
        found.append("timeserie")
    if "file" in types:
        found.append("image")
    if state.calendar:
        found.append("calendar")
    return found


def metas(store: Store, state: DatasetState) -> dict[str, Any]:
    """Return the default metadata of a dataset, under all the names that live portals show."""
    box = store.extent(state.dataset_id)
    kinds = {column.type for column in state.columns}
    made = {
        "title": state.title,
        "description": state.description or None,
        "theme": state.theme or None,
        "keyword": state.keyword or None,
        "license": state.license,
        "license_url": "https://creativecommons.org/licenses/by/4.0/" if state.license == "CC BY 4.0" else None,
        "language": "en",
        "metadata_languages": ["en"],
        "timezone": None,
        "modified": _iso(state.modified),
        "modified_updates_on_metadata_change": True,
        "modified_updates_on_data_change": True,
        "data_processed": _iso(state.data_processed),
        "metadata_processed": _iso(state.metadata_processed),
        "geographic_reference": None,
        "geographic_reference_auto": True,
        "territory": None,
        "geometry_types": ["Polygon"] if "geo_shape" in kinds else ["Point"] if box else None,
        "bbox": _box(box) if box else None,
        "publisher": state.publisher,
        "references": None,
        "records_count": store.count(state.dataset_id),
        "attributions": None,
        "source_domain": state.source_domain,
        "source_domain_title": state.source_domain and "The public hub",
        "source_domain_address": state.source_domain and f"{state.source_domain}.opendatasoft.com",
        "source_dataset": state.source_domain and state.dataset_id.partition("@")[0],
        "shared_catalog": None,
        "federated": state.source_domain is not None,
        "parent_domain": None,
        "update_frequency": None,
    }
    return made | state.extra_metas.get("default", {})


_COUNTERS = (
    "reuse_count", "download_count", "attachment_download_count", "file_field_download_count", "api_call_count",
    "popularity_score",
)  # fmt: skip
_EXPLORE = (
    "feed_titlefield", "feed_descriptionfield", "feed_fieldslist", "feedback_enabled", "swagger_specifications",
    "geographic_reference_path", "geographic_reference_path_labels",
)  # fmt: skip
_PUBLISHING = (
    "status", "published", "error_message", "last_modified_user", "properties", "extractors", "harvester",
    "joined_datasets", "datasource_types",
)  # fmt: skip


def app_metas(store: Store, state: DatasetState) -> dict[str, dict[str, Any]]:
    """Return what the portal itself knows of a dataset: counters that nothing counts here, and its last publication.

    Source: a body of Explore v2.1 with ``include_app_metas``, recorded from a live portal.
    """
    processing = {
        "processing_modified": _iso(state.data_processed),
        "security_last_modified": _iso(state.metadata_processed),
        "records_size": store.size_bytes(state.dataset_id),
        "complete": True,
    }
    return {
        "explore": dict.fromkeys(_COUNTERS, 0) | dict.fromkeys(_EXPLORE),
        "processing": processing | state.app_metas.get("processing", {}),
        "publishing": dict.fromkeys(_PUBLISHING) | state.app_metas.get("publishing", {}),
    }


def _box(extent: tuple[float, float, float, float]) -> dict[str, Any]:
    west, south, east, north = extent
    ring = [[east, north], [west, north], [west, south], [east, south], [east, north]]
    return {"type": "Feature", "geometry": {"coordinates": [ring], "type": "Polygon"}, "properties": {}}


def dataset_object(store: Store, state: DatasetState, base: str) -> dict[str, Any]:
    """Return a dataset as the API shows it."""
    root = f"{base}/api/explore/v2.1/{state.kept_in}/datasets/{state.dataset_id}"
    made: dict[str, Any] = {
        "visibility": "restricted" if state.restricted else "domain",
        "dataset_id": state.dataset_id,
        "dataset_uid": state.uid,
        "has_records": True,
        "features": features(state),
        "attachments": [_file(item, f"{root}/attachments") for item in state.attachments],
        "alternative_exports": [
            {**_file(item, f"{root}/alternative_exports"), "description": item.description}
            for item in state.alternative_exports
        ],
        "data_visible": state.data_visible,
        "fields": [column.as_json() for column in state.columns],
        "metas": {"default": metas(store, state), "dcat": dict.fromkeys(_DCAT) | state.extra_metas.get("dcat", {})},
    }
    made["metas"] |= {name: values for name, values in state.extra_metas.items() if name not in ("default", "dcat")}
    if state.custom:
        made["metas"]["custom"] = state.custom | state.extra_metas.get("custom", {})
    return made


def _file(item: Attachment, root: str) -> dict[str, Any]:
    return {"id": item.id, "title": item.title, "mimetype": item.mimetype, "url": f"{root}/{item.id}"}


def fields() -> list[Field]:
    """Return what the catalogue can be queried by: metadata under their bare names and as ``default.name``."""
    made = [Field(name, kind, multivalued=many) for name, (kind, many) in _OWN.items()]  # type: ignore[arg-type]
    for name, (kind, many) in _METAS.items():
        made += [
            Field(spelled, kind, multivalued=many, technical=spelled != name)  # type: ignore[arg-type]
            for spelled in (name, f"default.{name}")
        ]
    return made + [Field(f"custom.{name}", "text", technical=True) for name in _CUSTOM]


def create_table(store: Store, cursor: Any, states: Iterable[DatasetState]) -> None:
    """Write the present metadata of these datasets into a table of this cursor's own.

    It is made anew for each query: a portal here has a handful of datasets, and some of them change all the time.
    """
    columns = [(name, *kind) for name, kind in _OWN.items()]
    for name, kind in _METAS.items():
        columns += [(name, *kind), (f"default.{name}", *kind)]
    columns += [(f"custom.{name}", "text", False) for name in _CUSTOM]
    declared = ", ".join(f"{quoted(name)} {SQL_TYPES[kind]}{'[]' if many else ''}" for name, kind, many in columns)
    cursor.execute(f'CREATE OR REPLACE TEMP TABLE {TABLE} ("$id" VARCHAR, {declared})')
    slots = ", ".join("?" for _ in range(len(columns) + 1))
    for state in states:
        own = {
            "dataset_id": state.dataset_id,
            "dataset_uid": state.uid,
            "has_records": True,
            "features": features(state),
        }
        known = metas(store, state)
        for name in ("modified", "data_processed", "metadata_processed"):
            known[name] = getattr(state, name).replace(tzinfo=None)
        own |= {f"custom.{name}": state.custom.get(name) for name in _CUSTOM}
        values = [own[name] if name in own else known[name.removeprefix("default.")] for name, _, _ in columns]
        cursor.execute(f"INSERT INTO {TABLE} VALUES ({slots})", [state.dataset_id, *values])  # noqa: S608  our own name
