"""Fetch the files of a dataset: attachments, alternative exports, files of its records, or their thumbnails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import urlsplit

from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.counting import counted, verb
from ods_provider.core.errors import OdsConfigError, OdsMismatch, OdsMoved, OdsNotFound
from ods_provider.core.outcome import Done, outcome
from ods_provider.core.plans import catalog
from ods_provider.core.query import Query
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.mediafiles.fetching import Fetched, Fetcher, fetch
from ods_provider.jobs.mediafiles.listing import Files, Item, items, marked, pictures, state_of, thumbnail
from ods_provider.jobs.mediafiles.manifest import MANIFEST, Owner, expect_own
from ods_provider.jobs.rows import write_rows
from ods_provider.jobs.unchanged import Earlier, IfUnchanged, expect_known
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.marks import marks_below

Kind = Literal["attachments", "files", "alternative_exports", "thumbnails"]
IfMissing = Literal["fail", "skip"]
OF_RECORDS = ("files", "thumbnails")
_NONE = {
    "attachments": "the dataset has no attachments",
    "alternative_exports": "the dataset has no alternative exports",
    "files": "no record that matches has a file",
    "thumbnails": "no record that matches has a thumbnail",
}
_EVERY = Query()
_TRIES = 3  # when the dataset is republished meanwhile

State = Mapping[str, str | None]
Found = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Look:
    """What the portal has: the files, and for each what tells it from another of the same name and address."""

    state: State
    items: list[Item]

    def of(self, item: Item) -> str:
        """Return the state of one file: what is said of it, and the dataset's where that does not tell enough."""
        return fingerprint(said=item.said, dataset=None if marked(item.said) else self.state)

    @property
    def files(self) -> dict[str, str]:
        return {item.unit: self.of(item) for item in self.items}


@dataclass(frozen=True, slots=True)
class MediaJob:
    """All files of one kind, in parallel, into a folder, with a manifest of what came from where.

    A file is the unit of progress: after a wait or a kill, the files already here are not asked for again, unless the
    dataset changed since, or they did. All of them are of one state of the dataset.

    Args:
        dataset_id: The dataset.
        path: Folder; created where needed. Files in it that are not this job's are left alone.
        kind: ``attachments``, ``alternative_exports``, ``files`` of a field, or ``thumbnails`` of its images.
        field: The file-typed field; None takes the only one.
        where: Filter on the records whose files are wanted.
        limit: Files at most.
        parallel: Files fetched at the same time.
        query: More filters on the records: ``refine`` and ``exclude``.
        if_missing: When the portal lists a file and does not have it: ``fail`` once the others are here, or ``skip`` it
            and say so in the manifest.
        if_unchanged: What to do when an earlier run fetched the same and the dataset did not change since: ``fetch``
            all the same, ``keep`` what stands there, or ``skip`` what follows too.
    """

    dataset_id: str
    path: Any
    kind: Kind = "attachments"
    field: str | None = None
    where: tuple[str, ...] = ()
    limit: int | None = None
    parallel: int = 4
    query: Query = _EVERY
    if_missing: IfMissing = "fail"
    if_unchanged: IfUnchanged = "fetch"
    name: ClassVar[str] = "media"

    def __post_init__(self) -> None:
        expect_known(self.if_unchanged)
        for name, choices in (("kind", get_args(Kind)), ("if_missing", get_args(IfMissing))):
            if getattr(self, name) not in choices:
                raise OdsConfigError(
                    f"{name}={getattr(self, name)!r} is not known",
                    where=f"argument {name}",
                    advice=f"Use {' or '.join(choices)}",
                )
        if self.kind not in OF_RECORDS and (self.field or self.where or self.query.filtered):
            raise OdsConfigError(
                "field, where, refine and exclude go with the files of records",
                where="arguments field, where, refine, exclude",
                advice="Leave them out, or use kind='files'",
            )

    def work(self, ctx: JobContext) -> dict[str, Any] | Done:
        """Return the Outcome: ``files`` fetched, ``missing`` of them, ``size_bytes`` together, ``manifest``."""
        folder = ctx.destination(self.path)
        expect_own(folder, self._owner(ctx))
        asked = {"job": self.name, **self.asked()}
        earlier = Earlier(ctx, folder.child(MANIFEST), asked, how=self.if_unchanged)
        # One call tells it, where listing the files may take many.
        state = None if self.if_unchanged == "fetch" else _digest(self.state(ctx))
        return earlier.still(state) or self._fetched(ctx, folder, earlier)

    def _fetched(self, ctx: JobContext, folder: Destination, earlier: Earlier) -> dict[str, Any]:
        identity = fingerprint(base_url=ctx.client.connection.base_url, **self.asked())
        ledger = ctx.ledger(
            identity, beside=folder.child(MANIFEST), valid=lambda _, kept: kept["entry"]["size_bytes"] >= 0
        )
        look, missing = self._fetch_all(ctx, folder, ledger)
        fetcher = self._fetcher(ctx, folder)
        entries = [
            fetcher.entry(item, item.urls[0]) | {"missing": missing[item.unit].what}
            if item.unit in missing
            else ledger.units[item.unit]["entry"]
            for item in look.items
        ]
        expect_own(folder, self._owner(ctx))
        self._expect_kept(folder, look, ledger)
        manifest = write_rows(ctx, folder.child(MANIFEST), entries, dataset_id=self.dataset_id)
        result = outcome(
            dataset_id=self.dataset_id,
            path=folder.url,
            format=self.kind,
            files=len(entries) - len(missing),
            missing=len(missing),
            size_bytes=sum(entry["size_bytes"] or 0 for entry in entries),
            verified="transport",
            data_processed=look.state["data_processed"],
            manifest=manifest["path"],
            note=None if entries else _NONE[self.kind],
            calls=ctx.calls,
            quota_remaining=ctx.remaining(self.dataset_id),
            dataset_state=_digest(look.state),
        )
        here = [entry["file"] for entry in entries if "missing" not in entry]
        result = earlier.written(result, [MANIFEST, *here])
        # Last: a kill before it leaves the next try all that was fetched.
        ledger.clear()
        return result

    def asked(self) -> dict[str, Any]:
        """Return what decides which files are wanted."""
        return {
            "dataset_id": self.dataset_id,
            "kind": self.kind,
            "field": self.field,
            "where": self.where,
            "query": self.query,
            "limit": self.limit,
        }

    def look(self, ctx: JobContext) -> tuple[State, Found]:
        """Return the dataset's state, and what the portal says of each file, its ``url`` included."""
        run = ctx.client.run
        dataset = run(catalog.dataset(self.dataset_id))
        state = state_of(dataset.metas.get("default"), records=self.kind in OF_RECORDS)
        if self.kind == "attachments":
            return state, run(catalog.attachments(self.dataset_id))
        if self.kind == "alternative_exports":
            return state, catalog.alternative_exports_of(dataset)
        narrowed = replace(self.query, where=(*self.where, *self.query.where))
        return state, Files(run, dataset, self.field, narrowed, self.limit).values()

    def state(self, ctx: JobContext) -> State:
        """Return the dataset's state alone."""
        dataset = ctx.client.run(catalog.dataset(self.dataset_id))
        return state_of(dataset.metas.get("default"), records=self.kind in OF_RECORDS)

    def _look(self, ctx: JobContext) -> _Look:
        state, found = self.look(ctx)
        if self.kind == "thumbnails":
            return _Look(state, items(pictures(found), lambda value: thumbnail(value, self.dataset_id), MANIFEST))
        return _Look(state, items(found[: self.limit], lambda said: (said["url"],), MANIFEST))

    def _fetcher(self, ctx: JobContext, folder: Destination) -> Fetcher:
        return Fetcher(ctx, folder, self._owner(ctx))

    def _owner(self, ctx: JobContext) -> Owner:
        """Return whose a folder is; of the files of records, the field's where one is named, as it is among several."""
        return {
            # Without its port: the same portal comes back under another one, behind a tunnel or on this machine.
            "portal": urlsplit(ctx.client.connection.base_url).hostname,
            "dataset_id": self.dataset_id,
            "kind": self.kind,
            "field": self.field,
        }

    def _fetch_all(self, ctx: JobContext, folder: Destination, ledger: Ledger) -> tuple[_Look, dict[str, OdsNotFound]]:
        """Fetch until the portal says afterwards what it said before, so that files of two states never mix."""
        look = self._look(ctx)
        for _ in range(_TRIES):
            missing = self._fetch(ctx, folder, look, ledger)
            # A single file is of one state by itself.
            if len(look.items) < 2 or self.state(ctx) == look.state:
                break
            before, look = look, self._look(ctx)
            if look.files == before.files:
                break
        else:
            raise OdsMoved(
                f"the dataset changed at each of {_TRIES} tries while its files were fetched",
                where=f"dataset {self.dataset_id}",
                advice="Run it again when its publisher is done",
            )
        if missing and self.if_missing == "fail":
            raise self._absent(look, missing)
        return look, missing

    def _fetch(self, ctx: JobContext, folder: Destination, look: _Look, ledger: Ledger) -> dict[str, OdsNotFound]:
        fetcher = self._fetcher(ctx, folder)
        standing = marks_below(folder)
        left = [item for item in look.items if not _stands(ledger.units.get(item.unit), look.of(item), item, standing)]
        done, total = len(look.items) - len(left), len(look.items)

        def keep(item: Item, fetched: Fetched) -> None:
            nonlocal done
            ledger.confirm(item.unit, {"entry": fetched.entry, "state": look.of(item), "mark": fetched.mark})
            done += 1

        return fetch(
            ctx, fetcher, left, parallel=self.parallel, keep=keep, tell=lambda: ctx.progress(done, total, "files")
        )

    def _absent(self, look: _Look, missing: Mapping[str, OdsNotFound]) -> OdsNotFound:
        item = next(item for item in look.items if item.unit in missing)
        error = missing[item.unit]
        return OdsNotFound(
            f"{len(missing)} of {counted(len(look.items), 'files')} {verb(len(missing), 'is', 'are')} listed and not "
            f"there, such as {item.name!r}: {error.what}",
            status=error.status,
            code=error.code,
            where=error.where,
            advice="The others are here; tell the publisher, or pass if_missing='skip'",
        )

    def _expect_kept(self, folder: Destination, look: _Look, ledger: Ledger) -> None:
        """Check that all files still stand as they were fetched: another job may write into the same folder.

        Raises:
            OdsMismatch: One does not.
        """
        standing = marks_below(folder)
        for item in look.items:
            kept = ledger.units.get(item.unit)
            if kept is not None and not _stands(kept, look.of(item), item, standing):
                raise OdsMismatch(
                    f"{item.name!r} was changed or removed while the other files were fetched",
                    where=folder.url,
                    advice="Give each job a folder of its own, and run it again",
                )


def _digest(state: State) -> str | None:
    """Return what tells the state of a dataset from others; None where the portal does not say when it changed."""
    return fingerprint(**state) if state["data_processed"] else None


def _stands(kept: Any, state: str, item: Item, standing: Mapping[str, str]) -> bool:
    # Confirmed for what the portal has now, and still there as it was: somebody may have tidied the folder meanwhile.
    return (
        isinstance(kept, Mapping)
        and "entry" in kept
        and kept.get("state") == state
        and standing.get(item.name) == kept.get("mark")
    )
