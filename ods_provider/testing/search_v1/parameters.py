"""The parameters of a call: repeated, dotted, numbers, windows.

Source: Search API v1.0, parameters of each endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from ods_provider.testing.search_v1.refusal import bad

WINDOW = 10_000
DEFAULT_ROWS = 10
_HIDDEN = ("apikey", "callback")


@dataclass(frozen=True)
class Parameters:
    """What a call asked, from its URL or its form."""

    given: QueryParams

    def one(self, name: str, default: str = "") -> str:
        """Return a parameter, or its default when it is absent or empty."""
        return self.given.get(name) or default

    def several(self, name: str) -> list[str]:
        """Return every value of a repeated parameter."""
        return [value for value in self.given.getlist(name) if value]

    def dotted(self, prefix: str) -> dict[str, list[str]]:
        """Return the values of ``prefix.NAME`` by name."""
        found: dict[str, list[str]] = {}
        for name, value in self.given.multi_items():
            if name.startswith(prefix + ".") and value:
                found.setdefault(name[len(prefix) + 1 :], []).append(value)
        return found

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        text = self.one(name)
        try:
            return int(text) if text else default
        except ValueError:
            raise bad(f"Invalid value for parameter {name}: {text}") from None

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean."""
        text = self.one(name).lower()
        return text in ("true", "1") if text else default

    @property
    def zone(self) -> str:
        """The time zone, UTC unless said."""
        name = self.one("timezone", "UTC")
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise bad(f"Invalid value for parameter timezone: {name}") from None
        return name

    def window(self) -> tuple[int, int]:
        """Return rows and start, which together end at 10,000.

        Raises:
            V1Refusal: 400 beyond it.
        """
        rows, start = self.number("rows", DEFAULT_ROWS), self.number("start", 0)
        if rows == -1:
            rows = max(0, WINDOW - start)
        if rows < 0 or start < 0 or rows + start > WINDOW:
            raise bad(f"start + rows must lie between 0 and {WINDOW}: {start + rows} was found")
        return rows, start

    def series(self) -> dict[str, dict[str, str]]:
        """Return ``y.S.func``, ``y.S.expr`` and ``y.S.cumulative`` by series, in the order they came."""
        found: dict[str, dict[str, str]] = {}
        for name, values in self.dotted("y").items():
            serie, dot, part = name.rpartition(".")
            if not dot or part not in ("func", "expr", "cumulative"):
                raise bad(f"Invalid parameter: y.{name}")
            found.setdefault(serie, {})[part] = values[-1]
        for serie, parts in found.items():
            if "func" not in parts:
                raise bad(f"Parameter y.{serie}.func is missing")
        return found

    def echo(self, **known: Any) -> dict[str, Any]:
        """Return the parameters as an answer repeats them, dotted ones nested."""
        shown: dict[str, Any] = {}
        for name in dict.fromkeys(self.given.keys()):
            if name in _HIDDEN or name in known:
                continue
            values = self.several(name)
            head, dot, tail = name.partition(".")
            place, key = (shown.setdefault(head, {}), tail) if dot else (shown, name)
            if isinstance(place, dict) and values:
                place[key] = values if name in ("facet", "sort") or len(values) > 1 else values[0]
        return shown | known
