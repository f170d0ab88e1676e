"""Which type a field has that nobody typed: the narrowest that its first rows fit.

Source: our reading; portals propose types, and no document says how.
"""

from __future__ import annotations

from typing import Any

from ods_provider.testing.backoffice.extraction.casting import cast
from ods_provider.testing.backoffice.extraction.raw import Raw, RawField
from ods_provider.testing.schema import Column, quoted

# A whole number with a zero in front is a code, and no number.
_CODE = r"'^\s*[+-]?0\d'"
_PLACE = r"'^\s*[+-]?\d+(\.\d+\s*,\s*[+-]?\d+\.\d+|(\.\d+)?\s*,\s+[+-]?\d+(\.\d+)?)\s*$'"
_OF_TEXT = ("int", "double", "date", "datetime", "geo_point_2d")
_OF_NATURAL = {"words": ("date", "datetime", "geo_point_2d"), "nested": ("geo_point_2d", "geo_shape")}


def types(raw: Raw, cursor: Any, *, rows: int) -> dict[str, str]:
    """Return the type of every field of a source.

    Args:
        raw: The source.
        cursor: A cursor of DuckDB.
        rows: How many rows decide.
    """
    asked: list[tuple[str, str]] = []
    for field in raw.fields:
        asked += [(field.name, kind) for kind in _candidates(field)]
    found = dict.fromkeys((field.name for field in raw.fields), "text")
    found |= {field.name: field.natural for field in raw.fields if field.natural and field.natural not in _OF_NATURAL}
    if not asked:
        return found
    checks = ", ".join(_fits(quoted(name), kind) for name, kind in asked)
    some = f"(SELECT * FROM ({raw.sql}) LIMIT {int(rows)})"  # noqa: S608  made of quoted names
    answers = cursor.execute(f"SELECT {checks} FROM {some}").fetchone()  # noqa: S608  as above
    decided: set[str] = set()
    for (name, kind), fits in zip(asked, answers, strict=True):
        if fits and name not in decided:
            found[name] = kind
            decided.add(name)
    return found


def _candidates(field: RawField) -> tuple[str, ...]:
    return _OF_TEXT if field.natural is None else _OF_NATURAL.get(field.natural, ())


def _fits(cell: str, kind: str) -> str:
    value = cast(cell, Column("", kind))
    if kind in ("int", "double"):
        value = f"CASE WHEN NOT regexp_matches({cell}, {_CODE}) THEN {value} END"
    elif kind == "geo_point_2d":
        # A list of two numbers may be anything, and so may a text such as 1,5, which is a number in half of Europe: no
        # source says that portals take it for a place. A place has a decimal point on both sides, or a blank between.
        sure = f"regexp_matches({cell}, {_PLACE}) OR starts_with(trim({cell}), '{{')"
        near = f"({value}).lat BETWEEN -90 AND 90 AND ({value}).lon BETWEEN -180 AND 180"
        value = f"CASE WHEN ({sure}) AND {near} THEN {value} END"
    elif kind == "date":
        # Years alone are numbers, and a moment is more than its day.
        value = f"CASE WHEN length(trim({cell})) BETWEEN 8 AND 10 THEN {value} END"
    return f"count({cell}) > 0 AND count({cell}) = count({value})"
