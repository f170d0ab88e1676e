"""Names that a portal gives, made safe to use as file names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:*?\"<>|]+")
_JOINERS = "\u200c\u200d"  # which Persian, Hindi and emojis are written with
_RESERVED = re.compile(r"(?i)\A(con|prn|aux|nul|com\d|lpt\d)(\.|\Z)")
_MOST_BYTES = 180  # of 255 that filesystems allow: room for the temporary name's prefix and suffix


def safe_name(name: str | None, *, fallback: str = "file") -> str:
    """Return ``name`` as one file name: no folder, no control character, not hidden, no device, at most 180 bytes.

    Letters of any script stay; the ending stays when the name must be shortened. Nothing turns the direction of the
    text, so that ``gpj.exe`` cannot be shown as ``exe.jpg``, and no name is an option of a command (``-rf``).
    """
    # Half a character, as a cut emoji leaves it, has no encoding.
    text = unicodedata.normalize("NFC", name or "").encode(errors="replace").decode()
    # Slashes become underscores, and what "../" leaves of itself goes with the leading dots.
    text = _UNSAFE.sub("_", text if text.isascii() else "".join(map(_visible, text))).strip(" .").lstrip("._- ")
    if not text.strip("_" + _JOINERS):
        text = fallback
    if _RESERVED.match(text):
        text = f"_{text}"
    return _shortened(text)


def _visible(char: str) -> str:
    # Cf: formats and directions; Zl and Zp: line and paragraph separators.
    return "_" if unicodedata.category(char) in ("Cf", "Zl", "Zp") and char not in _JOINERS else char


def _shortened(text: str, most_bytes: int = _MOST_BYTES) -> str:
    if len(text.encode()) <= most_bytes:
        return text
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = text, "", ""
    room = most_bytes - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending


def stands_apart(key: str, keys: Iterable[str] | None) -> bool:
    """Return whether the safe name of ``key`` is that of no other, also where capitals and small letters are one.

    Args:
        key: Any text.
        keys: All of them; None where they are not known, and only a safe name without capitals stands apart for sure.
    """
    safe = safe_name(key)
    folded = safe.casefold()
    if keys is None:
        return safe == key == folded
    return not any(other != key and safe_name(other).casefold() == folded for other in keys)


def name_apart(key: str, keys: Iterable[str] | None) -> str:
    """Return ``key`` as a file name that no other key has: its safe name, with a digest unless it stands apart.

    Args:
        key: Any text.
        keys: All of them; None where they are not known.
    """
    safe = safe_name(key)
    if stands_apart(key, keys):
        return safe
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:12]
    # Room for the digest, of a name that is as long as it may be.
    return f"{_shortened(safe, _MOST_BYTES - len(digest) - 1)}-{digest}"


def unique_names(names: list[str]) -> list[str]:
    """Return the names with repeated ones numbered (``photo.jpg``, ``photo-2.jpg``), whatever their case.

    Two names that differ only in case are one file on some filesystems.
    """
    taken: set[str] = set()
    last: dict[str, int] = {}  # so that ten thousand of one name are not counted from the beginning each
    result = []
    for name in names:
        candidate, number = name, last.get(name, 1)
        while candidate.casefold() in taken:
            number += 1
            stem, dot, ending = name.rpartition(".")
            candidate = f"{stem}-{number}.{ending}" if dot and stem else f"{name}-{number}"
        last[name] = number
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
