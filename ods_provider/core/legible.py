"""Foreign text made fit for a terminal, a log line or a page: one line, nothing that steers what shows it, bounded."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

MOST_CHARS = 2000  # of one piece of a message: a screenful

# Not printable to Python, harmless to terminals, and parts of words in Persian, in Indic scripts and in emoji.
_JOINERS = "\u200c\u200d"
_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def legible(text: str, *, most_chars: int | None = None) -> str:
    """Return ``text`` on one line, with what a terminal or a log would obey shown as an escape.

    Line breaks and tabs become spaces; controls, marks that turn the direction of writing and halves of surrogates are
    escaped. Letters, signs and spaces of every script stay.

    Args:
        text: Anything that somebody else wrote.
        most_chars: Cut what is longer, and say so by ``…``; None cuts nothing.
    """
    if most_chars is not None and len(text) > most_chars:
        text = f"{text[:most_chars]}…"
    return text if text.isprintable() else text.translate(_SHOWN)


def kind_of(value: Any) -> str:
    """Return the name of a value's type with its article: ``a str``, ``an int``."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


class _Shown:
    """What ``str.translate`` asks for each sign."""

    def __getitem__(self, code: int) -> str:
        sign = chr(code)
        if sign in _BREAKS:
            return " "
        if sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs":
            raise LookupError  # as it is
        return sign.encode("unicode_escape").decode()


_SHOWN = _Shown()


def legible_json(text: str) -> str:
    """Return JSON text with the same value in which nothing steers a terminal: only its strings hold such signs."""
    return text if text.isprintable() else text.translate(_ESCAPED)


def escaped_json(text: str) -> str:
    """Return JSON text with the same value in ASCII alone: only its strings hold other signs."""
    return re.sub(r"[^\x00-\x7f]", lambda sign: _escape(ord(sign[0])), text)


def _escape(code: int) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _utf16(code))


class _Escaped:
    def __getitem__(self, code: int) -> str:
        sign = chr(code)
        # Line breaks and tabs stand between values, and are escaped within them.
        if sign in "\t\n\r" or sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs":
            raise LookupError
        return _escape(code)


def _utf16(code: int) -> tuple[int, ...]:
    return (code,) if code < 0x10000 else (0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF))


_ESCAPED = _Escaped()
