"""Put a folder of files in its place, whole or not at all where the filesystem can, and its list last where not."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ods_provider.core.errors import OdsConfigError, OdsSinkError
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sinks.writer import write_bytes

_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2
_HERE = -100  # AT_FDCWD
_NO_LINK = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV)


@dataclass(frozen=True, slots=True)
class Lists:
    """What tells of the files in a folder.

    Attributes:
        name: Of the list.
        content: Of the list.
        unfinished: Name of what stands there while the list does not.
        ours: Its content, by which a later try knows all that is older or new as its own.
    """

    name: str
    content: bytes
    unfinished: str
    ours: bytes


def expect_only(folder: Destination, known: set[str]) -> None:
    """Check that a folder which is to be replaced holds nothing else than what we wrote into it.

    Args:
        folder: The folder; one that is not there is fine.
        known: The names of what may stand in it.

    Raises:
        OdsConfigError: Something else stands there, which would be lost; in a store it would be read as one of ours.
        OdsSinkError: A file stands where the folder is wanted.
    """
    with speaking(folder):
        folder.fs.invalidate_cache()
        if folder.can.folders and folder.fs.isfile(folder.path):
            raise OdsSinkError(
                "the path names a file, not a folder", where=folder.url, advice="Name a folder, or remove the file"
            )
    strange = sorted(name for name in folder.names() if name not in known)
    if strange:
        raise OdsConfigError(
            f"the folder holds what is not of this dataset's parts, such as {strange[0]!r}",
            where=folder.url,
            advice="Name a folder that is empty or not there yet: all that stands in it is replaced",
        )


def commit_folder(
    place: Destination, files: Mapping[str, Destination], lists: Lists, *, older: set[str], token: str
) -> None:
    """Make a folder of ``files`` and their list stand at ``place``, in place of an older one.

    On this machine one folder takes the place of the other in one step. Elsewhere the older list goes first and the new
    one comes last, so that whoever reads it never reads of files of two states; what is killed in between leaves word
    of what it was about.

    Args:
        place: The folder.
        files: What stands somewhere else, by the names that it gets; it stays there too.
        lists: What tells of them.
        older: Names of what stands there now and goes.
        token: Of this run.
    """
    with speaking(place):
        if place.can.renames:
            _exchange(place.behind_links(), files, lists, token)
            return
        place.make_parents()
        if place.can.folders:
            place.fs.makedirs(place.path, exist_ok=True)
        write_bytes(place.child(lists.unfinished), lists.ours, token=token)
        place.child(lists.name).remove()
        for name, made in files.items():
            made.copy_to(place.child(name))
        for name in older - set(files) - {lists.name, lists.unfinished}:
            place.child(name).remove()
        write_bytes(place.child(lists.name), lists.content, token=token)
        place.child(lists.unfinished).remove()


def _exchange(place: Destination, files: Mapping[str, Destination], lists: Lists, token: str) -> None:
    place.make_parents()
    # As unfinished parts are named, so that what a killed run leaves is removed with them.
    new = place.sibling(f".{place.name}.new.{token}.part")
    for name in place.above().names():
        if name.startswith(f".{place.name}.new.{token}.") and name.endswith(".part"):
            with suppress(OdsSinkError):
                place.sibling(name).remove(recursive=True)
    try:
        Path(new.path).mkdir()
        # All goes through what is open: under its name another run of the same work may begin anew.
        handle = os.open(new.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _fill(handle, files, lists)
            made = place.sibling(f".{place.name}.new.{token}.{secrets.token_hex(4)}.part")
            _take(handle, Path(new.path), Path(made.path))
            _liken(handle, Path(place.path))
        finally:
            os.close(handle)
    except (FileExistsError, FileNotFoundError):
        raise OdsSinkError(
            "another run of the same work writes this folder too",
            where=place.url,
            advice="Let that run finish: this one gives way and keeps nothing of it",
        ) from None
    _put(Path(made.path), Path(place.path))
    _settle(Path(place.path).parent)
    # The older folder is here now. Where it cannot be removed it is swept some day: what was asked for is done.
    with suppress(OdsSinkError):
        made.remove(recursive=True)


def _fill(handle: int, files: Mapping[str, Destination], lists: Lists) -> None:
    for name, made in files.items():
        _link(Path(made.path), name, handle)
    with _opened(lists.name, handle) as file:
        file.write(lists.content)
        file.flush()
        os.fsync(file.fileno())
    os.fsync(handle)


def _link(made: Path, name: str, folder: int) -> None:
    """Give a file a second name, in an open folder: it stays progress until all is done."""
    try:
        os.link(made, name, dst_dir_fd=folder)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        with made.open("rb") as source, _opened(name, folder) as file:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())


def _opened(name: str, folder: int) -> IO[bytes]:
    return os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder), "wb")


def _take(handle: int, new: Path, made: Path) -> None:
    """Give the folder that is open a name that nobody else knows.

    Raises:
        FileNotFoundError: Another run's stands under its name.
    """
    new.rename(made)
    if not os.path.samestat(os.fstat(handle), made.stat()):
        made.rename(new)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(new))


def _liken(handle: int, older: Path) -> None:
    """Make a folder as open as the one that it will replace, and give it to the same owner where we may."""
    try:
        like = older.stat()
    except FileNotFoundError:
        return
    with suppress(OSError):
        os.fchown(handle, like.st_uid, like.st_gid)
    with suppress(OSError):
        os.fchmod(handle, stat.S_IMODE(like.st_mode))


def _put(made: Path, place: Path) -> None:
    """Rename a folder to its place; an older one is where it was, then."""
    if not place.exists():
        try:
            made.rename(place)
        except OSError as error:
            # Another run was faster.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            return
    _swap(made, place)


def _swap(new: Path, place: Path) -> None:
    """Let two folders change places in one step, where the system can; else in two, between which none is there."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        done = libc.renameat2(_HERE, os.fsencode(new), _HERE, os.fsencode(place), _EXCHANGE)
        if done == 0:
            return
    aside = new.with_name(f"{new.name.removesuffix('.part')[:-8]}{secrets.token_hex(4)}.part")
    place.rename(aside)
    new.rename(place)
    aside.rename(new)


def _settle(folder: Path) -> None:
    """See to it that the names in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
