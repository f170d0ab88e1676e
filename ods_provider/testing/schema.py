"""A dataset as the local portal holds it, and the DuckDB types its fields are stored in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

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


@dataclass(frozen=True)
class Column:
    """One field of a dataset: what it is, and how the portal describes it."""

    name: str
    type: str = "text"
    label: str | None = None
    description: str | None = None
    annotations: dict[str, Any] = field(default_factory=dict)

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
    attachments: list[Attachment] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)
    modified: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    data_processed: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

    @property
    def table(self) -> str:
        """Name of its table, quoted for SQL."""
        return quoted("data " + self.dataset_id)

    @property
    def uid(self) -> str:
        """The stable id that survives a renaming."""
        return "da_" + hashlib.sha1(self.dataset_id.encode()).hexdigest()[:6]  # noqa: S324  as the portal names things

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def fields(self) -> list[Field]:
        """The columns, as ODSQL needs them."""
        return [column.for_queries() for column in self.columns]


def quoted(name: str) -> str:
    """Quote an identifier for DuckDB."""
    return '"' + name.replace('"', '""') + '"'
