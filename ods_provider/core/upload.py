"""A file on its way to a portal, as a form (RFC 7578): what stands around its bytes, and how many they are.

Source: Automation API v1.0, files (multipart, a part ``file`` with a name).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar

from ods_provider.core.errors import OdsError, OdsSinkError
from ods_provider.core.forgetting import alone
from ods_provider.core.legible import legible

T = TypeVar("T")
PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """One file.

    Args:
        open: Opens it, from its beginning; each sending opens it anew.
        size_bytes: How long it is.
        filename: What it is called there.
        mimetype: What it is.
        texts: Other parts of the form, in order.
        sent: Hears how many bytes of the file are on their way; begins anew when it is sent again.
    """

    open: Callable[[], BinaryIO] = field(repr=False)
    size_bytes: int
    filename: str
    mimetype: str = "application/octet-stream"
    texts: tuple[tuple[str, str], ...] = ()
    sent: Callable[[int], None] | None = field(default=None, repr=False)


class MultipartBody:
    """The form around a file, as pieces: memory holds one of them.

    Args:
        upload: The file.

    Attributes:
        content_type: With the boundary.
        size_bytes: Of all.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        # Random: no file holds it but by intent, and nobody knows it before.
        boundary = secrets.token_hex(16)
        texts = "".join(
            f"--{boundary}\r\nContent-Disposition: form-data; name={_quoted(name)}\r\n\r\n{text}\r\n"
            for name, text in upload.texts
        )
        head = (
            f'{texts}--{boundary}\r\nContent-Disposition: form-data; name="file"; filename={_quoted(upload.filename)}'
            f"\r\nContent-Type: {legible(upload.mimetype)}\r\n\r\n"
        )
        self._head, self._tail = head.encode(), f"\r\n--{boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.size_bytes = len(self._head) + upload.size_bytes + len(self._tail)

    def __len__(self) -> int:
        """Return how many bytes all of it is."""
        return self.size_bytes

    def __iter__(self) -> Iterator[bytes]:
        """Yield the form, the file read from its beginning.

        Raises:
            OdsSinkError: The file cannot be read, or is not as long as it was.
        """
        yield self._head
        done = 0
        for piece in self._pieces():
            done += len(piece)
            if done > self._upload.size_bytes:
                raise self._changed("longer")
            yield piece
            if self._upload.sent:
                self._upload.sent(done)
        if done < self._upload.size_bytes:
            raise self._changed("shorter")
        yield self._tail

    def _pieces(self) -> Iterator[bytes]:
        file = self._reading(self._upload.open)
        try:
            while piece := self._reading(lambda: file.read(PIECE_BYTES)):
                yield piece
        finally:
            file.close()

    def _reading(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except OdsError:
            raise
        except Exception as error:  # whatever a filesystem raises: it is none of the connection's
            failed = OdsSinkError(
                f"the file cannot be read ({type(error).__name__}: {error})",
                where=f"upload of {self._upload.filename}",
                advice="Check that it is there, and may be read",
                cause=error,
            )
        raise alone(failed)

    def _changed(self, how: str) -> OdsSinkError:
        return OdsSinkError(
            f"the file became {how} while it was sent: it had {self._upload.size_bytes:,} bytes",
            where=f"upload of {self._upload.filename}",
            advice="Send it when nobody writes it any more",
        )


def _quoted(name: str) -> str:
    # As browsers do: bytes of UTF-8, and only what would end the name is escaped.
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'"{escaped}"'
