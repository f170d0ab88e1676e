"""A place that may become a file or a folder: an fsspec filesystem and a path in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsError, OdsSinkError, passes
from ods_provider.core.redact import scrub
from ods_provider.sinks.abilities import Abilities, abilities_of
from ods_provider.sinks.regular import expect_regular, real_path


@dataclass(frozen=True, slots=True)
class Destination:
    """One place on one filesystem.

    Attributes:
        fs: fsspec filesystem.
        path: Path on it, without the protocol.
        url: What people see and Outcomes hold; credentials cut out.
    """

    fs: Any
    path: str
    url: str

    def __str__(self) -> str:
        """Return it as people see it."""
        return self.url

    @property
    def can(self) -> Abilities:
        """What its filesystem can do."""
        return abilities_of(self.fs)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name

    def expect_file(self) -> None:
        """Check that a file can stand here, before anybody makes one.

        Raises:
            OdsSinkError: The path names a folder, or on this machine a pipe, a device or the like.
        """
        with speaking(self):
            # Where there are keys only, one may be the beginning of others: nothing is replaced there. What has no
            # slash is a bucket.
            above = self.fs.isdir(self.path) if self.can.folders else "/" not in self.path.strip("/")
            folder = not self.name or self.url.endswith("/") or above
            if not folder and self.can.renames:
                expect_regular(self.path, where=self.url)
        if folder:
            raise OdsSinkError("the path names a folder, not a file", where=self.url, advice="Add a file name")

    def behind_links(self) -> Destination:
        """Return the place that a link here leads to, this one where there is none; the URL stays as it was given."""
        return Destination(self.fs, real_path(self.path), self.url) if self.can.renames else self

    def child(self, name: str) -> Destination:
        """Return the place called ``name`` below this one."""
        return Destination(self.fs, f"{self.path.rstrip('/')}/{name}", f"{self.url.rstrip('/')}/{name}")

    def sibling(self, name: str) -> Destination:
        """Return the place called ``name`` beside this one."""
        folder, _, _ = self.path.rstrip("/").rpartition("/")
        shown, _, _ = self.url.rstrip("/").rpartition("/")
        return Destination(self.fs, f"{folder}/{name}" if folder else name, f"{shown}/{name}" if shown else name)

    def above(self) -> Destination:
        """Return the folder that this place is in."""
        return Destination(self.fs, self.path.rstrip("/").rpartition("/")[0], self.url.rstrip("/").rpartition("/")[0])

    def file_above(self) -> str | None:
        """Return the path above that should be a folder and is a file, None where none is."""
        return next((str(each) for each in PurePosixPath(self.path).parents if self.fs.isfile(str(each))), None)

    def make_parents(self) -> None:
        """Create the folder above, where the filesystem has folders: elsewhere a misspelt bucket would be made."""
        folder, _, _ = self.path.rpartition("/")
        if folder and self.can.folders:
            with speaking(self):
                self.fs.makedirs(folder, exist_ok=True)

    def size_bytes(self) -> int | None:
        """Return the size of the file that stands here, None when none does."""
        with speaking(self):
            # A listing may be cached by the filesystem and tell of yesterday.
            self.fs.invalidate_cache()
            return int(self.fs.size(self.path)) if self.fs.isfile(self.path) else None

    def expect_there(self, *, where: str = "argument path") -> int:
        """Return the size of the file that stands here.

        Args:
            where: The argument's name, for messages.

        Raises:
            OdsConfigError: None does.
        """
        size_bytes = self.size_bytes()
        if size_bytes is None:
            raise no_file(self.url, where=where)
        return size_bytes

    def modified(self) -> str | None:
        """Return a mark that changes when the file does: its modification time, or its checksum in a store."""
        with speaking(self):
            self.fs.invalidate_cache()
            if not self.fs.isfile(self.path):
                return None
            known = self.fs.info(self.path)
            mark = next((known[name] for name in ("ETag", "etag", "mtime", "LastModified") if known.get(name)), None)
            return str(mark if mark is not None else known.get("created"))

    def read_bytes(self) -> bytes:
        """Return the content of the file that stands here."""
        with speaking(self, reading=True):
            return bytes(self.fs.cat_file(self.path))

    def remove(self, *, recursive: bool = False) -> None:
        """Remove what stands here; nothing there is fine."""
        with speaking(self):
            try:
                if not has_magic(self.path):
                    self.fs.rm(self.path, recursive=recursive)
                    return
                # fsspec reads brackets and stars as a pattern: it would miss this place, or hit others.
                for path in self.fs.find(self.path) if recursive else [self.path]:
                    self.fs.rm_file(path)
                if recursive and self.fs.isdir(self.path):
                    self.fs.rmdir(self.path)
            except FileNotFoundError:
                pass

    def move_to(self, place: Destination) -> None:
        """Move the file that stands here to ``place`` on the same filesystem, replacing what stands there."""
        from fsspec.spec import AbstractFileSystem

        if has_magic(self.path) and type(self.fs).mv is AbstractFileSystem.mv:
            # The general move copies and removes what a pattern matches.
            self.fs.cp_file(self.path, place.path)
            self.fs.rm_file(self.path)
        else:
            self.fs.mv(self.path, place.path)

    def copy_to(self, place: Destination) -> None:
        """Copy the file that stands here to ``place`` on the same filesystem, replacing what stands there."""
        self.fs.cp_file(self.path, place.path)

    def names(self) -> list[str]:
        """Return the names of what stands directly below, none when there is no such folder."""
        with speaking(self):
            return self._names()

    def names_if_allowed(self) -> list[str] | None:
        """Return the names of what stands directly below; None where this user may write but not look."""
        with speaking(self):
            try:
                return self._names()
            except OSError as error:
                if refused(error):
                    return None
                raise

    def _names(self) -> list[str]:
        self.fs.invalidate_cache()
        try:
            return sorted(str(item).rstrip("/").rpartition("/")[2] for item in self.fs.ls(self.path, detail=False))
        except FileNotFoundError:
            return []


def no_file(path: str, *, where: str = "argument path") -> OdsConfigError:
    """Return what is said, wherever a file is read that somebody named, where there is none.

    Args:
        path: Of the file, as people see it.
        where: What named it, for messages.
    """
    return OdsConfigError(f"there is no file {path}", where=where, advice="Check the path; a folder is no file")


def refused(error: OSError) -> bool:
    """Return whether a store refuses to show what it may take: its user may write, but not look."""
    # gcsfs says so in words only.
    return isinstance(error, PermissionError) or str(error).startswith("Forbidden")


def has_magic(path: str) -> bool:
    """Return whether fsspec takes ``path`` for a pattern where it is removed, copied or moved."""
    return any(mark in path for mark in "*?[")


def destination(place: Any, *, where: str = "argument path") -> Destination:
    """Return the destination that ``place`` names; one that is made already stays.

    Args:
        place: A path, an fsspec URL (``s3://bucket/key``), or an object with ``fs`` and ``path`` (ObjectStoragePath).
        where: The argument's name, for messages.

    Raises:
        OdsConfigError: It names nothing, or a filesystem that is not installed.
    """
    if isinstance(place, Destination):
        return place
    try:
        # Such an object may look for its filesystem no sooner than here.
        fs, path = getattr(place, "fs", None), getattr(place, "path", None)
        if fs is not None and isinstance(path, str):
            return Destination(fs, path, scrub(str(place)))
        text = os.fspath(place) if isinstance(place, os.PathLike) else place
        if not isinstance(text, str) or not text.strip():
            raise OdsConfigError(
                f"{place!r} is no path", where=where, advice="Pass a path or a URL such as s3://bucket/key"
            )
        import fsspec.core

        fs, path = fsspec.core.url_to_fs(text)
    except OdsError:
        raise
    except (ImportError, ValueError) as error:
        raise OdsConfigError(
            f"the destination cannot be opened: {error}",
            where=f"{where} {scrub(str(place))}",
            advice="Install the fsspec filesystem of that protocol, or use another",
        ) from None
    return Destination(fs, path, path if "://" not in text else scrub(text))


@contextmanager
def speaking(place: Destination, *, reading: bool = False) -> Iterator[None]:
    """Turn whatever a filesystem raises into ``OdsSinkError`` that names the place, and what was done there."""
    try:
        yield
    except OdsError:
        raise
    except Exception as error:
        if isinstance(error, (FileExistsError, NotADirectoryError)) and (above := place.file_above()):
            raise OdsSinkError(
                f"{above} is a file, not a folder",
                where=place.url,
                advice="Name another folder, or move that file away",
            ) from None
        said = getattr(error, "strerror", None) or str(error).partition("\n")[0][:200] or type(error).__name__
        what = "the file cannot be read" if reading else "the destination failed"
        needed = "exists and can be read" if reading else "exists, is writable and has room"
        raise OdsSinkError(
            f"{what}: {type(error).__name__}: {said}",
            where=place.url,
            advice=f"Check that it {needed}" if not passes(error) else "Run it again",
            cause=error,
        ) from None
