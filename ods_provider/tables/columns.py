"""What a column of a table holds, whatever the database calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["int", "double", "decimal", "bool", "text", "date", "datetime", "json", "binary", "geometry"]
"""``int`` has 64 bits; ``decimal`` 38 digits, 9 of them after the point; ``datetime`` is a moment, in UTC; ``json`` is
a text of JSON; ``geometry`` is WKB in EPSG:4326."""

Form = Literal["", "lon", "lat", "wkt", "geojson", "wkb"]
"""What of a place a column holds, and how; empty for all that is no place."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column, as it is staged.

    Attributes:
        name: As the table has it.
        kind: What it holds.
        field: The portal's field that it comes of.
        label, description: What the portal says of that field, for the column's comment.
        form: What of a place it holds: a point may be two columns of one field.
    """

    name: str
    kind: Kind
    field: str
    label: str | None = None
    description: str | None = None
    form: Form = ""

    @property
    def comment(self) -> str | None:
        """Its label, and its description where it differs: what databases that keep comments are told."""
        told = [text for text in (self.label, self.description) if text]
        return ": ".join(dict.fromkeys(told)) or None


def arrow_type(kind: Kind) -> pa.DataType:
    """Return the type in which values of a kind are staged."""
    import pyarrow as pa

    types: dict[Kind, pa.DataType] = {
        "int": pa.int64(),
        "double": pa.float64(),
        "decimal": pa.decimal128(38, 9),
        "bool": pa.bool_(),
        "text": pa.string(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us", "UTC"),
        "json": pa.string(),
        "binary": pa.binary(),
        "geometry": pa.binary(),
    }
    return types[kind]


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """Return the schema of the batches that hold these columns."""
    import pyarrow as pa

    return pa.schema([pa.field(column.name, arrow_type(column.kind)) for column in columns])
