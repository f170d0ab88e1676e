"""Bodies that break off: what is asked for again, and how a stream that is read already goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from ods_provider.core.errors import OdsError, OdsMismatch, OdsResponseError, OdsTransportError, OdsTruncated
from ods_provider.core.strictjson import decode, goes_on
from ods_provider.core.wire import ByteStream, Request, Response

Again = Callable[[Callable[[], bytes], int], bytes]


def broke_off(error: BaseException) -> bool:
    """Return whether what stopped the reading of a body is the portal's, so that asking for it again may help.

    A disk that is full or a file that a job does not accept is not.
    """
    return isinstance(error, OdsTransportError | OdsResponseError) and error.transient


def expect_begun(request: Request, response: Response) -> None:
    """Check that something came, before anybody judges what it is.

    Raises:
        OdsTruncated: The answer is empty where no answer can be.
    """
    if response.status != 200:
        return
    if response.stream is None:
        # A deletion has nothing to say.
        empty = request.kind == "api" and request.method != "DELETE" and not response.body.strip()
    else:
        # Lines of no rows are an empty body, and a file may be empty where the portal says so.
        empty_is_whole = request.path.endswith("/jsonl") or (request.kind == "file" and response.ends_marked)
        empty = not empty_is_whole and not response.stream.peek(1)
    if empty:
        raise OdsTruncated("the answer is empty", where=_where(request, response), advice=_ADVICE)


def decoded(request: Request, response: Response) -> Response:
    """Return the answer with its JSON decoded; what is no JSON is left to whoever asked, who can say what was expected.

    Raises:
        OdsTruncated: It is the beginning of JSON without its end.
    """
    if request.kind != "api" or response.status not in (200, 201) or not response.body.strip():
        return response
    try:
        return replace(response, content=decode(response.body))
    except ValueError as error:
        if goes_on(error):
            raise OdsTruncated(
                "the JSON ends before it is whole", where=_where(request, response), advice=_ADVICE
            ) from None
    except RecursionError:
        pass
    return response


class Refetched:
    """A ``ByteStream`` that asks again when its body breaks off, and goes on where it was.

    What was read is handed out already, so that the other answer must begin with the same bytes: their number and
    digest are kept, never the bytes.

    Args:
        response: The answer, its stream unread.
        ask: Sends the request once more and returns the new stream, whatever retries that takes elsewhere.
        again: Runs a function under the request's rules, its second argument being the tries that are used up.
    """

    def __init__(self, response: Response, ask: Callable[[], ByteStream], again: Again) -> None:
        assert response.stream is not None  # nothing else can break off
        self._stream: ByteStream = response.stream
        self._where = f"GET {response.url}"
        self._marked = response.ends_marked
        self._ask, self._again = ask, again
        self._tries = 0
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self.doubt: Callable[[], bool] | None = None
        """Asked at an end that nothing marks: whether more has to come."""

    def peek(self, size: int) -> bytes:
        """Return up to ``size`` first bytes without consuming them."""
        return self._stream.peek(size)

    def read(self, size: int = 262_144) -> bytes:
        """Return the next piece, ``b""`` at the end.

        Raises:
            OdsTransportError: The body breaks off every time.
            OdsMismatch: Asked again, the portal sends other bytes.
        """
        try:
            piece = self._stream.read(size)
        except OdsError as error:
            if not broke_off(error):
                raise
            piece = self._go_on(error, size)
        if not piece and not self._marked and self.doubt is not None and self.doubt():
            # Two answers that end at the same place agree: nothing more has to come.
            self.doubt = None
            piece = self._go_on(OdsTruncated("the answer ends early", where=self._where, advice=_ADVICE), size)
        self._hash.update(piece)
        self.size_bytes += len(piece)
        return piece

    def close(self) -> None:
        """Give the connection back or drop it; safe to call twice."""
        self._stream.close()

    def _go_on(self, error: OdsError, size: int) -> bytes:
        broken: list[OdsError] = [error]

        def once() -> bytes:
            if broken:
                raise broken.pop()
            self._tries += 1
            self._stream.close()
            self._stream = self._ask()
            return self._behind() or self._stream.read(size)

        return self._again(once, self._tries)

    def _behind(self) -> bytes:
        """Read up to where the body broke off, and return what came with the last piece."""
        found, size_bytes = hashlib.sha256(), 0
        piece = b""
        while size_bytes < self.size_bytes and (piece := self._stream.read()):
            head, piece = piece[: self.size_bytes - size_bytes], piece[self.size_bytes - size_bytes :]
            found.update(head)
            size_bytes += len(head)
        if found.digest() != self._hash.digest():
            raise OdsMismatch(
                f"the answer broke off after {self.size_bytes:,} bytes, and begins with others now",
                where=self._where,
                advice="Run it again; with an order_by on a unique field each answer is the same, "
                "and the download of a file begins anew by itself",
            )
        return piece


_ADVICE = "It was asked for again; if it persists, ask the portal's operator"


def _where(request: Request, response: Response) -> str:
    return f"{request.method} {response.url}"
