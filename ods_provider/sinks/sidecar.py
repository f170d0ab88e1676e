"""What is told of a file in a hidden one beside it, and whether the file still stands as it is told.

A sidecar is called ``.NAME.ods.json``: readers of folders (Spark, DuckDB, Athena, Hive) pass over names that begin with
a dot, and no name of litter is like it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsSinkError
from ods_provider.sinks.destination import Destination, refused, speaking
from ods_provider.sinks.marks import mark_of, marks_below
from ods_provider.sinks.writer import write_bytes

log = logging.getLogger(__name__)

VERSION = 1
_LONGEST_BYTES = 64_000_000  # a hundred thousand files of a folder, and a bound for what is none of ours
_PIECE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Told:
    """What a sidecar tells of: a file, with others beside it where they belong together, or all files of a folder.

    Args:
        place: The file, or the folder.
        folder: Whether it is a folder.
    """

    place: Destination
    folder: bool = False

    @property
    def target(self) -> Destination:
        """The place, behind links: there its parts and its sidecar are."""
        return self.place.behind_links()

    @property
    def sidecar(self) -> Destination:
        """Where the sidecar lies: beside the file, or beside the folder, which is replaced whole."""
        return self.target.sibling(f".{self.target.name}.ods.json")

    def stands_something(self) -> bool:
        """Return whether anything stands there, whosever it is."""
        return bool(marks_below(self.target)) if self.folder else mark_of(self.target) is not None

    def marks(self) -> dict[str, str]:
        """Return the marks of the files that may be told of, by their names."""
        return marks_below(self.target if self.folder else self.target.above())


def read(told: Told) -> dict[str, Any] | None:
    """Return what a sidecar tells; empty where there is none, or one of another release.

    Returns:
        None where this user may write, but not look.
    """
    beside = told.sidecar
    with speaking(beside, reading=True):
        try:
            beside.fs.invalidate_cache()
            with beside.fs.open(beside.path, "rb") as file:
                kept = json.loads(file.read(_LONGEST_BYTES))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return {}
        except (ValueError, RecursionError):
            log.info("%s is broken and of no use.", beside.url)
            return {}
        except OSError as error:
            if refused(error):
                return None
            raise
    files = kept.get("files") if isinstance(kept, dict) else None
    whole = isinstance(files, dict) and isinstance(kept.get("outcome"), dict) and kept.get("version") == VERSION
    return kept if whole else {}


def write(told: Told, what: Mapping[str, Any], names: Iterable[str] | None = None) -> None:
    """Write a sidecar, with the marks of the files that stand there now.

    It is a courtesy: the files are committed, and no job fails of what cannot be told of them.

    Args:
        told: What it tells of.
        what: JSON, with the Outcome under ``outcome``.
        names: Files that belong together, the place's own among them; None for that alone, or for all of a folder.
    """
    place = told.place
    try:
        if names is None and not told.folder:
            files: dict[str, Any] = {told.target.name: mark_of(told.target)}
        else:
            marks = told.marks()
            files = dict(marks) if names is None else {name: marks.get(name) for name in names}
        if not files or not all(map(_tells, files.values())):
            log.info("Nothing is told beside %s: this user may write there, but not look.", place.url)
            return
        text = json.dumps({"version": VERSION, **what, "files": files}, ensure_ascii=False)
        write_bytes(told.sidecar, text.encode(errors="surrogatepass"), token="ods")  # noqa: S106  names a temporary file
    except OdsSinkError as error:
        log.info("Nothing is told beside %s: %s", place.url, error)


def stands(told: Told, files: Mapping[str, Any], outcome: Mapping[str, Any], pause: Callable[[], None]) -> bool:
    """Return whether what was written still stands as it was: a local file by its bytes, others by their marks.

    Args:
        told: What is told of.
        files: The marks by name, as ``write`` took them.
        outcome: The Outcome, which knows size and sha256 of a single file.
        pause: Called now and then while a file is read; it may raise.
    """
    target = told.target
    if told.folder or set(files) != {target.name}:
        standing = told.marks()
        known = told.folder or target.name in files
        return known and all(standing.get(name) == mark for name, mark in files.items())
    if target.can.renames:
        return _holds(target, outcome, pause)
    mark = mark_of(target)
    # The size is part of a mark; what an Outcome says of it must fit all the same.
    return _tells(mark) and mark == files[target.name] and str(mark).startswith(f"{outcome.get('size_bytes')} ")


def _tells(mark: Any) -> bool:
    # Some filesystems know nothing of a file that changes when it does.
    return isinstance(mark, str) and not mark.endswith(" None")


def _holds(place: Destination, outcome: Mapping[str, Any], pause: Callable[[], None]) -> bool:
    if place.size_bytes() != outcome.get("size_bytes"):
        return False
    digest = hashlib.sha256()
    try:
        with open(place.path, "rb") as file:
            while piece := file.read(_PIECE_BYTES):
                pause()
                digest.update(piece)
    except OSError:
        return False  # whoever may not read it can only replace it
    return digest.hexdigest() == outcome.get("sha256")
