"""Multimedia: attachments, alternative exports, files of records and their thumbnails.

Source: Explore v2.1 endpoints 13 to 16; Multimedia download (addresses, 303 to another host).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ods_provider.testing.access import STORAGE
from ods_provider.testing.errors import Refusal, no_resource
from ods_provider.testing.explore.place import Place, here
from ods_provider.testing.schema import Attachment
from ods_provider.testing.writing import json_response

Handler = Callable[[Request], Response]
_THUMBNAILS = {"image/gif", "image/png", "image/jpeg", "image/jpg", "image/tiff", "image/bmp"}


class Files:
    """The handlers.

    Args:
        place: What requests are about.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def table(self) -> list[tuple[str, Handler]]:
        """Return addresses below a dataset's, and what answers there."""
        return [
            ("/attachments", self.attachments),
            ("/attachments/{attachment_id}", self.attachment),
            ("/alternative_exports", self.alternative_exports),
            ("/alternative_exports/{export_id}", self.alternative_export),
            *self.pages(),
        ]

    def pages(self) -> list[tuple[str, Handler]]:
        """Return the addresses of files, which the portal's pages know too."""
        return [
            ("/files/{file_id}", self.file),
            ("/files/{file_id}/download", self.file),
            ("/files/{file_id}/{pixels:int}", self.thumbnail),
        ]

    def attachments(self, request: Request) -> Response:
        """GET …/attachments."""
        return self._list(request, "attachments", self._place.state(request).attachments)

    def alternative_exports(self, request: Request) -> Response:
        """GET …/alternative_exports, in the manner of attachments (our reading)."""
        return self._list(request, "alternative_exports", self._place.state(request).alternative_exports)

    def _list(self, request: Request, name: str, files: list[Attachment]) -> Response:
        root = here(request)
        items = [
            {
                "href": f"{root}/{quote(item.id)}",
                "metas": {"mime-type": item.mimetype, "title": item.title, "id": item.id, "url": f"{root}/{item.id}"},
            }
            for item in files
        ]
        return json_response({"links": [{"rel": "self", "href": root}], name: items})

    def attachment(self, request: Request) -> Response:
        """GET …/attachments/{attachment_id}."""
        wanted = request.path_params["attachment_id"]
        for item in self._place.state(request).attachments:
            if item.id == wanted:
                return _file_response(item.content, item.mimetype, item.title)
        raise no_resource(f"attachment {wanted}")

    def alternative_export(self, request: Request) -> Response:
        """GET …/alternative_exports/{export_id}: the file, or the way to where it lies."""
        found = self._alternative(request)
        if not found.elsewhere:
            return _file_response(found.content, found.mimetype, found.title)
        # Another name of this machine: to a client it is another host, which must not get the key.
        netloc = request.url.netloc.replace("127.0.0.1", "localhost")
        state = self._place.state(request)
        return RedirectResponse(
            f"{request.url.scheme}://{netloc}{STORAGE}{quote(state.dataset_id)}/{quote(found.id)}", 303
        )

    def stored(self, request: Request) -> Response:
        """GET from the storage: it knows no API keys and, like an object store, refuses who shows one."""
        if "authorization" in request.headers or "apikey" in request.query_params:
            raise Refusal(400, "InvalidArgument", "Only one auth mechanism allowed.")
        found = self._alternative(request)
        return _file_response(found.content, found.mimetype, found.title)

    def _alternative(self, request: Request) -> Attachment:
        wanted = request.path_params["export_id"]
        for item in self._place.state(request).alternative_exports:
            if item.id == wanted:
                return item
        raise no_resource(f"alternative export {wanted}")

    def file(self, request: Request) -> Response:
        """GET …/files/{file_id}."""
        mimetype, content = self._file(request)
        return _file_response(content, mimetype, request.path_params["file_id"])

    def _file(self, request: Request) -> tuple[str, bytes]:
        wanted = request.path_params["file_id"]
        found = self._place.state(request).files.get(wanted)
        if found is None:
            raise no_resource(f"file {wanted}")
        return found

    def thumbnail(self, request: Request) -> Response:
        """GET …/files/{file_id}/300/: the image made smaller; only images have one."""
        from PIL import Image

        mimetype, content = self._file(request)
        if mimetype not in _THUMBNAILS:
            raise no_resource(f"thumbnail of {request.path_params['file_id']}")
        pixels = min(request.path_params["pixels"], 1_000)
        image = Image.open(io.BytesIO(content))
        image.thumbnail((pixels, pixels))
        made = io.BytesIO()
        image.convert("RGB").save(made, "JPEG")
        return Response(made.getvalue(), media_type="image/jpeg")


def _file_response(content: bytes, mimetype: str, name: str) -> Response:
    plain = "".join(char if 31 < ord(char) < 127 and char not in '"\\' else "_" for char in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=mimetype, headers={"content-disposition": disposition})
