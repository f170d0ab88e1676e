"""What a query runs on and what comes out of it, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal[
    "text", "int", "double", "date", "datetime", "boolean", "geo_point_2d", "geo_shape", "file", "json_blob"
]
NUMERIC = frozenset({"int", "double"})
MOMENTS = frozenset({"date", "datetime"})
GEO = frozenset({"geo_point_2d", "geo_shape"})


@dataclass(frozen=True)
class Field:
    """A field that a query may name.

    Attributes:
        precision: ``year`` or ``month`` for dates that are cut.
        hierarchical: Separator of the facet's path, None for a flat one.
        disjunctive: Whether several refined values are alternatives.
        technical: Whether it is no column of the publisher's: it must be named to be selected.
    """

    name: str
    type: FieldType
    multivalued: bool = False
    precision: str | None = None
    hierarchical: str | None = None
    disjunctive: bool = False
    technical: bool = False

    @property
    def cell(self) -> str:
        """Its name, quoted for SQL."""
        return '"' + self.name.replace('"', '""') + '"'


@dataclass(frozen=True)
class OutputColumn:
    """A column of the result: the key it is returned under, and its type, which says how it is written."""

    key: str
    type: FieldType
    multivalued: bool = False
    precision: str | None = None


class OdsqlError(Exception):
    """A query that the portal refuses: its code and its text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def malformed(why: str, clause: str | None = None) -> OdsqlError:
    """Return the refusal of a query that parses and makes no sense."""
    ending = f" Clause(s) containing the error(s): {clause}." if clause else ""
    return OdsqlError("ODSQLError", f"ODSQL query is malformed: {why}.{ending}")
