"""A dataset as the local portal holds it, and the DuckDB types its fields are stored in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from ods_provider.testing.odsql import Field

SQL_TYPES = {
    "text": "VARCHAR",
    "int": "BIGINT",
    "double": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "boolean": "BOOLEAN",
    "geo_point_2d": "STRUCT(lon DOUBLE, lat DOUBLE)",
    "geo_shape": "VARCHAR",
    "file": "VARCHAR",
    "json_blob": "VARCHAR",
}
# What every record has besides its fields. Source: ODSQL reference, technical fields.
TECHNICAL = {
    "datasetid": "text",
    "recordid": "text",
    "record_timestamp": "datetime",
    "record_size": "int",
    "record_links": "file",  # JSON that names the portal's own address
}


@dataclass(frozen=True)
class Column:
    """One field of a dataset: what it is, and how the portal describes it."""

    name: str
    type: str = "text"
    label: str | None = None
    description: str | None = None
    annotations: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, given: str | Mapping[str, Any]) -> Column:
        """Return the field that a type describes, or a mapping with the type in it.

        Raises:
            ValueError: No field has that type.
        """
        told = {"type": given} if isinstance(given, str) else given
        if told.get("type", "text") not in SQL_TYPES:
            raise ValueError(f"{name} is of the type {told['type']!r}; there are {', '.join(SQL_TYPES)}")
        return cls(name, **told)

    @property
    def multivalued(self) -> bool:
        """Whether one cell holds several values."""
        return "multivalued" in self.annotations

    @property
    def sql_type(self) -> str:
        """The DuckDB type of its column."""
        return SQL_TYPES[self.type] + ("[]" if self.multivalued else "")

    def for_queries(self) -> Field:
        """The same, as ODSQL needs it."""
        precision = self.annotations.get("timeserie_precision")
        return Field(
            self.name,
            self.type,  # type: ignore[arg-type]  # the same words
            multivalued=self.multivalued,
            precision=precision if precision in ("year", "month") else None,
            hierarchical=self.annotations.get("hierarchical"),
            disjunctive="disjunctive" in self.annotations,
        )

    def as_json(self) -> dict[str, Any]:
        """The same, as the portal's API shows it."""
        return {
            "name": self.name,
            "description": self.description,
            "annotations": self.annotations,
            "label": self.label or self.name.replace("_", " ").capitalize(),
            "type": self.type,
        }


@dataclass
class Attachment:
    """A file that hangs on a dataset."""

    id: str
    title: str
    mimetype: str
    content: bytes = field(repr=False)
    description: str | None = None
    elsewhere: bool = False  # whether another host keeps it


@dataclass
class DatasetState:
    """A dataset: description, files, and the name of the table with its rows."""

    dataset_id: str
    title: str
    columns: list[Column]
    description: str = ""
    publisher: str = "ods-provider"
    license: str = "CC BY 4.0"
    theme: list[str] = field(default_factory=list)
    keyword: list[str] = field(default_factory=list)
    unique_id: tuple[str, ...] = ()
    data_visible: bool = True
    realtime_resource: str | None = None
    push_key: str | None = field(default=None, repr=False)  # None: the portal's
    push_enabled: bool = True
    restricted: bool = False
    viewers: tuple[str, ...] = ()  # users who see it although it is restricted
    own_uid: str | None = None  # None: made from the id
    stored_as: str | None = None  # the name of its table, quoted for SQL; None: made from the id
    catalogued: datetime | None = None  # when the catalogue heard of the last publication; None: of the last change
    extra_metas: dict[str, dict[str, Any]] = field(default_factory=dict)  # template to field to value, over the others
    app_metas: dict[str, dict[str, Any]] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    alternative_exports: list[Attachment] = field(default_factory=list)
    calendar: bool = False
    kept_in: str = "catalog"  # the source, as addresses name it
    custom: dict[str, str] = field(default_factory=dict)
    source_domain: str | None = None
    born_as: str | None = None  # its first id, where it was renamed
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    modified: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    data_processed: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

    @property
    def table(self) -> str:
        """Name of its table, quoted for SQL."""
        return self.stored_as or quoted("data " + (self.born_as or self.dataset_id))

    @property
    def metadata_processed(self) -> datetime:
        """When the catalogue heard of the last change: a little after it, in milliseconds, as every live one has it."""
        return max(self.modified, self.catalogued or self.modified) + timedelta(milliseconds=109)

    @property
    def uid(self) -> str:
        """The stable id that survives a renaming."""
        if self.own_uid:
            return self.own_uid
        return "da_" + hashlib.sha1((self.born_as or self.dataset_id).encode()).hexdigest()[:6]  # noqa: S324  as the portal names things

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def fields(self) -> list[Field]:
        """The columns, as ODSQL needs them."""
        own = {column.name for column in self.columns}
        return [column.for_queries() for column in self.columns] + [
            Field(name, kind, technical=True)  # type: ignore[arg-type]  # the same words
            for name, kind in TECHNICAL.items()
            if name not in own
        ]

    @property
    def source(self) -> str:
        """Its rows as SQL, with the technical fields beside its own."""
        own = {column.name for column in self.columns}
        here = f"{{base}}/api/explore/v2.1/{self.kept_in}/datasets/{quote(self.dataset_id)}/records/"
        link = f'[{{"rel": "self", "href": "{here}'
        values = {
            "datasetid": literal(self.dataset_id),
            "recordid": '"$id"',
            "record_timestamp": f"TIMESTAMP {literal(self.data_processed.replace(tzinfo=None).isoformat(' '))}",
            "record_size": "strlen(rows::VARCHAR)",
            "record_links": f"""{literal(link)} || "$id" || '"}}]'""",
        }
        beside = ", ".join(f"{cell} AS {name}" for name, cell in values.items() if name not in own)
        return f"(SELECT rows.*, {beside} FROM {self.table} AS rows)"  # noqa: S608  names and values are quoted


def quoted(name: str) -> str:
    """Quote an identifier for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for DuckDB."""
    return "'" + text.replace("'", "''") + "'"
