"""Make one file, or one folder with a manifest, of parts that stand somewhere on the same filesystem."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal, cast
from urllib.parse import urlsplit

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsMismatch
from ods_provider.core.formats.joining import joined
from ods_provider.core.outcome import outcome
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.mediafiles.manifest import Owner, owned
from ods_provider.jobs.state import State
from ods_provider.sinks import sidecar
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sinks.folders import Lists, commit_folder, expect_only
from ods_provider.sinks.marks import marks_below

Layout = Literal["file", "folder"]
MANIFEST = "_manifest"  # Spark and Athena pass over such a name, and no pattern of data files (``*.jsonl``) holds it
UNFINISHED = "_manifest_unfinished"  # stands there while a folder is replaced piece by piece: so much of it is ours
_MADE_OF = "made_of"


@dataclass(frozen=True, slots=True)
class Made:
    """A part as it was written."""

    rows: int | None
    size_bytes: int
    sha256: str
    mark: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part in its place: the name that it gets in a folder, the clause that it answers to."""

    name: str
    where: str | None
    place: Destination
    made: Made


def rows_of(pieces: Sequence[Piece]) -> int | None:
    """Return the rows of all parts, None where nobody counts them."""
    counted = [piece.made.rows for piece in pieces]
    return None if None in counted else sum(rows for rows in counted if rows is not None)


class Assembly:
    """What a download's parts become.

    Args:
        ctx: The job's.
        download: What was asked for.
        place: Where it goes.
        layout: One file, or a folder.
    """

    def __init__(self, ctx: JobContext, download: DownloadJob, place: Destination, layout: Layout) -> None:
        self._ctx, self._download, self._place, self._layout = ctx, download, place, layout

    def expect_place(self) -> set[str]:
        """Return the names of what stands in the folder and will go: the parts that its own manifest names, and that.

        Raises:
            OdsConfigError: Something else stands there.
        """
        if self._layout == "file":
            return set()
        if not self._place.can.folders and "/" not in self._place.path.strip("/"):
            raise OdsConfigError(
                "the path names a bucket, beside which no progress can lie",
                where=self._place.url,
                advice="Name a folder in it",
            )
        known = owned(self._place, MANIFEST, self._owner()) | owned(self._place, UNFINISHED, self._owner())
        expect_only(self._place, known)
        return known

    def commit(self, pieces: Sequence[Piece], after: State, *, moved: bool) -> dict[str, Any]:
        """Put the parts together, and return the Outcome of what now stands under its name.

        Raises:
            OdsMismatch: The parts do not make one file, or one is not as it was written.
        """
        standing = marks_below(pieces[0].place.above())
        for number, piece in enumerate(pieces):
            if standing.get(piece.place.name) != piece.made.mark:
                raise OdsMismatch(
                    f"part {number} does not stand there as it was written",
                    where=piece.place.url,
                    advice="Run it again; if it persists, another run writes there",
                )
        return (self._joined if self._layout == "file" else self._listed)(pieces, after, moved=moved)

    def committed(self, pieces: Sequence[Piece], after: State) -> dict[str, Any] | None:
        """Return the Outcome of these very parts where they were put together already.

        A folder's list tells, which is its last file; a file was made of them by what ``tell`` wrote beside it.
        """
        listing = self._listing(pieces, after)
        if self._layout == "file":
            told = sidecar.Told(self._place)
            kept = sidecar.read(told) or {}
            if kept.get(_MADE_OF) != _digest(listing):
                return None
            if not sidecar.stands(told, kept["files"], kept["outcome"], self._ctx.check):
                return None
            remaining = self._ctx.remaining(self._download.dataset_id)
            return outcome(**kept["outcome"]) | {"calls": self._ctx.calls, "quota_remaining": remaining}
        place = self._place.child(MANIFEST)
        if place.size_bytes() != len(listing) or place.read_bytes() != listing:
            return None
        return self._outcome(pieces, after, moved=False)

    def tell(self, pieces: Sequence[Piece], after: State, result: Mapping[str, Any]) -> None:
        """Tell beside a file which parts it was made of, before they go: the next try must find its work done."""
        if self._layout == "file":
            what = {_MADE_OF: _digest(self._listing(pieces, after)), "outcome": dict(result)}
            sidecar.write(sidecar.Told(self._place), what)

    def _joined(self, pieces: Sequence[Piece], after: State, *, moved: bool) -> dict[str, Any]:
        asked = self._download
        parts = [_opened(piece.place) for piece in pieces]
        stream = _Stream(joined(asked.format.name, parts, packed=asked.packed), pieces[0].place.above())
        copy = asked.written(self._ctx, stream, self._place)
        with copy.writer as writer:
            if copy.rows != rows_of(pieces):
                raise OdsMismatch(
                    f"the joined file holds {counted(copy.rows, 'rows')} where its parts hold {rows_of(pieces)}",
                    where=self._place.url,
                    advice="Nothing was kept of it; run it again",
                )
            writer.commit()
            return asked.outcome_of(self._ctx, self._place, copy, after, moved=moved)

    def _listed(self, pieces: Sequence[Piece], after: State, *, moved: bool) -> dict[str, Any]:
        older = self.expect_place()
        files = {piece.name: piece.place for piece in pieces}
        ours = b"".join(_line({"file": name, **self._owner()}) for name in sorted({*older, *files}))
        lists = Lists(MANIFEST, self._listing(pieces, after), UNFINISHED, ours)
        commit_folder(self._place, files, lists, older=older, token=self._ctx.token)
        return self._outcome(pieces, after, moved=moved)

    def _outcome(self, pieces: Sequence[Piece], after: State, *, moved: bool) -> dict[str, Any]:
        place, ctx = self._place, self._ctx
        return outcome(
            dataset_id=self._download.dataset_id,
            path=place.url,
            format=self._download.format.name,
            rows=rows_of(pieces),
            size_bytes=sum(piece.made.size_bytes for piece in pieces),
            verified="container" if rows_of(pieces) is None else "counted",
            data_processed=iso(after.processed),
            moved=moved,
            manifest=place.child(MANIFEST).url,
            calls=ctx.calls,
            quota_remaining=ctx.remaining(self._download.dataset_id),
            dataset_state=None if moved else after.digest,
            **ctx.source_told,
            **self._download.rules.seen(after),
        )

    def _listing(self, pieces: Sequence[Piece], after: State) -> bytes:
        lines = [
            {
                "file": piece.name,
                "rows": piece.made.rows,
                "size_bytes": piece.made.size_bytes,
                "sha256": piece.made.sha256,
                "where": piece.where,
                "data_processed": iso(after.processed),
                **self._owner(),
            }
            for piece in pieces
        ]
        return b"".join(map(_line, lines))

    def _owner(self) -> Owner:
        return {
            # Without its port, as for files of records.
            "portal": urlsplit(self._ctx.client.connection.base_url).hostname,
            "dataset_id": self._download.named,
            "kind": "parts",
            "field": None,
        }


def _digest(listing: bytes) -> str:
    return hashlib.sha256(listing).hexdigest()


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


class _Stream:
    """Gives the pieces of a file that is being joined of what stands below ``folder``."""

    def __init__(self, pieces: Iterator[bytes], folder: Destination) -> None:
        self._pieces, self._folder = pieces, folder

    def read(self, _size: int = 0) -> bytes:
        """Return the next piece that holds anything, nothing at the end; its size is the joining's."""
        with speaking(self._folder, reading=True):
            return next((piece for piece in self._pieces if piece), b"")


def _opened(place: Destination) -> Callable[[], IO[bytes]]:
    def open_() -> IO[bytes]:
        with speaking(place, reading=True):
            return cast("IO[bytes]", place.fs.open(place.path, "rb"))

    return open_
