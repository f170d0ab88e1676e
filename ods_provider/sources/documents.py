"""JSON documents record by record: an array, a list within objects, the features of a GeoJSON, or one object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ods_provider.core.legible import kind_of
from ods_provider.core.strictjson import DECODER
from ods_provider.sources.delimited import Bad, Record
from ods_provider.sources.jsontext import listed
from ods_provider.sources.recordfiles import EXACT, TwiceNamed

_SPACE = b" \t\r\n\xef\xbb\xbf"
_HEAD = 65_536
SHAPE = "geo_shape"
"""What a feature's geometry is called as a field."""


def json_records(file: Any, *, bad: Bad, root: str = "", within: str = "") -> Iterator[Record]:
    """Yield the objects of a JSON array in constant memory; a document that is an object is read whole, as one record.

    Args:
        file: Bytes.
        bad: Makes the error that says what is wrong with it.
        root: Where the array lies in a document that is an object: names joined by dots.
        within: Where the record lies in each of its elements.

    Raises:
        OdsConfigError: It is neither, or there is more than one.
    """
    stream = _Peeked(file)
    way, inner = _names(root), _names(within)
    if way or stream.peek(_HEAD).lstrip(_SPACE).startswith(b"["):
        for number, element in enumerate(listed(stream, way, bad=bad)):
            yield _object(element, inner, number, bad)
        return
    yield _object(_whole(stream, bad), inner, 0, bad)


def features(file: Any, *, bad: Bad) -> Iterator[Record]:
    """Yield the features of a GeoJSON collection, in constant memory: what they are, and where.

    Raises:
        OdsConfigError: It is no such collection, or more than one.
    """
    # The last digits of coordinates are no data: they are not held to be exact.
    for number, feature in enumerate(listed(file, ("features",), bad=bad, decoder=DECODER)):
        own = (feature.get("properties") or {}) if isinstance(feature, dict) else None
        if not isinstance(own, dict):
            raise bad(f"the collection holds something that is no feature (element {number})")
        yield {**own, SHAPE: feature.get("geometry")}


class _Peeked:
    """A file whose beginning may be looked at."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._held = b""

    def peek(self, size: int) -> bytes:
        self._held = bytes(self._file.read(size))
        return self._held

    def read(self, size: int = -1) -> bytes:
        held, self._held = self._held, b""
        return held or bytes(self._file.read(size))


def _names(path: str) -> list[str]:
    # ``$`` is the document itself, as some write it.
    return [name for name in path.split(".") if name not in ("", "$")]


def _object(element: Any, inner: list[str], number: int, bad: Bad) -> Record:
    for name in inner:
        if not isinstance(element, dict) or name not in element:
            raise bad(f"element {number} of the JSON array has no object at {'.'.join(inner)}")
        element = element[name]
    if not isinstance(element, dict):
        raise bad(f"element {number} of the JSON array is {kind_of(element)}, and no object")
    return element


def _whole(stream: _Peeked, bad: Bad) -> Any:
    try:
        return EXACT.decode(b"".join(iter(stream.read, b"")).decode("utf-8-sig"))
    except TwiceNamed as error:
        raise bad(f"the file names {error} twice in one object") from None
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise bad(f"the file is not valid JSON: {error}") from None
        raise bad(
            f"the JSON has an end, and more text follows at line {error.lineno:,}: write its records as one array, or "
            "as JSON lines (.jsonl)"
        ) from None
    except (ValueError, RecursionError) as error:
        raise bad(f"the file is not valid JSON: {error}") from None
