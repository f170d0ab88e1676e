"""Rows that are in the portal already: those it came with, and those that were pushed. They are read as a file is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ods_provider.testing.backoffice.extraction.configuring import Configured
from ods_provider.testing.backoffice.extraction.raw import Raw, RawField, selected
from ods_provider.testing.odsql.sql import iso
from ods_provider.testing.schema import Column, DatasetState, quoted


@dataclass(frozen=True)
class Base:
    """A table, and the fields that it had before any was configured.

    Attributes:
        table: Its name, quoted; None: there are no rows yet.
        fields: As the source has them.
        shown: What each is called in the table, and its field there; those that are missing were deleted.
    """

    table: str | None
    fields: tuple[RawField, ...]
    shown: tuple[tuple[str, Column], ...]

    def raw(self) -> Raw:
        """Return the rows as a source."""
        there = dict(self.shown)
        if self.table is None:
            empty = "(SELECT 1) WHERE false"
            return Raw(selected(self.fields, ["NULL::VARCHAR" for _ in self.fields], empty), self.fields)
        cells = [_text(there[one.name]) if one.name in there else "NULL::VARCHAR" for one in self.fields]
        return Raw(selected(self.fields, cells, self.table), self.fields)

    def moved(self, table: str | None, made: Sequence[Configured], columns: Sequence[Column]) -> Base:
        """Return the same fields, with their rows in another table where they are called otherwise."""
        pairs = zip(made, columns, strict=True)
        return replace(self, table=table, shown=tuple((one.source, column) for one, column in pairs))


def base_of(state: DatasetState) -> Base:
    """Return the rows of a dataset that came with the portal."""
    fields = tuple(RawField(column.name, column.as_json()["label"], column.type, column) for column in state.columns)
    return Base(state.table, fields, tuple((column.name, column) for column in state.columns))


def _text(column: Column) -> str:
    cell = quoted(column.name)
    if column.multivalued or column.type == "geo_point_2d":
        return f"to_json({cell})::VARCHAR"
    if column.type == "datetime":
        return f"{iso(cell)} || 'Z'"
    return f"{cell}::VARCHAR"
