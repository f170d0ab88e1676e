"""OAuth2 grants as small files, one for each, with a lock beside it: what threads, processes and hosts share.

The lock is the operating system's (flock), so that a killed process holds none. On several hosts the folder must be one
that they share and that locks across them (NFS version 4 does, object stores do not).
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsConfigError, OdsSinkError
from ods_provider.core.forgetting import forgets
from ods_provider.core.oauth import Grant, grant_name
from ods_provider.stores.state import expanded, state_folder

TOKEN_STORE = "ODS_TOKEN_STORE"  # noqa: S105  the name of a variable
PATIENCE_S = 120.0  # longer than a refresh can take that waits for a slow portal
_LOOK_EVERY_S = 0.02

# flock over NFS does not tell threads of one process apart; this does.
_THREADS: dict[str, threading.Lock] = {}
_THREADS_GUARD = threading.Lock()


class FileTokens:
    """A ``TokenStore`` in one file that only its user may read.

    Args:
        path: The file; its folder is made when something is saved.
        patience_s: Longest wait for the lock.
    """

    def __init__(self, path: Path, *, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self._patience_s = patience_s

    @classmethod
    def of(cls, connection: OdsConnection, environ: Mapping[str, str] = os.environ) -> FileTokens:
        """Return the store of a connection's grant: below ``ODS_TOKEN_STORE``, else in the user's state folder.

        Raises:
            OdsConfigError: ``ODS_TOKEN_STORE`` is no path.
        """
        named = environ.get(TOKEN_STORE)
        if named and "://" in named:
            raise OdsConfigError(
                "the token store must be a folder that can be locked, not a URL",
                where=TOKEN_STORE,
                advice="Name a folder on a disk that all workers share, or supply a store by the hook ods_token_store",
            )
        folder = expanded(named) if named else state_folder() / "tokens"
        return cls(folder / f"{grant_name(connection)}.json")

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self.path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep everybody else out; a process that dies lets go.

        Raises:
            OdsSinkError: The lock is not to be had, or not in time.
        """
        import fcntl

        deadline = time.monotonic() + self._patience_s
        with _THREADS_GUARD:
            thread_lock = _THREADS.setdefault(str(self.path.absolute()), threading.Lock())
        if not thread_lock.acquire(timeout=self._patience_s):
            raise self._busy()
        try:
            with self._speaking():
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                while not self._try(handle, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    if time.monotonic() >= deadline:
                        raise self._busy()
                    time.sleep(_LOOK_EVERY_S)
                yield
            finally:
                os.close(handle)
        finally:
            thread_lock.release()

    @forgets
    def load(self) -> Grant | None:
        """Return the grant, None when there is no file.

        Raises:
            OdsSinkError: The file cannot be read or is damaged.
        """
        with self._speaking():
            try:
                text = self.path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            return Grant.from_json(json.loads(text))
        except (ValueError, AttributeError, TypeError, RecursionError):
            # from None: the text of a JSON error quotes what it could not read.
            raise OdsSinkError(
                "the stored OAuth2 tokens are damaged",
                where=str(self.path),
                advice="Remove the file and authorise again with `ods login`",
            ) from None

    @forgets
    def save(self, grant: Grant) -> None:
        """Write the grant beside the old one, onto the disk, then put it in its place in one step.

        Raises:
            OdsSinkError: It cannot be written; the old one still stands.
        """
        part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        with self._speaking():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w") as file:
                    json.dump(grant.reveal(), file)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self.path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            _sync_folder(self.path.parent)

    def _try(self, handle: int, how: int) -> bool:
        import fcntl

        try:
            fcntl.flock(handle, how)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise OdsSinkError(
                f"the folder cannot lock files: {error.strerror}",
                where=str(self.path.parent),
                advice=f"Let {TOKEN_STORE} name a folder on a disk that can",
            ) from None
        return True

    def _busy(self) -> OdsSinkError:
        return OdsSinkError(
            f"another process has kept the OAuth2 tokens for {self._patience_s:.0f} s",
            where=str(self.path),
            advice="Run it again; if it persists, look for a process that hangs while it refreshes",
            cause=TimeoutError(),
        )

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OdsSinkError(
                f"the token store failed: {error.strerror or type(error).__name__}",
                where=str(self.path),
                advice=f"Let {TOKEN_STORE} name a folder that this user may write to",
            ) from None


def _sync_folder(folder: Path) -> None:
    # A rename is on the disk only when its folder is.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
