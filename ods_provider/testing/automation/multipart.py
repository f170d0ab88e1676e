"""Uploads as they come: parts of a form, a file among them straight to disk, so that memory holds a piece of it only.

Source: Automation API v1.0, files (multipart, a part ``file`` with a name).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from ods_provider.testing.backoffice.trouble import bad_request, too_large

MOST_TEXT_BYTES = 65_536


@dataclass
class Form:
    """What came: texts by name, and one file."""

    texts: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    filename: str = ""
    mimetype: str | None = None
    size_bytes: int = 0


@dataclass
class _Part:
    name: str
    filename: str | None
    mimetype: str | None
    text: bytearray = field(default_factory=bytearray)


async def received(pieces: AsyncIterator[bytes], content_type: str, target: Path, *, most_bytes: int) -> Form:
    """Return a form, its part ``file`` written to ``target``.

    Args:
        pieces: The body as it arrives.
        content_type: Its header, which holds the boundary.
        target: Where the file goes; nothing stays there when the form is refused or breaks off.
        most_bytes: Largest file.

    Raises:
        Refused: It is no form, it is too large, or it breaks off.
    """
    found = re.search(r'boundary="?([^";,]+)"?', content_type)
    if not content_type.startswith("multipart/form-data") or found is None:
        raise bad_request("The body must be multipart/form-data with a file")
    form = Form()
    try:
        with target.open("wb") as file:
            await _read(pieces, b"\r\n--" + found[1].encode(), form, file, most_bytes)
        if form.filename:
            form.path = target
    finally:
        if form.path is None:
            target.unlink(missing_ok=True)  # noqa: ASYNC240  as fast as anything here
    return form


async def _read(pieces: AsyncIterator[bytes], mark: bytes, form: Form, file: BinaryIO, most_bytes: int) -> None:
    # The first boundary has no line before it.
    held, part, ended = b"\r\n", None, False
    async for piece in pieces:
        held += piece
        while not ended:
            if part is None:
                head = _head(held, mark)
                if head is None:
                    break
                part, held, ended = head
                continue
            at = held.find(mark)
            # A boundary may be cut between two pieces.
            ready, held = (held[:at], held[at:]) if at >= 0 else (held[: -len(mark)], held[-len(mark) :])
            _take(part, ready, form, file, most_bytes)
            if at < 0:
                break
            if part.filename is None:
                form.texts[part.name] = part.text.decode("utf-8", "replace")
            part = None
    if not ended:
        form.filename = ""
        raise bad_request("The upload broke off")


def _head(held: bytes, mark: bytes) -> tuple[_Part | None, bytes, bool] | None:
    """The part that begins here, what follows, and whether this is the end; None where more must come."""
    if not held.startswith(mark):
        if len(held) < len(mark):
            return None
        raise bad_request("The body is no form")
    rest = held[len(mark) :]
    if rest.startswith(b"--"):
        return None, b"", True
    lines, end, after = rest.partition(b"\r\n\r\n")
    if not end:
        if len(rest) > MOST_TEXT_BYTES:
            raise bad_request("The body is no form")
        return None
    told = Message()
    for line in lines.decode("utf-8", "replace").strip().split("\r\n"):
        name, _, value = line.partition(":")
        told[name] = value.strip()
    called = told.get_param("name", header="content-disposition") or ""
    return _Part(str(called), _filename(told), told.get_content_type()), after, False


def _filename(told: Message) -> str | None:
    extended = told.get_param("filename", header="content-disposition")
    if extended is None:
        return None
    # filename*=UTF-8''… comes as three parts.
    return unquote(extended[2]) if isinstance(extended, tuple) else str(extended)


def _take(part: _Part, ready: bytes, form: Form, file: BinaryIO, most_bytes: int) -> None:
    if part.filename is None or part.name != "file":
        part.text += ready
        if len(part.text) > MOST_TEXT_BYTES:
            raise bad_request(f"The part {part.name} is too long")
        return
    form.filename, form.mimetype = part.filename or "file", part.mimetype
    form.size_bytes += len(ready)
    if form.size_bytes > most_bytes:
        form.filename = ""
        raise too_large(most_bytes)
    file.write(ready)
