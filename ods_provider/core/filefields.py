"""Files inside records: how a push carries them, and how large they become.

Source: Realtime push API 1.0, file and image fields; Q51, Q52.
"""

from __future__ import annotations

import base64
import mimetypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.legible import kind_of


def encoded_bytes(size_bytes: int) -> int:
    """Return the size of a file of ``size_bytes`` once it is base64."""
    return -(-size_bytes // 3) * 4


def file_value(content: bytes, *, name: str = "", content_type: str | None = None) -> dict[str, Any]:
    """Return what a file-typed field takes: ``{"content": base64, "content-type": …}``.

    Args:
        content: The file.
        name: Its name, from whose ending the type is guessed.
        content_type: The type itself.
    """
    kind = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {"content": base64.b64encode(content).decode("ascii"), "content-type": kind}


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a record names: what opens it, and its type where the record tells it."""

    path: Any
    content_type: str | None = None


def named_file(value: Any, *, where: str) -> NamedFile | None:
    """Return the file that the value of a field names; None when the value holds the content, encoded already.

    Raises:
        OdsConfigError: The value names nothing that can be a file.
    """
    given = value if isinstance(value, Mapping) else {"file": value}
    if "file" not in given and isinstance(given.get("content"), str):
        return None
    path, content_type = given.get("file"), given.get("content-type")
    # A path may be text, a path, or an open place of a filesystem (ObjectStoragePath).
    placed = isinstance(path, os.PathLike) or isinstance(getattr(path, "path", None), str)
    known = placed or (isinstance(path, str) and path.strip())
    if not known or not isinstance(content_type, (str, type(None))):
        raise OdsConfigError(
            f"{kind_of(path if 'file' in given else value)} is no file",
            where=where,
            advice='Pass a path, a URL, or {"file": path, "content-type": type}; or {"content": base64, …}',
        )
    return NamedFile(path, content_type)
