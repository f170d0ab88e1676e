"""Load only what is new: from which value of a field on, and how that is asked of the portal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.odsql import identifier, literal
from ods_provider.core.schema import Dataset
from ods_provider.core.spans import span_said

_ORDERED = ("int", "double", "date", "datetime")
_DAY = timedelta(days=1)
Lag = timedelta | float | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A field whose values grow with time, and how far back rows may still come or change.

    Rows without a value of it are loaded each time: nothing tells when they came.

    Args:
        field: An int, a double, a date or a datetime.
        lag: How far before the highest value that was loaded rows are asked for again: a span for dates and moments,
            a number for numbers. None asks for that value again and what is above it.
    """

    field: str
    lag: Lag = None

    def expect_in(self, dataset: Dataset) -> str:
        """Return the field's type.

        Raises:
            OdsConfigError: The dataset has no such field, or its values have no order, or the lag is of another kind.
        """
        found = dataset.field(self.field)
        kind = found.type if found is not None else None
        if found is None or kind not in _ORDERED or found.multivalued:
            fit = ", ".join(each.name for each in dataset.fields if each.type in _ORDERED and not each.multivalued)
            what = f"is {kind}" if kind else "is no field"
            raise OdsConfigError(
                f"cursor={self.field!r} {what} of {dataset.dataset_id}, so that it cannot tell what is new",
                where="argument cursor",
                advice=f"Name one of {fit}" if fit else "This dataset has no number, date or datetime: load it whole",
            )
        spans = kind in ("date", "datetime")
        if self.lag is not None and isinstance(self.lag, timedelta) is not spans:
            raise OdsConfigError(
                f"lag={str(self.lag)!r} does not fit a cursor of type {kind}",
                where="argument lag",
                advice='Write "3 days" or so' if spans else "Write a number, in the field's own unit",
            )
        return kind

    def start(self, kind: str, watermark: Any) -> Any:
        """Return the lowest value to ask for, None for all.

        Args:
            kind: The field's type.
            watermark: The highest value that was loaded, as JSON has it; None when nothing was.
        """
        if watermark is None:
            return None
        if kind == "datetime":
            return datetime.fromisoformat(watermark) - (self.lag if isinstance(self.lag, timedelta) else timedelta())
        if kind == "date":
            lag = self.lag if isinstance(self.lag, timedelta) else timedelta()
            return date.fromisoformat(watermark) - -(-lag // _DAY) * _DAY
        return watermark - self.lag if isinstance(self.lag, int | float) else watermark

    def clause(self, start: Any) -> str:
        """Return the ``where`` clause of the rows from ``start`` on, and of those without a value."""
        name = identifier(self.field)
        return f"({name} >= {literal(start)} OR {name} IS NULL)"


def lag_of(given: Any) -> Lag:
    """Return a lag as users write it: ``3 days``, ``36h``, a number, a timedelta; None where none was given.

    Raises:
        OdsConfigError: It is none of these.
    """
    if given is None or isinstance(given, timedelta):
        return given
    said = str(given).strip().lower()
    if said in ("", "none"):
        return None
    try:
        number = float(said)
    except ValueError:
        span = span_said(said)
        if span is None:
            raise _bad_lag(said) from None
        return span
    if not 0 <= number < math.inf:
        raise _bad_lag(said)
    return int(number) if number.is_integer() else number


def as_json(value: Any) -> Any:
    """Return a value of a cursor as a watermark is kept."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _bad_lag(said: str) -> OdsConfigError:
    return OdsConfigError(
        f"lag={said!r} is no span and no number",
        where="argument lag",
        advice='Write "3 days", "36 hours" or "90 min" for dates and moments, a number for numbers',
    )
