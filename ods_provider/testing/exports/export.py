"""One export to be made: its query, and the ways in which formats read its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from ods_provider.testing.encode import feature_row, json_row, renamed
from ods_provider.testing.odsql import OutputColumn
from ods_provider.testing.querying import Asked

ROWS_AT_ONCE = 2_000
PIECE = 65_536
# A setting of each cursor's own: rows are made as they are sent, and not a third of an export at its start.
_MADE_AHEAD = "SET streaming_buffer_size = '100KB'"


@dataclass(frozen=True)
class Export:
    """One export to be made.

    Attributes:
        dataset_id: What it is an export of.
        limit: Rows at most; -1 means all.
        base: The portal's address.
        labels: What headers show instead of names, empty without ``use_labels``.
        epsg: Projection of geometries: 4326 or 3857.
        options: Parameters of the format's own.
    """

    dataset_id: str
    asked: Asked
    limit: int
    base: str
    labels: dict[str, str] = field(default_factory=dict)
    epsg: int = 4326
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[OutputColumn, ...]:
        """The columns of the file."""
        return self.asked.compiled.columns

    def header(self) -> list[str]:
        """The names that the file shows; a label that two fields share stands for the first of them."""
        shown: list[str] = []
        for column in self.columns:
            label = self.labels.get(column.key, column.key)
            shown.append(column.key if label in shown else label)
        return shown

    def named(self) -> tuple[OutputColumn, ...]:
        """The columns under the names that the file shows."""
        return tuple(
            OutputColumn(name, column.type, column.multivalued, column.precision)
            for name, column in zip(self.header(), self.columns, strict=True)
        )

    def select(self, row: str) -> str:
        """The SQL that gives ``row`` for every row."""
        bound = "" if self.limit < 0 else f" LIMIT {self.limit}"
        return f"SELECT {row} FROM {renamed(self.asked.compiled.sql, self.columns)}{bound}"  # noqa: S608

    def texts(self, cursor: Any, row: str) -> Iterator[list[str]]:
        """Run the query, and return its rows as text, some at a time."""
        cursor.execute(_MADE_AHEAD)
        running = cursor.execute(self.select(row), list(self.asked.compiled.params))
        return ([text for (text,) in found] for found in iter(partial(running.fetchmany, ROWS_AT_ONCE), []))

    def json_row(self) -> str:
        """The SQL of a row as a JSON object."""
        return json_row(self.named(), timezone=self.asked.timezone, base=self.base)

    def feature_row(self) -> str:
        """The SQL of a row as a GeoJSON feature."""
        return feature_row(self.named(), timezone=self.asked.timezone, base=self.base, epsg=self.epsg)

    def records(self, cursor: Any) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows as objects, some at a time."""
        for texts in self.texts(cursor, self.json_row()):
            yield [json.loads(text) for text in texts]

    def features(self, cursor: Any) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows as GeoJSON features, some at a time."""
        for texts in self.texts(cursor, self.feature_row()):
            yield [json.loads(text) for text in texts]


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what a finished file holds."""
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece
