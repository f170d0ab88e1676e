"""Batches as SQLite takes them: whole numbers and texts are its own, the rest has a form that loses nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ods_provider.tables.columns import Column, Kind

if TYPE_CHECKING:
    import pyarrow as pa


def bound(batch: pa.RecordBatch, columns: tuple[Column, ...], nothing: Counter[str]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a batch as SQLite takes them; NaN are counted by column in ``nothing``."""
    import pyarrow.compute as pc

    listed = []
    for column, array in zip(columns, batch.columns, strict=True):
        if column.kind == "double":
            nothing[column.name] += pc.is_nan(array).true_count
        listed.append(_MADE.get(column.kind, _as_it_is)(array))
    return zip(*listed, strict=True)


def _as_it_is(array: Any) -> list[Any]:
    return list(array.to_pylist())


def _dates(array: Any) -> list[str | None]:
    import pyarrow as pa

    return list(array.cast(pa.string()).to_pylist())


def _moments(array: Any) -> list[str | None]:
    """Return what ``isoformat`` says of each moment, twenty times as fast."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = array.cast(pa.timestamp("us")).cast(pa.string())
    for old, new in ((" ", "T"), (".000000", "")):
        text = pc.replace_substring(text, pattern=old, replacement=new)
    joined: Any = pc.binary_join_element_wise(text, "+00:00", "")
    return list(joined.to_pylist())


def _decimals(array: Any) -> list[str | None]:
    return [None if value is None else _digits(value) for value in array.to_pylist()]


def _digits(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# Texts of dates and moments sort as those do; a float would lose digits of a decimal.
_MADE: dict[Kind, Callable[[Any], list[Any]]] = {"decimal": _decimals, "date": _dates, "datetime": _moments}
