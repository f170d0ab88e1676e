"""A file of any filesystem as an upload: read piece by piece while it is sent, from its beginning at each sending."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from ods_provider.core.upload import Upload
from ods_provider.sinks.destination import Destination, destination, speaking

_OTHER = "application/octet-stream"
# What the system's own table often lacks.
_KINDS = {
    ".csv": "text/csv",
    ".geojson": "application/geo+json",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def upload_of(
    path: Any,
    *,
    filename: str | None = None,
    mimetype: str | None = None,
    texts: tuple[tuple[str, str], ...] = (),
    sent: Callable[[int], None] | None = None,
) -> Upload:
    """Return a file as an upload.

    Args:
        path: A path, an fsspec URL (``s3://bucket/key``), or an object with ``fs`` and ``path``.
        filename: What it is called on the portal; its own name unless told.
        mimetype: What it is; told by its ending unless given.
        texts: Other parts of the form.
        sent: Hears how many bytes are on their way.

    Raises:
        OdsConfigError: There is no such file, or its size is not known.
        OdsSinkError: The filesystem fails.
    """
    place = destination(path)
    size_bytes = place.expect_there()
    name = filename or place.name
    dot = name.rfind(".")
    kind = mimetype or _KINDS.get(name[dot:].lower() if dot >= 0 else "") or mimetypes.guess_type(name)[0] or _OTHER
    return Upload(_opening(place), size_bytes, name, kind, texts, sent)


def _opening(place: Destination) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        with speaking(place, reading=True):
            return cast("BinaryIO", place.fs.open(place.path, "rb"))

    return opened
