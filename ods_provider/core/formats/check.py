"""What every check of a file does."""

from __future__ import annotations

from typing import IO, Literal, NoReturn, Protocol

from ods_provider.core.errors import OdsTruncated

Verified = Literal["counted", "container", "transport"]


class Check(Protocol):
    """Sees a file's bytes as they pass and says at the end how many rows it holds and whether it is whole.

    Attributes:
        verified: How much a passing check proves.
        random_access: Whether ``finish`` needs the whole file to jump about in.
    """

    verified: Verified
    random_access: bool

    @property
    def rows(self) -> int | None:
        """How many rows have ended so far; None where they are not counted as they pass."""
        ...

    def feed(self, data: bytes) -> None:
        """Take the next piece of the file, whatever its size."""
        ...

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of rows, or None for a format without rows.

        Args:
            file: The whole file, for a check with ``random_access``.

        Raises:
            OdsTruncated: The file is not whole.
        """
        ...


class Untouched:
    """For formats without an end mark: the transport alone vouches for them."""

    verified: Verified = "transport"
    random_access = False
    rows = None

    def feed(self, data: bytes) -> None:
        """Look at nothing."""

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return None: no rows are known."""
        return None


def broken(what: str) -> NoReturn:
    """Raise the error of a file that is not whole."""
    raise OdsTruncated(what, advice="Nothing is kept; it is fetched again")
