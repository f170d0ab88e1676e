"""A dataset as the portal describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ods_provider.core.times import iso, parse_time


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dataset: technical name, type, label and annotations (``{"facet": true, …}``, Q47)."""

    name: str
    type: str
    label: str | None = None
    description: str | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict)

    @property
    def multivalued(self) -> bool:
        """Whether one cell holds several values."""
        return "multivalued" in self.annotations


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset object of Explore v2.1, live shape.

    Attributes:
        dataset_id: The id in URLs; case-sensitive, may hold ``@`` (Q44).
        fields: The schema in the portal's order.
        records_count: Rows the portal says it holds; a key may see fewer (Q4).
        data_processed: When the records last changed (aware UTC), the freshness test.
        modified: Editorial date, may be set by hand (Q56).
        has_records: Whether it holds records at all (some hold only attachments).
        data_visible: False predicts 403 on its records (Q3).
        metas: Everything else, as sent.
    """

    dataset_id: str
    fields: tuple[Field, ...] = ()
    records_count: int | None = None
    data_processed: datetime | None = None
    modified: datetime | None = None
    has_records: bool = True
    data_visible: bool = True
    features: tuple[str, ...] = ()
    attachments: tuple[Mapping[str, Any], ...] = ()
    alternative_exports: tuple[Mapping[str, Any], ...] = ()
    metas: Mapping[str, Any] = field(default_factory=dict)
    dataset_uid: str | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Dataset:
        """Return the dataset that a catalogue answer describes; absent and misshapen parts take their defaults."""
        metas = _mapping(body.get("metas"))
        default = _mapping(metas.get("default"))
        processed, count = held(default)
        features = body.get("features")
        return cls(
            dataset_id=str(body["dataset_id"]),
            fields=tuple(_field(item) for item in _mappings(body.get("fields")) if "name" in item),
            records_count=count,
            data_processed=processed,
            modified=parse_time(default.get("modified")),
            has_records=bool(body.get("has_records", True)),
            data_visible=body.get("data_visible") is not False,
            features=tuple(map(str, features)) if isinstance(features, list) else (),
            attachments=_mappings(body.get("attachments")),
            alternative_exports=_mappings(body.get("alternative_exports")),
            metas=metas,
            dataset_uid=uid if isinstance(uid := body.get("dataset_uid"), str) else None,
        )

    def field(self, name: str) -> Field | None:
        """Return the field of that technical name, or None."""
        return next((item for item in self.fields if item.name == name), None)

    def freshness(self) -> dict[str, Any]:
        """Return what a watcher compares: dataset_id, data_processed, modified (ISO 8601), records_count."""
        return {
            "dataset_id": self.dataset_id,
            "data_processed": iso(self.data_processed),
            "modified": iso(self.modified),
            "records_count": self.records_count,
        }


def held(metas: object) -> tuple[datetime | None, int | None]:
    """Return what metadata say of a dataset's records, in either API: when they last changed, and how many they are."""
    given = _mapping(metas)
    count = given.get("records_count")
    return parse_time(given.get("data_processed")), count if type(count) is int and count >= 0 else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> tuple[Mapping[str, Any], ...]:
    return tuple(item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def _field(item: Mapping[str, Any]) -> Field:
    return Field(
        name=str(item["name"]),
        type=str(item.get("type", "text")),
        label=item.get("label"),
        description=item.get("description"),
        annotations=_mapping(item.get("annotations")),
    )
