"""The parameters of Search API v1.0 as a mapping, flattened to what goes over the wire.

Source: Search API v1.0, parameters of each endpoint; Q13 (the time zone is always sent).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import setting
from ods_provider.core.given import mapping, whole_number
from ods_provider.core.legible import kind_of
from ods_provider.core.wire import Params

WINDOW_ROWS = 10_000
"""Largest ``start + rows``; beyond it only a download reads on."""

PAGE_ROWS = 1_000
"""Rows that are asked for at a time: portals once allowed no more, now they allow 10,000."""

_FILTERS = ("q", "timezone", "lang")
_FILTER_GROUPS = ("refine.", "exclude.", "disjunctive.", "geofilter.")
_OF_THE_OTHER = {
    "where": "q=, or refine.FACET=",
    "select": "fields=",
    "order_by": "sort=, whose sign is reversed",
    "group_by": "x= of an analysis",
    "limit": "rows=",
    "offset": "start=",
}
_SECRETS = ("apikey", "pushkey", "access_token")


@dataclass(frozen=True, slots=True)
class V1Query:
    """The parameters of one call, in order; a name may repeat."""

    params: Params = ()

    @classmethod
    def of(cls, given: Any = None) -> V1Query:
        """Return the query that a mapping describes.

        Args:
            given: That API's own parameters: dotted (``{"refine.city": "Paris"}``) or nested (``{"refine": {"city":
                "Paris"}}``). A list repeats the parameter (``{"x": ["country", "year"]}``), but for ``fields``,
                ``sort`` and the geofilters, whose values are joined by commas. Text is taken too, JSON or Python's
                spelling, which templates leave.

        Raises:
            OdsConfigError: It is no mapping, or holds a credential, a word of the other API, or a value that cannot
                be sent.
        """
        if given is None or isinstance(given, str):
            given = mapping("v1", given) or {}
        if not isinstance(given, Mapping):
            raise _wrong(f"v1 is {kind_of(given)}", 'Pass a mapping: {"q": "paris", "rows": 20}')
        params = tuple(_flat("", given))
        secret = next((name for name, _ in params if name in _SECRETS), None)
        if secret:
            raise _wrong(f"{secret} does not belong into a query", f"It goes into {setting('api_key')}")
        newer = next((name for name, _ in params if name in _OF_THE_OTHER), None)
        if newer:
            # A portal leaves it out without a word, and answers with every row.
            raise _wrong(f"{newer} is a word of Explore API v2.1", f"Say {_OF_THE_OTHER[newer]}")
        if not any(name == "timezone" for name, _ in params):
            params = (*params, ("timezone", "UTC"))
        return cls(params)

    def get(self, name: str) -> str | None:
        """Return a parameter, the last one where it repeats."""
        return next((value for key, value in reversed(self.params) if key == name), None)

    def number(self, name: str) -> int | None:
        """Return a parameter as a whole number of at least 0, None when it is absent."""
        return whole_number(name, self.get(name))

    def having(self, **changed: Any) -> V1Query:
        """Return the query with parameters set anew; None takes one away."""
        kept = tuple((name, value) for name, value in self.params if name not in changed)
        return V1Query((*kept, *((name, str(value)) for name, value in changed.items() if value is not None)))

    def filters_only(self) -> V1Query:
        """Return the query reduced to what decides which rows match."""
        return V1Query(
            tuple((name, value) for name, value in self.params if name in _FILTERS or name.startswith(_FILTER_GROUPS))
        )

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the rows."""
        narrow = ("q", "refine.", "exclude.", "geofilter.")
        return any(name.startswith(narrow) for name, value in self.params if value)

    def expect_json(self) -> V1Query:
        """Return the query without a format: rows are read from JSON.

        Raises:
            OdsConfigError: Another format, or a callback, is asked for.
        """
        if self.get("callback") or self.get("format") not in (None, "json"):
            raise _wrong("format and callback are not for rows", "Use the download for files in other formats")
        return self.having(format=None)


def _flat(prefix: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(f"{name}.", value)
        elif isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            if value is not None:
                yield name, _text(value)
        elif name in ("fields", "sort") or name.startswith("geofilter."):
            joined = ",".join(_item(item) for item in value)
            if joined:
                yield name, joined
        else:
            yield from ((name, _text(item)) for item in value)


def _item(value: Any) -> str:
    # A corner of a polygon is a pair.
    if isinstance(value, (list, tuple)):
        return f"({','.join(_text(part) for part in value)})"
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, (Mapping, list, tuple, set, bytes)):
        raise _wrong(f"{kind_of(value)} has no place in a list of values", "Pass texts and numbers")
    return str(value)


def _wrong(what: str, advice: str) -> OdsConfigError:
    return OdsConfigError(what, where="parameters of Search API v1.0", advice=advice)
