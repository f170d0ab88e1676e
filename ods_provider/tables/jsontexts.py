"""JSON texts: of lists and objects as Arrow has them, of texts that are JSON already, and of joined values."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, time
from typing import Any

from ods_provider.core.formats.jsonvalid import best_reader
from ods_provider.core.strictjson import DECODER
from ods_provider.tables.arrow import Array, pa
from ods_provider.tables.portaltypes import is_bytes, is_text


def read_json(array: Array) -> Array:
    """Return JSON texts: a text as it stands, which must be JSON; all else written down, exactly.

    Letters stand as themselves, whole numbers keep all digits, doubles are as short as they can be exactly.

    Raises:
        ValueError: A text is no JSON, or a number none that JSON has.
    """
    if not (is_text(array.type) or is_bytes(array.type)):
        return pa.array([None if value is None else written(value) for value in array.to_pylist()], pa.string())
    texts = array.cast(pa.string())
    expect_whole = best_reader().expect_whole
    # As bytes: what is checked is not decoded first.
    for text in texts.cast(pa.binary()).to_pylist():
        if text is not None:
            expect_whole(text)
    return texts


class Several:
    """Reads fields of several values: lists, JSON lists in a text, or texts joined by the separator of the field.

    Args:
        separator: What the portal says that values are joined by; anything but a text that is not empty is none.
    """

    def __init__(self, separator: Any) -> None:
        self._separator = separator if isinstance(separator, str) and separator else None

    def __call__(self, array: Array) -> Array:
        """Return JSON lists."""
        if not is_text(array.type):
            return read_json(array)
        return pa.array([None if text is None else self._one(text) for text in array.to_pylist()], pa.string())

    def _one(self, text: str) -> str:
        if text.startswith("[") and text.endswith("]"):
            try:
                DECODER.decode(text)
                return text
            except (ValueError, RecursionError):
                pass
        return written(text.split(self._separator) if self._separator else [text])


def written(value: Any) -> str:
    """Return a value as JSON: compact, letters as themselves.

    Raises:
        ValueError: It holds a number that JSON has not.
    """
    return _ENCODER.encode(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


# Without a check for circles, which values of Arrow cannot have.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"), default=_plain
)
