"""One command at a time: the same command, started twice, must not work twice at the same files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from ods_provider.core.errors import OdsError, OdsSinkError
from ods_provider.sinks.litter import WEEK


class Busy(OdsError):
    """Another process is doing the same; ``pid`` is its number as far as it is known."""

    transient = True


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold the lock at ``path``. The operating system lets go of it when the process ends, however it ends.

    Args:
        path: The lock file; removed at the end.
        wait: Whether to wait until the other process is done.

    Raises:
        Busy: Another process holds it.
        OdsSinkError: The file cannot be made.
    """
    file = _hold(path, wait=wait)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def sweep_locks(folder: Path, *, now: datetime) -> None:
    """Remove the locks of processes that were killed a week ago or earlier; one that is held stays, however old."""
    for path in folder.glob("*.lock"):
        try:
            if now.timestamp() - path.stat().st_mtime > WEEK.total_seconds():
                with locked(path, wait=False):
                    pass
        except (OSError, OdsError):
            continue  # a courtesy: whoever needs the lock will say what is wrong with it


def _hold(path: Path, *, wait: bool) -> IO[str]:
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise OdsSinkError(
                f"the lock cannot be made: {error.strerror}",
                where=str(path),
                advice="Set XDG_STATE_HOME to a folder that can be written",
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip()
            file.close()
            raise Busy(
                "the same command is already running" + (f" as process {pid}" if pid else ""),
                advice="Run it again when that has ended, or with --wait",
            ) from None
        except BaseException:
            file.close()
            raise
        # Its last holder may have removed the file between our opening and our locking it.
        if _same(file, path):
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            return file
        file.close()


def _same(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
