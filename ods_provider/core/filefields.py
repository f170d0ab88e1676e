"""Files inside records: how a push carries them, and how large they become.

Source: Realtime push API 1.0, file and image fields; Q51, Q52.
"""

from __future__ import annotations

import base64
import mimetypes
from typing import Any


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
