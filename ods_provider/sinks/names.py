"""Names that a portal gives, made safe to use as file names."""

from __future__ import annotations

import re
import unicodedata

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")
_RESERVED = re.compile(r"(?i)\A(con|prn|aux|nul|com\d|lpt\d)(\.|\Z)")
_MOST_BYTES = 180  # of 255 that filesystems allow: room for the temporary name's prefix and suffix


def safe_name(name: str | None, *, fallback: str = "file") -> str:
    """Return ``name`` as one file name: no folder, no control character, not hidden, no device, at most 180 bytes.

    Letters of any script stay; the ending stays when the name must be shortened.
    """
    # Half a character, as a cut emoji leaves it, has no encoding.
    text = unicodedata.normalize("NFC", name or "").encode(errors="replace").decode()
    # Slashes become underscores, and what "../" leaves of itself goes with the leading dots.
    text = _UNSAFE.sub("_", text).strip(" .").lstrip("._ ")
    if not text.strip("_"):
        text = fallback
    if _RESERVED.match(text):
        text = f"_{text}"
    return _shortened(text)


def _shortened(text: str) -> str:
    if len(text.encode()) <= _MOST_BYTES:
        return text
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = text, "", ""
    room = _MOST_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending


def unique_names(names: list[str]) -> list[str]:
    """Return the names with repeated ones numbered (``photo.jpg``, ``photo-2.jpg``), whatever their case.

    Two names that differ only in case are one file on some filesystems.
    """
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate.casefold() in taken:
            number += 1
            stem, dot, ending = name.rpartition(".")
            candidate = f"{stem}-{number}.{ending}" if dot and stem else f"{name}-{number}"
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
