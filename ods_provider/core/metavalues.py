"""What somebody typed as a value of metadata, as the value that a portal keeps; and when two of them are the same.

The rule, whichever way a value comes (Python, a template, a shell): it becomes what the template's description says of
its field (text, number, boolean, day, moment, list); where nothing is said, what the value that stands is; else it is
taken as it was typed, and a text that is JSON of a list, an object or a boolean is that. ``null`` takes a value back.

Source: Automation API v1.0, metadata templates (types of fields); single values where lists are due.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given, shown
from ods_provider.core.legible import kind_of
from ods_provider.core.times import parse_time

Kind = Literal["text", "boolean", "int", "double", "date", "datetime", "list"]
# Portals describe these as lists or not at all, and store a single one wrong.
_LISTS = frozenset({"keyword", "theme", "theme_id", "attributions", "tags", "geographic_reference"})
_DESCRIBED: dict[str, Kind] = {
    **dict.fromkeys(("text", "html", "longstring", "enum", "uri_enum"), "text"),
    **dict.fromkeys(("list", "enumlist", "uri_enumlist"), "list"),
    "boolean": "boolean",
    "int": "int",
    "double": "double",
    "date": "date",
    "datetime": "datetime",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NULL = "null"
_BEGINNINGS = tuple("[{tfTF")  # of lists, objects and booleans


def fitted(name: str, given: Any, described: str | None, stands: Any) -> tuple[Any, Kind | None]:
    """Return a value as its field keeps it, None for one that is taken back, and of which kind it is.

    Args:
        name: What it is called in errors: ``default.title``.
        given: What was typed.
        described: The type of its field as the portal describes it, None where it does not.
        stands: The value that is there now, None where there is none.

    Raises:
        OdsConfigError: It is not what the portal says of it, or an empty text, which a template may leave.
    """
    wanted = _kind(name.rpartition(".")[2], described, stands)
    if given is None or (isinstance(given, str) and given.strip() == _NULL):
        return None, wanted
    if not is_given(given):
        raise OdsConfigError(
            f"{name} is empty", where="argument metadata", advice="Give it a value; null takes back the one it has"
        )
    made = None if wanted is None else _MAKING[wanted](given)
    if made is None and wanted is not None and described in _DESCRIBED:
        raise OdsConfigError(
            f"{name}={shown(given)} {_SAID[wanted]}", where="argument metadata", advice=_ADVICE[wanted]
        )
    if wanted == "list" and made is not None and (described in _DESCRIBED or name.rpartition(".")[2] in _LISTS):
        made = [_entry(name, each) for each in made]
    # What only stands there guides, and forbids nothing.
    return (_as_typed(given) if made is None else made), wanted


def _entry(name: str, given: Any) -> str:
    made = None if given is None else _text(given)
    if made is None:
        kind = "null" if given is None else kind_of(given)
        raise OdsConfigError(
            f"{name} holds {kind} in place of a text", where="argument metadata", advice=_ADVICE["list"]
        )
    return str(made)


def same(one: Any, other: Any, wanted: Kind | None) -> bool:
    """Return whether two values of one kind say the same; moments do in every spelling."""
    if wanted in ("date", "datetime") and isinstance(one, str) and isinstance(other, str):
        moments = parse_time(one), parse_time(other)
        return one == other or (None not in moments and moments[0] == moments[1])
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def instant(moment: datetime) -> str:
    """Return a moment as portals spell it: in UTC, with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _kind(field: str, described: str | None, stands: Any) -> Kind | None:
    """Return what a value of a field is; None where nobody says."""
    if isinstance(stands, list) or (field in _LISTS and stands is None):
        return "list"
    if described in _DESCRIBED:
        return _DESCRIBED[described]
    types: dict[type, Kind] = {bool: "boolean", int: "int", float: "double", str: "text"}
    return types.get(type(stands))


def _as_typed(given: Any) -> Any:
    if isinstance(given, str):
        read = _read(given) if given.strip()[:1] in _BEGINNINGS else None
        return read if isinstance(read, (list, dict, bool)) else given
    if isinstance(given, (datetime, date)):
        return instant(_aware(given)) if isinstance(given, datetime) else given.isoformat()
    return _several(given) if isinstance(given, (tuple, set, frozenset)) else given


def _several(given: Iterable[Any]) -> list[Any]:
    # A set has no order, and shall differ from nothing because of that.
    return sorted(given, key=str) if isinstance(given, (set, frozenset)) else list(given)


def _read(given: str) -> Any:
    # Templates leave Python's spelling of a list, people type JSON.
    import ast

    for read in (json.loads, ast.literal_eval):
        try:
            return read(given)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _text(given: Any) -> Any:
    if isinstance(given, (datetime, date)):
        return _as_typed(given)
    # Native rendering makes a number of the text "2024".
    return str(given) if isinstance(given, (str, int, float)) and not isinstance(given, bool) else None


def _boolean(given: Any) -> Any:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    return words.get(str(given).strip().lower())


def _number(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def number(given: Any) -> Any:
        if isinstance(given, bool):
            return None
        try:
            made = make(str(given).strip())
        except ValueError:
            return None
        return made if math.isfinite(made) else None

    return number


def _date(given: Any) -> Any:
    if isinstance(given, date) and not isinstance(given, datetime):
        return given.isoformat()
    try:
        return date.fromisoformat(given.strip()).isoformat() if _DAY.fullmatch(str(given).strip()) else None
    except ValueError:
        return None


def _datetime(given: Any) -> Any:
    if isinstance(given, (datetime, date)):
        return instant(_aware(given))
    moment = parse_time(given) if isinstance(given, str) and _DAY.match(given.strip()) else None
    return None if moment is None else instant(moment)


def _aware(given: date) -> datetime:
    moment = given if isinstance(given, datetime) else datetime(given.year, given.month, given.day, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _list(given: Any) -> Any:
    if isinstance(given, str):
        read = _read(given) if given.strip().startswith("[") else None
        return read if isinstance(read, list) else [given]
    if isinstance(given, Mapping):
        return [given]
    return _several(given) if isinstance(given, (list, tuple, set, frozenset)) else [_as_typed(given)]


_MAKING: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "boolean": _boolean,
    "int": _number(int),
    "double": _number(float),
    "date": _date,
    "datetime": _datetime,
    "list": _list,
}
_SAID = {
    "text": "is no text",
    "boolean": "is neither true nor false",
    "int": "is no whole number",
    "double": "is no number",
    "date": "is no day",
    "datetime": "is no moment",
    "list": "is no list",
}
_ADVICE = {
    "text": "Pass text: the portal says that this field holds one",
    "boolean": "Use true or false",
    "int": "Pass a number",
    "double": "Pass a number",
    "date": "Pass a day, such as 2024-01-31",
    "datetime": "Pass a moment, such as 2024-01-31T00:00:00Z",
    "list": "Pass a list of texts",
}
