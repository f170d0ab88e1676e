"""What is asked for with ``facet``: a name, or a call ``facet(name="country", sort="alphanum", limit=20)``.

Source: Explore v2.1 common parameters, ``facet``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsConfigError

Values = list[tuple[Any, int]]

_CALL = re.compile(r"\s*facet\s*\((.*)\)\s*\Z", re.IGNORECASE | re.DOTALL)
_ARGUMENT = re.compile(r"""\s*(?:(\w+)\s*=\s*)?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^,\s"']+)\s*(?:,|\Z)""")
_SORTS = ("count", "-count", "alphanum", "-alphanum", "num", "-num")


@dataclass(frozen=True, slots=True)
class Facet:
    """One facet that is asked for.

    Attributes:
        text: As it goes into the request.
        name: The field.
        separator: What parts the levels of a hierarchical one, None unless it was said.
        sort: One of count, alphanum, num, each with a minus for the other way; None sorts by count.
        limit: Values at most; None wants all.
    """

    text: str
    name: str
    separator: str | None = None
    sort: str | None = None
    limit: int | None = None

    @classmethod
    def of(cls, text: str) -> Facet:
        """Return what ``text`` asks for.

        Raises:
            OdsConfigError: It is a call that cannot be read.
        """
        call = _CALL.match(text)
        if not call:
            return cls(text, text.strip())
        given = _arguments(call[1], text)
        limit = given.get("limit", "")
        sort = given.get("sort")
        if "name" not in given or (limit and not limit.isdigit()) or (sort is not None and sort not in _SORTS):
            raise _unread(text)
        hierarchical = given.get("hierarchical", "").lower() == "true" or "separator" in given
        separator = given.get("separator", "/") if hierarchical else None
        return cls(text, given["name"], separator, sort, int(limit) if limit else None)

    def arranged(self, values: Iterable[tuple[Any, int]]) -> Values:
        """Return values in the order asked for, no more than asked for."""
        pairs = sorted(values, key=lambda pair: (-pair[1], str(pair[0])))
        way = (self.sort or "-count").lstrip("-")
        if way == "alphanum":
            pairs.sort(key=lambda pair: str(pair[0]), reverse=self.sort == "-alphanum")
        elif way == "num":
            pairs.sort(key=lambda pair: _number(pair[0]), reverse=self.sort == "-num")
        elif self.sort == "count":
            pairs.reverse()
        return pairs if self.limit is None else pairs[: self.limit]


def _arguments(inside: str, text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    at = 0
    while at < len(inside):
        found = _ARGUMENT.match(inside, at)
        if not found:
            raise _unread(text)
        value = found[2]
        if value[0] in "\"'":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        given[found[1].lower() if found[1] else "name"] = value
        at = found.end()
    return given


def _unread(text: str) -> OdsConfigError:
    return OdsConfigError(
        f"the facet {text!r} cannot be read",
        where="argument facet",
        advice=f'Write facet(name="field", sort="alphanum", limit=20); sort is one of {", ".join(_SORTS)}',
    )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("inf")


def folded(values: Iterable[tuple[Any, int]], separator: str) -> Values:
    """Return values counted by their first level, as a hierarchical facet lists them."""
    counted: dict[str, int] = {}
    for value, count in values:
        first = str(value).partition(separator)[0]
        counted[first] = counted.get(first, 0) + count
    return list(counted.items())
