"""Decode JSON strictly, and tell what was cut from what is broken.

Python's decoder takes NaN and Infinity, and makes infinity of ``1e999``; what is written from such values is no JSON.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

# What may stand where a decoder stumbles, and go on in the next piece: a word, a number, an escape, or nothing.
_BEGUN = re.compile(r"(?:t|tr|tru|f|fa|fal|fals|n|nu|nul|-|\.|[eE][+-]?|\\?u?[0-9a-fA-F]{0,4})\s*")
_BEGUN_CHARS = 16


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"the number {text[:20]} is larger than a number of JSON's readers can be")
    return number


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


BOM = b"\xef\xbb\xbf"
DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)
"""Takes one value; 64-bit integers stay exact (Q15)."""


def decode(body: bytes) -> Any:
    """Return the value that ``body`` is; a byte order mark before it is passed over.

    Raises:
        ValueError: It is no JSON, or holds a number that is none.
        RecursionError: It is nested too deeply.
    """
    return DECODER.decode(body.decode("utf-8-sig", errors="surrogatepass"))


def goes_on(error: ValueError) -> bool:
    """Return whether the text that ``error`` is about may be the beginning of JSON: it ended too early, that is all."""
    if isinstance(error, UnicodeDecodeError):
        return error.reason == "unexpected end of data"
    if not isinstance(error, json.JSONDecodeError):
        return False
    rest = error.doc[error.pos : error.pos + _BEGUN_CHARS]
    begun = len(rest) < _BEGUN_CHARS and _BEGUN.fullmatch(rest) is not None
    return begun or error.msg.startswith("Unterminated string")
