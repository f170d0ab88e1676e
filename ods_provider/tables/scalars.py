"""Read columns of plain values as the portal's schema says, whatever a portal's Parquet holds them as; lose nothing.

Each reader takes a whole array, casts it where Arrow can, and looks at single values only where it cannot. It raises a
``ValueError`` (Arrow's are) at a value that it cannot read without loss; who called it finds out which.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from ods_provider.tables.arrow import Array, DataType, pa, pc
from ods_provider.tables.columns import arrow_type
from ods_provider.tables.portaltypes import is_bytes, is_text

Read = Callable[[Array], Array]

_MOMENT = arrow_type("datetime")
_EXACT = 2**53  # the largest whole number up to which a double knows all
_MONTH_CHARS, _DAY_CHARS = len("2020-01"), len("2020-01-31")
_FINER = re.compile(r"[.,]\d{6}\d*[1-9]")  # than microseconds


def plain(array: Array) -> Array:
    """Return an array without dictionaries and extensions, its texts and bytes in the ordinary layout.

    Raises:
        ValueError: A text is no UTF-8.
    """
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if pa.types.is_dictionary(array.type):
        return plain(array.dictionary_decode())
    if is_text(array.type):
        texts = array.cast(pa.string())
        texts.validate(full=True)
        return texts
    return array.cast(pa.binary()) if is_bytes(array.type) else array


def read_text(array: Array) -> Array:
    """Return texts; of what has no kind of its own, such as times of a day, as ISO 8601 has it."""
    texts = array.cast(pa.string())
    if is_bytes(array.type):
        texts.validate(full=True)
    return texts


def read_int(array: Array) -> Array:
    """Return whole numbers of 64 bits (Q15); doubles that are whole are taken up to where they are exact."""
    if pa.types.is_floating(array.type):
        doubles = array.cast(pa.float64())
        if pc.any(pc.greater(pc.abs(doubles), float(_EXACT))).as_py():
            raise ValueError("a double is not exact beyond 2^53")
        return doubles.cast(pa.int64())
    return _trimmed(array).cast(pa.int64())


def read_double(array: Array) -> Array:
    """Return doubles, NaN and infinities among them; whole numbers up to where a double is exact."""
    if is_text(array.type):
        doubles = _trimmed(array).cast(pa.float64())
        named = pc.match_substring(array, "inf", ignore_case=True)
        if pc.any(pc.and_(pc.is_inf(doubles), pc.invert(named))).as_py():
            raise ValueError("it is larger than a double can be")
        return doubles
    if pa.types.is_decimal(array.type):
        # By its digits: Arrow's own cast multiplies, and misses the nearest double by one in a third of all values.
        return array.cast(pa.string()).cast(pa.float64())
    return array.cast(pa.float64())


def read_bool(array: Array) -> Array:
    """Return what is true; of numbers, 0 and 1 only."""
    if pa.types.is_integer(array.type) and pc.any(pc.greater(pc.abs(array.cast(pa.int64())), 1)).as_py():
        raise ValueError("only 0 and 1 are booleans")
    return _trimmed(array).cast(pa.bool_())


def read_decimal(array: Array) -> Array:
    """Return decimals of 38 digits, 9 of them after the point."""
    return array.cast(arrow_type("decimal"))


def read_date(told: str | None) -> Read:
    """Return what reads dates.

    Args:
        told: ``year`` or ``month`` where the portal says that dates are no more precise: then ``2020`` is the first day
            of that year, and ``1984-12`` that of that month (Q14). None where they have a day.
    """

    def read(array: Array) -> Array:
        if pa.types.is_timestamp(array.type):
            moments = read_datetime(array)
            days = pc.cast(pc.floor_temporal(moments, unit="day"), pa.date32())
            if pc.any(pc.not_equal(days.cast(_MOMENT), moments)).as_py():
                raise ValueError("a date has no time of day")
            return days
        if not is_text(array.type):
            return array.cast(pa.date32())
        texts = _trimmed(array)
        if told == "year":
            texts = pc.replace_substring_regex(texts, r"^(\d{4})$", r"\1-01-01")
        if told:
            texts = pc.replace_substring_regex(texts, r"^(\d{4}-\d{2})$", r"\1-01")
        return _cast_or_each(texts, pa.date32(), _date)

    return read


def read_datetime(array: Array) -> Array:
    """Return moments in UTC, to the microsecond; a time without a zone is UTC (Q26), a date its midnight."""
    if not is_text(array.type):
        moments = array.cast(pa.timestamp("us", getattr(array.type, "tz", None)))
        return moments.cast(_MOMENT)
    return _cast_or_each(_trimmed(array), _MOMENT, _moment)


def _trimmed(array: Array) -> Array:
    return pc.utf8_trim_whitespace(array) if is_text(array.type) else array


def _cast_or_each(texts: Array, type_: DataType, one: Callable[[str], Any]) -> Array:
    try:
        return texts.cast(type_)
    except pa.ArrowInvalid:
        return pa.array([None if text is None else one(text) for text in texts.to_pylist()], type_)


def _date(text: str) -> date:
    if len(text) == _DAY_CHARS:
        return date.fromisoformat(text)
    moment = _moment(text) if len(text) > _DAY_CHARS else None
    if moment is None:
        raise ValueError("it has no day, and the portal does not say that its dates have none")
    if moment.astimezone(UTC).time() != time():
        raise ValueError("a date has no time of day")
    return moment.date()


def _moment(text: str) -> datetime:
    if _FINER.search(text):
        raise ValueError("it is finer than a microsecond")
    if len(text) <= _MONTH_CHARS:
        raise ValueError("it has no day")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
