"""What there is to do, decided before anything is sent: both sides fetched, compared, and held against what may go."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ods_provider.core.counting import counted, verb
from ods_provider.core.errors import OdsIncomplete, OdsSinkError
from ods_provider.core.events import StepDone
from ods_provider.core.formats.registry import format_named
from ods_provider.core.odsql import identifier
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset
from ods_provider.core.share import Share
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.syncing.database import Database, Side
from ods_provider.jobs.syncing.difference import Counts, Difference, Pair
from ods_provider.jobs.syncing.forms import Forms
from ods_provider.jobs.syncing.sameness import Sameness
from ods_provider.jobs.syncing.sides import FileSide, Lines, stage_portal
from ods_provider.sinks.destination import Destination

_SAMPLES = 3
_SHOWN_CHARS = 80
_SELECT_BYTES = 4_000
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a run's rows lie on this machine."""

    place: Destination

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.place.path)

    @property
    def file(self) -> Path:
        """The file's records, as they are pushed."""
        return self.path / "file.jsonl"

    def portal(self, side: Side) -> Path:
        """The rows of a state of the portal, as it shows them."""
        return self.path / f"{side}.jsonl"

    def begin(self) -> None:
        """Make it anew, for this user alone: rows of a private dataset are nobody else's."""
        with self.keeping():
            self.place.remove(recursive=True)
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Say what is wrong with the place when rows cannot be kept there.

        Raises:
            OdsSinkError: They cannot.
        """
        try:
            yield
        except OSError as error:
            raise OdsSinkError(
                f"rows cannot be kept until they are sent: {error.strerror or error}",
                where=str(self.path),
                advice="Make room there, or let XDG_STATE_HOME name a folder on a larger disk",
                cause=error,
            ) from None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and what is told of it.

    Attributes:
        counts: How many rows of each kind there are.
        samples: Some rows of each kind: keys, and for changed ones the fields with what stands and what comes.
        notes: What whoever reads it should know besides.
    """

    counts: Counts
    samples: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """Return what an Outcome says of it."""
        return {**self.counts.told(), "samples": dict(self.samples), "note": "; ".join(self.notes) or None}


class Planning:
    """Fetches, compares and decides.

    Args:
        ctx: The job's.
        dataset: What is made equal to the file.
        key: Names of the fields that tell rows apart.
        unique: Whether the portal itself tells them apart by these.
        folder: Where rows lie meanwhile.
        database: Where they are compared.
    """

    def __init__(
        self,
        ctx: JobContext,
        dataset: Dataset,
        key: tuple[str, ...],
        folder: Folder,
        database: Database,
        *,
        unique: bool,
    ) -> None:
        self._ctx = ctx
        self._dataset = dataset
        self._key = key
        self._folder = folder
        self._database = database
        self._unique = unique
        self._where = f"dataset {dataset.dataset_id}"
        self._notes: list[str] = []

    def make(self, file: FileSide, *, delete_missing: bool, most: Share) -> tuple[Plan, Forms]:
        """Return what there is to do.

        Args:
            file: The file's side.
            delete_missing: Whether rows that the file lacks go.
            most: How many of the rows that stand may.

        Raises:
            OdsIncomplete: More would go, or the file holds nothing.
            OdsConfigError: A record cannot be sent as it is.
        """
        began = time.monotonic()
        with self._folder.keeping():
            forms, rows = file.stage(self._database, self._folder.file)
        self._ctx.emit(StepDone("Read", rows, time.monotonic() - began))
        if not rows and not most.all:
            raise OdsIncomplete(
                "the source holds no record, and an empty one is more often broken than meant",
                where=self._where,
                advice="Nothing was changed. Look at the source; if it is right, pass max_delete='100%'",
            )
        difference, same = self.compare(forms, "portal")
        counts = difference.counts()
        self._ctx.emit(StepDone("Compared", counts.standing, time.monotonic() - began, told_shortly(counts)))
        if delete_missing and not most.allows(counts.gone, counts.standing):
            needed = "100%" if most.number is None and counts.gone == counts.standing else str(counts.gone)
            raise OdsIncomplete(
                f"{counts.gone:,} of the {counted(counts.standing, 'rows')} that stand "
                f"{verb(counts.gone, 'is', 'are')} not in the source, which holds {rows:,}; max_delete lets {most} go",
                where=self._where,
                advice="Nothing was changed. Look whether the source is whole; if it is, pass "
                f"max_delete='{needed}' this time",
            )
        return Plan(counts, self._samples(difference, forms, same), self._told(forms, file, same, counts)), forms

    def compare(self, forms: Forms, side: Side) -> tuple[Difference, Sameness]:
        """Fetch the portal's rows and return how they differ from the file's."""
        target = self._folder.place.child(f"{side}.jsonl")
        fetch = DownloadJob(self._dataset.dataset_id, target, format_named("jsonl"), self._query(forms))
        fetched = fetch.work(self._ctx)
        assert isinstance(fetched, dict)  # nothing was said of what is unchanged
        if fetched.get("note") and fetched["note"] not in self._notes:
            self._notes.append(fetched["note"])
        path = self._folder.portal(side)
        stage_portal(self._ctx, self._database, path, forms, side, unique=self._unique, where=self._where)
        difference = Difference(self._database, side)
        difference.join()
        same = Sameness(forms.fields, frozenset(forms.finest))
        difference.settle(self._alike(difference, forms, same, side))
        return difference, same

    def _alike(self, difference: Difference, forms: Forms, same: Sameness, side: Side) -> Iterator[Pair]:
        with Lines(self._folder.file) as file, Lines(self._folder.portal(side)) as portal:
            for fa, pa in difference.unlike():
                self._ctx.check()
                if not same.differing(file.row(fa), forms.row(portal.row(pa))):
                    yield fa, pa

    def _query(self, forms: Forms) -> Query:
        """Return what asks for the compared fields; for all where rows are deleted by all that they hold."""
        wanted = forms.names if self._unique else [each.name for each in self._dataset.fields if each.type != "file"]
        if len(wanted) == len(self._dataset.fields):
            return Query.of()
        # Under which name a quoted field comes back, nobody has seen.
        plain = all(identifier(name) == name for name in wanted)
        return Query.of(select=wanted if plain and sum(map(len, wanted)) < _SELECT_BYTES else None)

    def _samples(self, difference: Difference, forms: Forms, same: Sameness) -> dict[str, Any]:
        def key(row: Mapping[str, Any]) -> dict[str, Any]:
            return {name: _short(row.get(name)) for name in forms.key}

        with Lines(self._folder.file) as file, Lines(self._folder.portal("portal")) as portal:
            new = [key(file.row(at)) for at in difference.pushed(known=False, most=_SAMPLES)]
            gone = [key(portal.row(at)) for at in difference.leaving(replaced=False, most=_SAMPLES)]
            changed = []
            for fa, pa in difference.changed(_SAMPLES):
                comes, stands = file.row(fa), portal.row(pa)
                names = same.differing(comes, forms.row(stands))
                fields = {name: [_short(stands.get(name)), _short(comes.get(name))] for name in names}
                changed.append({"key": key(comes), "fields": fields})
        return {"new": new, "changed": changed, "gone": gone}

    def _told(self, forms: Forms, file: FileSide, same: Sameness, counts: Counts) -> tuple[str, ...]:
        told = list(self._notes)
        for name, rows in same.cut.items():
            told.append(
                f"{name}: {counted(rows, 'rows')} {verb(rows, 'differs', 'differ')} in a part of a second only, of "
                f"which the portal shows none in any row; {verb(rows, 'it counts', 'they count')} as equal"
            )
        left = [each.name for each in self._dataset.fields if each.name not in forms.names]
        if left and counts.rows:
            shown = ", ".join(left[:_NAMED]) + (f" and {len(left) - _NAMED} more" if len(left) > _NAMED else "")
            told.append(
                f"not in the source, and not compared: {shown}. A row that is pushed loses what it holds there, unless "
                "a processor of the dataset fills it"
            )
        if file.extra:
            told.append(
                f"sent for a processor of the dataset, and not compared: {', '.join(sorted(file.extra)[:_NAMED])}"
            )
        return tuple(told)


def told_shortly(counts: Counts) -> str:
    """Return a plan in one line."""
    return f"{counts.new:,} new, {counts.changed:,} changed, {counts.gone:,} gone, {counts.equal:,} equal"


def _short(value: Any) -> Any:
    """Return a value as a sample shows it: texts are cut, and what is nested becomes one."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
