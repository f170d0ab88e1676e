"""How answers are written: JSON as the portal sends it, and bodies compressed as they pass."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.responses import Response

JSON = "application/json; charset=utf-8"
_LEVEL = 1  # a portal under test shall not be what is slow


def json_response(body: Any, status: int = 200) -> Response:
    """Return ``body`` as JSON."""
    return json_text_response(json.dumps(body, ensure_ascii=False), status)


def json_text_response(text: str, status: int = 200) -> Response:
    """Return JSON that is text already."""
    return Response(text.encode(), status, headers={"content-type": JSON})


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces as one gzip stream."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()
