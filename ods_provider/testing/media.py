"""Files in fields: what a portal keeps of them, and what it says of each in the record.

Source: Explore v2.1, values per field type (file); Realtime push, file fields; Q52 (two spellings of one key).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
from typing import Any

from ods_provider.testing.schema import DatasetState


def keep(state: DatasetState, content: bytes, mimetype: str, filename: str | None = None) -> dict[str, Any]:
    """Keep a file with its dataset and return the value of the field."""
    file_id = hashlib.md5(content, usedforsecurity=False).hexdigest()
    state.files[file_id] = (mimetype, content)
    width, height, format = _measured(content)
    return {
        "id": file_id,
        "filename": filename or f"{file_id}.{mimetype.rpartition('/')[2]}",
        "mimetype": mimetype,
        "format": format,
        "width": width,
        "height": height,
        "thumbnail": format is not None,
        "etag": None,
        "last_synchronized": "2026-01-05T08:00:00.000000",
        "color_summary": ["rgba(242, 241, 241, 1.00)"] if format else None,
        "exif_orientation": None,
        "url": f"{{base}}/api/explore/v2.1/catalog/datasets/{state.dataset_id}/files/{file_id}",
    }


def _measured(content: bytes) -> tuple[int | None, int | None, str | None]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.width, image.height, image.format
    except (UnidentifiedImageError, OSError):
        return None, None, None


def unpacked(state: DatasetState, record: dict[str, Any]) -> dict[str, Any]:
    """Return a pushed record with its files kept; one that cannot be read is lost without a word (Q20)."""
    made = dict(record)
    for column in state.columns:
        if column.type == "file" and made.get(column.name) is not None:
            made[column.name] = _pushed(state, made[column.name])
    return made


def _pushed(state: DatasetState, value: Any) -> str | None:
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        return None
    try:
        content = base64.b64decode(value["content"], validate=True)
    except (binascii.Error, ValueError):
        return None
    mimetype = str(value.get("content-type") or value.get("content_type") or "application/octet-stream")
    return json.dumps(keep(state, content, mimetype, value.get("filename")), ensure_ascii=False)
