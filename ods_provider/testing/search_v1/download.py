"""Downloads: all rows of a query as one stream, in no order that could be relied on.

Source: Search API v1.0, record download; Q9.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ods_provider.testing.schema import Column, DatasetState
from ods_provider.testing.search_v1 import values
from ods_provider.testing.search_v1.filters import Rows

ROWS_AT_ONCE = 2_000
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "jsonp": "application/javascript; charset=utf-8",
    "geojson": "application/vnd.geo+json; charset=utf-8",
    "geojsonp": "application/javascript; charset=utf-8",
}


@dataclass(frozen=True)
class Download:
    """One download to be made.

    Attributes:
        limit: Rows at most, None for all.
        labels: Whether the CSV header shows labels.
        callback: Of the two formats that call one.
    """

    state: DatasetState
    columns: Sequence[Column]
    rows: Rows
    format: str
    order: str
    limit: int | None
    delimiter: str
    labels: bool
    callback: str

    def pieces(self, cursor: Any) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        zone = self.rows.zone
        if self.format == "csv":
            names = [str(column.as_json()["label"]) if self.labels else column.name for column in self.columns]
            yield (self.delimiter.join(values.csv_cell(name, self.delimiter) for name in names) + "\r\n").encode()
            for texts in self._texts(cursor, values.csv_line(self.columns, zone, self.delimiter)):
                yield ("\r\n".join(texts) + "\r\n").encode()
            return
        shape = values.feature if self.format.startswith("geojson") else values.record
        before, after = ("[", "]") if shape is values.record else ('{"type": "FeatureCollection", "features": [', "]}")
        if self.format.endswith("p"):
            before, after = f"{self.callback}({before}", f"{after});"
        yield before.encode()
        first = True
        for texts in self._texts(cursor, shape(self.state, self.columns, zone)):
            yield (("" if first else ", ") + ", ".join(texts)).encode()
            first = False
        yield after.encode()

    def _texts(self, cursor: Any, row: str) -> Iterator[list[str]]:
        source = self.rows.source
        # Shuffled, but the same at every call: whoever needs an order must ask for one.
        order = self.order or ' ORDER BY hash("$id")'
        bound = "" if self.limit is None else f" LIMIT {self.limit}"
        running = cursor.execute(f"SELECT {row} FROM {source.text}{order}{bound}", list(source.params))  # noqa: S608
        while found := running.fetchmany(ROWS_AT_ONCE):
            yield [text for (text,) in found]


def search_rows(
    cursor: Any, state: DatasetState, columns: Sequence[Column], rows: Rows, order: str, limit: int, start: int
) -> list[dict[str, Any]]:
    """Return one page of records."""
    source = rows.source
    row = values.record(state, columns, rows.zone)
    # A total order, so that pages neither overlap nor leave a gap.
    order = order or ' ORDER BY "$id"'
    sql = f"SELECT {row} FROM {source.text}{order} LIMIT {limit} OFFSET {start}"  # noqa: S608
    return [json.loads(text) for (text,) in cursor.execute(sql, list(source.params)).fetchall()]
