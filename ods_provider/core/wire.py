"""What a plan asks for and what it gets back: values that show no secret and hold no socket."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from ods_provider.core.legible import legible
from ods_provider.core.redact import Secret, scrub
from ods_provider.core.strictjson import decode
from ods_provider.core.upload import Upload

Params = tuple[tuple[str, str], ...]
Form = tuple[tuple[str, str | Secret], ...]
Kind = Literal["api", "export", "file", "push", "token"]
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
Content = Literal["html", "json"]  # what a file may be and a page or an error in its place is too


def is_absolute(url: str) -> bool:
    """Return whether an address names its host: one that only quotes another, in its query, is a path."""
    return _SCHEME.match(url) is not None


@dataclass(frozen=True, slots=True)
class Request:
    """One call, before it has a host and before it has credentials.

    Args:
        path: Path on the portal, already percent-encoded; for ``kind="file"`` an absolute URL is allowed.
        params: Query parameters in order; a name may repeat, because ``refine`` does.
        method: HTTP method.
        body: Encoded body of a POST.
        json: The body as JSON values, encoded at the moment of sending; secrets among them are revealed there.
        upload: A file that is the body, as a form.
        kind: ``api`` is a JSON answer read whole, ``export`` and ``file`` are streamed, ``push`` carries the push key,
            ``token`` is an OAuth2 exchange, which carries no other credential than its form.
        dataset_id: The dataset concerned, for its own quota and for messages.
        resource_id: The realtime resource of a push; with ``dataset_id`` it names the push key.
        form: Fields of a form that is the body of a POST; secrets among them are revealed at the moment of sending.
        expects: For ``kind="file"``, what the file was announced to be.
        read: Reads the body to its end, whatever becomes of it, within the tries that the request has: a body that
            breaks off is asked for again and read from its beginning. What it returns is ``Response.content``. Without
            it a streamed body is handed over unread.
        once: Whether a second sending may do its work twice. The driver then repeats it only where the portal refused
            it for now; what leaves open whether it was done is for the plan (``core.plans.automation.once``).
        after_s: Seconds to wait before it is sent.
    """

    path: str
    params: Params = ()
    method: Literal["GET", "POST", "PUT", "DELETE"] = "GET"
    body: bytes | None = field(default=None, repr=False)
    kind: Kind = "api"
    dataset_id: str | None = None
    resource_id: str | None = None
    form: Form = ()
    expects: frozenset[Content] = frozenset()
    read: Callable[[Response], Any] | None = field(default=None, repr=False, compare=False)
    json: Any = field(default=None, repr=False, hash=False)
    upload: Upload | None = None
    once: bool = False
    after_s: float = 0.0

    @property
    def streamed(self) -> bool:
        """Whether the body is handed over as a stream instead of bytes."""
        return self.kind in ("export", "file")


class ByteStream(Protocol):
    """A body that is read once, in pieces, decoded (inflated) already."""

    def peek(self, size: int) -> bytes:
        """Return up to ``size`` first bytes without consuming them; shorter only when the body is shorter."""
        ...

    def read(self, size: int = 262_144) -> bytes:
        """Return the next piece, ``b""`` at a proper end.

        Raises:
            OdsTruncated: The body ended before it was whole.
            OdsTimeout: Nothing came for longer than the idle timeout.
        """
        ...

    def close(self) -> None:
        """Give the connection back or drop it; safe to call twice."""
        ...


class Headers(Mapping[str, str]):
    """Response headers, looked up whatever their case (Q64)."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        items = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._values = {name.lower(): value for name, value in items}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({sorted(self._values)})"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: status, headers, and either the whole body or a stream of it.

    Args:
        status: HTTP status.
        headers: Response headers.
        url: Where it came from, credentials cut out.
        body: The whole body when it was read, else ``b""``.
        stream: The body still to be read (``kind`` export and file with a 2xx status), else None.
        secrets: What the call went out with; the answer may repeat it.
        content: What the request's ``read`` returned.
    """

    status: int
    headers: Headers
    url: str
    body: bytes = field(default=b"", repr=False)
    stream: ByteStream | None = field(default=None, repr=False)
    secrets: tuple[Secret, ...] = field(default=(), repr=False, compare=False)
    content: Any = field(default=None, repr=False, compare=False)

    def quoted(self, text: str, *, most_chars: int | None = None) -> str:
        """Return a piece of the answer fit for a message: secrets cut out, on one line, at most so long.

        Shorten here or later, never before: of a secret that is cut in half, one half would be seen.
        """
        return legible(scrub(text, self.secrets)[:most_chars])

    def json(self) -> Any:
        """Return the decoded JSON body, with or without a byte order mark. 64-bit integers stay exact (Q15).

        Raises:
            ValueError: It is no JSON.
        """
        return decode(self.body) if self.content is None else self.content

    @property
    def ends_marked(self) -> bool:
        """Whether a reader can tell that the body came to its end: by a length, a last chunk or a compressor's mark.

        Else the answer ends with its connection, and a connection that broke looks the same.
        """
        told = self.headers.get
        sized = told("content-length") is not None or "chunked" in told("transfer-encoding", "").lower()
        return sized or told("content-encoding", "identity").strip().lower() not in ("", "identity")

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower case, ``""`` when absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


T = TypeVar("T")
Plan = Generator[Request, Response, T]
