"""How many rows a portal leaves of a file: between two numbers, which are one where nothing is in doubt."""

from __future__ import annotations

from typing import Any

import pytest

from ods_provider.core.schema import Dataset, Field
from ods_provider.jobs.publishing.equal import Left, left_of


def _dataset(*names: str, keys: tuple[str, ...] = ()) -> Dataset:
    fields = (Field(name, "text", annotations={"id": True} if name in keys else {}) for name in names)
    return Dataset("d", tuple(fields))


def _left(records: list[dict[str, Any]], shown: Dataset | None = None) -> Left:
    return left_of(records, shown, check=lambda: None)


PAIRS = [
    ({"n": 1}, {"n": 1}, Left(1, 1)),
    ({"n": "1"}, {"n": "1.0"}, Left(1, 2)),
    ({"n": "2026-01-01T00:00:00Z"}, {"n": "2026-01-01T01:00:00+01:00"}, Left(1, 2)),
    ({"n": "True"}, {"n": "true"}, Left(1, 2)),
    ({"n": None, "m": 1}, {"m": 1}, Left(1, 1)),
    ({"n": ""}, {"n": None}, Left(1, 1)),
    ({"n": [1, {"b": 1, "a": 2}]}, {"n": [1, {"a": 2, "b": 1}]}, Left(1, 1)),
    ({"n": "a"}, {"n": "b"}, Left(2, 2)),
    ({"n": 10**17}, {"n": 10**17 + 1}, Left(1, 2)),
]


@pytest.mark.parametrize(("one", "other", "left"), PAIRS, ids=str)
def test_spellings_of_one_value_may_be_one_row(one: Any, other: Any, left: Left) -> None:
    assert _left([one, other]) == left


def test_key_fields_alone_tell_rows_apart() -> None:
    records = [{"Tree Id": "1", "n": n} for n in range(5)] + [{"Tree Id": "2", "n": 0}]
    assert _left(records, _dataset("tree_id", "n", keys=("tree_id",))) == Left(2, 2)
    # A key of another name may be any column.
    assert _left(records, _dataset("other", "n", keys=("other",))) == Left(1, 6)


def test_a_column_that_the_dataset_dropped_may_have_told_rows_apart() -> None:
    records = [{"name": "a", "n": n} for n in range(3)]
    assert _left(records, _dataset("name")) == Left(1, 3)
    # One that was renamed still does.
    assert _left(records, _dataset("name", "number")) == Left(3, 3)
