"""Paths of this machine that are no plain files: links, pipes, devices, files that are mounted by themselves."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from ods_provider.core.errors import OdsSinkError

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_MOUNTS = Path("/proc/self/mountinfo")


def real_path(path: str) -> str:
    """Return where ``path`` leads behind all links, also where nothing stands yet."""
    return os.path.realpath(path)


def expect_regular(path: str, *, where: str) -> None:
    """Check that a file may be put at ``path``; links are followed.

    Raises:
        OdsSinkError: What stands there is no regular file, or cannot be replaced.
    """
    try:
        mode = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OdsSinkError("the path is a link that leads to itself", where=where, advice="Mend the link") from None
        raise
    for is_one, name in _KINDS:
        if is_one(mode):
            raise OdsSinkError(
                f"the path names {name}, not a file",
                where=where,
                advice="What is written appears whole or not at all, which only a file can promise: name one",
            )
    if stat.S_ISREG(mode) and _mounted(real_path(path)):
        raise mounted_alone(where)


def mounted_alone(where: str) -> OdsSinkError:
    """Return the error of a file that cannot be renamed over."""
    return OdsSinkError(
        "the file is mounted by itself, so that it cannot be replaced in one step",
        where=where,
        advice="Mount the folder that it is in, and write there",
    )


def _mounted(path: str) -> bool:
    """Return whether a file is a mount of its own, as one that Docker was given with ``-v`` is."""
    try:
        mounts = _MOUNTS.read_bytes().splitlines()
    except OSError:  # no Linux: the rename will tell
        return False
    # Spaces and the like stand there as octal escapes.
    return os.fsencode(path) in (_plain(line.split(b" ")[4]) for line in mounts if line.count(b" ") > 4)


def _plain(text: bytes) -> bytes:
    for mark in (b" ", b"\t", b"\n", b"\\"):
        text = text.replace(b"\\%03o" % ord(mark), mark)
    return text


def mode_of(path: str) -> os.stat_result | None:
    """Return owner and mode of the file that stands at ``path``, None when none does."""
    try:
        return Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def create(path: str, like: os.stat_result | None, *, private: bool) -> int:
    """Make a file that nobody else has made, for its owner alone or as open as the older one; return its descriptor.

    Args:
        path: Where.
        like: The file that it will replace: its mode is kept, and its owner where we may give files away.
        private: Whether a new one is for its owner alone.
    """
    mode = stat.S_IMODE(like.st_mode) & 0o777 if like is not None else 0o600 if private else 0o666
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    if like is not None:
        try:
            os.fchown(handle, like.st_uid, like.st_gid)
        except OSError:
            pass  # not ours to give away: it is the writer's then, as every new file is
        # Some filesystems know no modes; the umask has been at the first one.
        try:
            os.fchmod(handle, mode)
        except OSError:
            pass
    return handle
