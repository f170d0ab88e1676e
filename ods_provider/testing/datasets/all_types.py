"""``all-types``: a field of every type, with the values that break naive readers."""

from __future__ import annotations

import json
from typing import Any

from ods_provider.testing.media import keep
from ods_provider.testing.schema import Column, DatasetState

ROWS = 12
TEXT = b"A file of a record: \xc3\xbcber alles.\n"
# Beyond 2**53 a number is no longer exact in a double, and beyond 2**31 not even possible in 32 bits (Q15).
BIG = (2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**31)
_PARTS = {9: ".109", 10: ".29"}  # seconds, by number of the row
_WORDS = (
    "plain",
    'two "words"',
    "semi;colon",
    "comma, comma",
    "line\nbreak",
    "",
    "Zürich 城市 🗼",
    "  spaces  ",
    "=1+1",
)


def all_types() -> tuple[DatasetState, list[dict[str, Any]]]:
    """Return the dataset and its rows; the last row is empty but for its number."""
    state = DatasetState(
        "all-types",
        "Every type of field",
        [
            Column("number", "int", annotations={"id": True, "sortable": True}),
            Column("words", "text", "\ufeffWords", "A label that begins with a mark (Q38)"),
            Column("kind", "text", annotations={"facet": True}),
            Column("tags", "text", annotations={"multivalued": ";", "facet": True}),
            Column("big", "int", annotations={"unit": "bytes"}),
            Column("ratio", "double", annotations={"decimals": 2}),
            Column("day", "date", annotations={"timeserie_precision": "day"}),
            Column("month", "date", annotations={"timeserie_precision": "month"}),
            Column("year", "date", annotations={"timeserie_precision": "year"}),
            Column("at", "datetime", annotations={"timeserie_precision": "second"}),
            Column("open", "boolean", annotations={"facet": True}),
            Column("place", "geo_point_2d"),
            Column("area", "geo_shape"),
            Column("document", "file"),
            Column("details", "json_blob"),
        ],
        description="<p>What every type looks like in every format.</p>",
        theme=["Tests"],
        keyword=["types", "quirks"],
        unique_id=("number",),
        calendar=True,
        custom={"data-owner": "Testing"},
    )
    document = keep(state, TEXT, "text/plain", "über.txt")
    rows = [_row(number, document) for number in range(ROWS - 1)]
    return state, [*rows, {"number": ROWS - 1}]


def _row(number: int, document: dict[str, Any]) -> dict[str, Any]:
    west, south = number, number - 5
    hole = [[west + 0.2, south + 0.2], [west + 0.2, south + 0.4], [west + 0.4, south + 0.4], [west + 0.2, south + 0.2]]
    ring = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1], [west, south]]
    shapes = [
        {"type": "Polygon", "coordinates": [ring, hole]},
        {"type": "MultiPolygon", "coordinates": [[ring], [[[x + 2, y] for x, y in ring]]]},
        {"type": "LineString", "coordinates": ring[:3]},
        None,
    ]
    return {
        "number": number,
        "words": _WORDS[number % len(_WORDS)],
        "kind": "even" if number % 2 == 0 else "odd",
        "tags": ["a", "b, c", "d"][: number % 4] or None,
        "big": BIG[number % len(BIG)],
        "ratio": [0.1, 1e-7, 1e300, 6.0, None][number % 5],
        "day": f"2024-02-{19 + number}",
        "month": f"2024-{1 + number:02}-01",
        "year": f"{1999 + number}-01-01",
        # An hour that Europe has twice, one that it lacks, and parts of a second are among them.
        "at": f"2024-{'03-31' if number % 2 else '10-27'}T0{number % 4}:30:00{_PARTS.get(number, '')}+00:00",
        "open": [True, False, None][number % 3],
        "place": {"lon": west + 0.5, "lat": south + 0.5},
        "area": shapes[number % 4],
        "document": document if number % 3 == 0 else None,
        "details": json.dumps({"n": number, "list": [1, "zwei", None], "nested": {"ü": True}}, ensure_ascii=False),
    }
