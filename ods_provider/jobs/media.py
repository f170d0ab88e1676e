"""Fetch the files of a dataset: attachments, alternative exports, files of its records, or their thumbnails."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import urlsplit

from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.drive import drive
from ods_provider.core.errors import (
    OdsConfigError,
    OdsNotAPortal,
    OdsNotFound,
    OdsResponseError,
)
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import catalog, files
from ods_provider.core.query import Query
from ods_provider.core.redact import scrub
from ods_provider.core.times import iso
from ods_provider.core.wire import Response
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.listing import Files, Item, items, pictures, thumbnail
from ods_provider.jobs.rows import write_rows
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.writer import FileWriter

Kind = Literal["attachments", "files", "alternative_exports", "thumbnails"]
MANIFEST = "manifest.jsonl"
OF_RECORDS = ("files", "thumbnails")
_EVERY = Query()
_NAP_S = 0.5  # how long a thread that waits to try again may overlook that it has to stop


@dataclass(frozen=True, slots=True)
class MediaJob:
    """All files of one kind, in parallel, into a folder, with a manifest of what came from where.

    A file is the unit of progress: after a wait or a kill, the files already here are not asked for again.

    Args:
        dataset_id: The dataset.
        path: Folder; created where needed. Files in it that are not this job's are left alone.
        kind: ``attachments``, ``alternative_exports``, ``files`` of a field, or ``thumbnails`` of its images.
        field: The file-typed field; None takes the only one.
        where: Filter on the records whose files are wanted.
        limit: Files at most.
        parallel: Files fetched at the same time.
        query: More filters on the records: ``refine`` and ``exclude``.
    """

    dataset_id: str
    path: Any
    kind: Kind = "attachments"
    field: str | None = None
    where: tuple[str, ...] = ()
    limit: int | None = None
    parallel: int = 4
    query: Query = _EVERY
    name: ClassVar[str] = "media"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise OdsConfigError(
                f"kind={self.kind!r} is not known", where="argument kind", advice=f"Use {' or '.join(get_args(Kind))}"
            )
        if self.kind not in OF_RECORDS and (self.field or self.where or self.query.filtered):
            raise OdsConfigError(
                "field, where, refine and exclude go with the files of records",
                where="arguments field, where, refine, exclude",
                advice="Leave them out, or use kind='files'",
            )

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome: ``files`` fetched, ``size_bytes`` together, ``manifest``."""
        folder = ctx.destination(self.path)
        identity = fingerprint(base_url=ctx.client.connection.base_url, **self.asked())
        ledger = ctx.ledger(identity, beside=folder.child(MANIFEST))
        found = self._items(ctx)
        self._fetch_all(ctx, folder, found, ledger)
        entries = [ledger.units[item.unit] for item in found]
        manifest = write_rows(ctx, folder.child(MANIFEST), entries, dataset_id=self.dataset_id)
        ledger.clear()
        return outcome(
            dataset_id=self.dataset_id,
            path=folder.url,
            format=self.kind,
            files=len(entries),
            size_bytes=sum(entry["size_bytes"] for entry in entries),
            verified="transport",
            manifest=manifest["path"],
            calls=ctx.calls,
            quota_remaining=ctx.remaining(self.dataset_id),
        )

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

    def _items(self, ctx: JobContext) -> list[Item]:
        found = self.found(ctx)
        if self.kind == "thumbnails":
            return items(pictures(found), lambda value: thumbnail(value, self.dataset_id), MANIFEST)
        return items(found[: self.limit], lambda said: (said["url"],), MANIFEST)

    def found(self, ctx: JobContext) -> list[dict[str, Any]]:
        """Return what the portal says of each file, its ``url`` included."""
        run, dataset_id = ctx.client.run, self.dataset_id
        if self.kind == "attachments":
            return run(catalog.attachments(dataset_id))
        if self.kind == "alternative_exports":
            return run(catalog.alternative_exports(dataset_id))
        narrowed = replace(self.query, where=(*self.where, *self.query.where))
        return Files(run, dataset_id, self.field, narrowed, self.limit).values()

    def _fetch_all(self, ctx: JobContext, folder: Destination, found: list[Item], ledger: Ledger) -> None:
        left = [item for item in found if not _stands(folder, item, ledger)]
        fetcher = _Fetcher(ctx, folder, self.dataset_id)
        pool = ThreadPoolExecutor(max_workers=self.parallel, thread_name_prefix="ods-media")
        patient = True
        try:
            self._collect(ctx, fetcher, left, ledger, pool, total=len(found))
        except BaseException as error:
            # SystemExit, KeyboardInterrupt, a scheduler's own timeout: whoever ends a task gives it seconds, and a read
            # that is stuck lasts until the idle timeout. What such a thread still writes is a hidden part, which the
            # next try replaces.
            patient = isinstance(error, Exception)
            raise
        finally:
            fetcher.stop.set()
            pool.shutdown(wait=patient, cancel_futures=True)

    def _collect(
        self,
        ctx: JobContext,
        fetcher: _Fetcher,
        left: list[Item],
        ledger: Ledger,
        pool: ThreadPoolExecutor,
        *,
        total: int,
    ) -> None:
        queue = iter(left)
        running: dict[Future[dict[str, Any]], Item] = {}
        failure: BaseException | None = None
        done = total - len(left)
        while True:
            # No more are handed out than can run: a refusal must not find a queue of calls behind it.
            while failure is None and len(running) < self.parallel and (item := next(queue, None)):
                running[pool.submit(fetcher, item)] = item
            if not running:
                break
            ended, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            ctx.check()
            for future in ended:
                item = running.pop(future)
                error = future.exception()
                if error is None:
                    # Confirmed here, in the one thread that may talk to the scheduler.
                    ledger.confirm(item.unit, future.result())
                    done += 1
                failure = failure or error
            ctx.progress(done, total, "files")
        if failure is not None:
            raise failure


def _stands(folder: Destination, item: Item, ledger: Ledger) -> bool:
    kept = ledger.units.get(item.unit)
    # Confirmed, and still there as it was: somebody may have tidied the folder meanwhile.
    return kept is not None and folder.child(item.name).size_bytes() == kept["size_bytes"]


class _Fetcher:
    """Fetches one file after another, in several threads; ``stop`` ends what is under way."""

    def __init__(self, ctx: JobContext, folder: Destination, dataset_id: str) -> None:
        self._ctx, self._folder, self._dataset_id = ctx, folder, dataset_id
        self._form = 0  # of several addresses of a file, the one that this portal knew last
        self._terms = replace(ctx.client.terms, sleep=self._sleep)
        self.stop = threading.Event()

    def __call__(self, item: Item) -> dict[str, Any]:
        """Fetch ``item`` and return its entry in the manifest."""
        writer, response, url = self._fetched(item)
        asked, answered = urlsplit(url).netloc, urlsplit(response.url).netloc
        return {
            "file": item.name,
            "url": scrub(url if "://" in url else f"{self._ctx.client.connection.base_url}/{url.lstrip('/')}"),
            # The host alone: what stands behind it may be a signed address, which is a key.
            "redirected_to": answered if answered != (asked or self._ctx.client.connection.host) else None,
            "fetched_at": iso(self._ctx.client.terms.now()),
            "title": item.said.get("title") or item.said.get("filename"),
            "mimetype": item.said.get("mimetype"),
            "size_bytes": writer.size_bytes,
            "sha256": writer.sha256,
            "dataset_id": self._dataset_id,
        }

    def _keep(self, item: Item, response: Response) -> tuple[FileWriter, Response]:
        stream = response.stream
        assert stream is not None  # a file is always streamed
        with FileWriter(self._folder.child(item.name), token=self._ctx.token) as writer:
            while piece := stream.read():
                self._expect_going()
                writer.write(piece)
            writer.commit()
            return writer, response

    def _fetched(self, item: Item) -> tuple[FileWriter, Response, str]:
        missing: OdsResponseError | None = None
        for form in _rotated(range(len(item.urls)), self._form):
            self._expect_going()
            url = item.urls[form]
            try:
                plan = files.file(
                    url,
                    dataset_id=self._dataset_id,
                    read=lambda response: self._keep(item, response),
                    mimetype=item.said.get("mimetype"),
                    names=(item.name,),
                )
                writer, response = drive(plan, self._terms)
            except (OdsNotFound, OdsNotAPortal) as error:
                # For an address that it does not know a portal may show one of its pages.
                missing = missing or error
                continue
            self._form = form
            return writer, response, url
        assert missing is not None  # every item has an address
        raise missing

    def _sleep(self, seconds: float) -> None:
        """Sleep before a retry, which is not made any more once the fetching has to stop."""
        while seconds > 0:
            self._expect_going()
            piece_s = min(seconds, _NAP_S)
            self._ctx.client.terms.sleep(piece_s)
            seconds -= piece_s
        self._expect_going()

    def _expect_going(self) -> None:
        if self.stop.is_set():
            raise _Stopped("stopped before the file was whole")


class _Stopped(Exception):
    """Nobody waits for this thread's file any more. No error of ours, so that nothing retries it."""


def _rotated(forms: Iterable[int], first: int) -> list[int]:
    every = list(forms)
    return [first, *(form for form in every if form != first)] if first in every else every
