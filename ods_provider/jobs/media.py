"""Fetch the files of a dataset: its attachments, or the files in a field of its records."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import unquote, urlsplit

from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.errors import OdsConfigError, OdsNotFound, OdsTimeout, OdsTruncated
from ods_provider.core.odsql import identifier
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import catalog, files
from ods_provider.core.query import Query
from ods_provider.core.redact import scrub
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.rows import write_rows
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.names import safe_name, unique_names
from ods_provider.sinks.writer import FileWriter

Kind = Literal["attachments", "files"]
MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class _Item:
    """One file to fetch: where from, as what, and what the portal says of it."""

    unit: str
    url: str
    name: str
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MediaJob:
    """All files of one kind, in parallel, into a folder, with a manifest of what came from where.

    A file is the unit of progress: after a wait or a kill, the files already here are not asked for again.

    Args:
        dataset_id: The dataset.
        path: Folder; created where needed. Files in it that are not this job's are left alone.
        kind: ``attachments``, or ``files`` of a field.
        field: The file-typed field; None takes the only one.
        where: Filter on the records whose files are wanted.
        limit: Files at most.
        parallel: Files fetched at the same time.
    """

    dataset_id: str
    path: Any
    kind: Kind = "attachments"
    field: str | None = None
    where: tuple[str, ...] = ()
    limit: int | None = None
    parallel: int = 4
    name: ClassVar[str] = "media"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise OdsConfigError(
                f"kind={self.kind!r} is not known", where="argument kind", advice=f"Use {' or '.join(get_args(Kind))}"
            )
        if self.kind == "attachments" and (self.field or self.where):
            raise OdsConfigError(
                "field and where go with the files of records",
                where="arguments field, where",
                advice="Leave them out, or use kind='files'",
            )

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome: ``files`` fetched, ``size_bytes`` together, ``manifest``."""
        folder = ctx.destination(self.path)
        identity = fingerprint(
            base_url=ctx.client.connection.base_url,
            dataset_id=self.dataset_id,
            kind=self.kind,
            field=self.field,
            where=self.where,
            limit=self.limit,
        )
        ledger = ctx.ledger(identity, beside=folder.child(MANIFEST))
        items = list(self._items(ctx))
        self._fetch_all(ctx, folder, items, ledger)
        entries = [ledger.units[item.unit] for item in items]
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

    def _items(self, ctx: JobContext) -> Iterator[_Item]:
        found = self._attachments(ctx) if self.kind == "attachments" else self._files(ctx)
        listed = found if self.limit is None else found[: self.limit]
        # The manifest's own name is taken.
        names = unique_names([MANIFEST, *(safe_name(_file_name(said)) for said in listed)])[1:]
        for said, name in zip(listed, names, strict=True):
            # Named by its address: the same file is the same unit even when the list has changed meanwhile.
            unit = "file-" + hashlib.sha256(f"{said['url']}\n{name}".encode()).hexdigest()[:20]
            yield _Item(unit, said["url"], name, said)

    def _attachments(self, ctx: JobContext) -> list[dict[str, Any]]:
        return [item for item in ctx.client.run(catalog.attachments(self.dataset_id)) if item["url"]]

    def _files(self, ctx: JobContext) -> list[dict[str, Any]]:
        field = self._field(ctx)
        query = Query.of(select=identifier(field), where=[*self.where, f"{identifier(field)} IS NOT NULL"])
        values = [row.get(field) for row in ctx.client.rows(self.dataset_id, query, limit=self.limit)]
        seen: dict[str, dict[str, Any]] = {}
        for value in values:
            if isinstance(value, dict) and value.get("url"):
                seen.setdefault(value["url"], value)
        if values and not seen:
            raise OdsNotFound(
                f"the field {field} names no address to fetch its files from",
                status=200,
                where=f"dataset {self.dataset_id}",
                advice="Check that the field is of type file",
            )
        return list(seen.values())

    def _field(self, ctx: JobContext) -> str:
        dataset = ctx.client.run(catalog.dataset(self.dataset_id))
        offered = [field.name for field in dataset.fields if field.type == "file"]
        if self.field is None and len(offered) == 1:
            return offered[0]
        if self.field in offered:
            return str(self.field)
        raise OdsConfigError(
            f"{self.field!r} is no field of files" if self.field else "the field of the files is not named",
            where=f"argument field, dataset {self.dataset_id}",
            advice=f"Fields of files are: {', '.join(offered) or 'none'}",
        )

    def _fetch_all(self, ctx: JobContext, folder: Destination, items: list[_Item], ledger: Ledger) -> None:
        left = [item for item in items if not _stands(folder, item, ledger)]
        stop = threading.Event()
        pool = ThreadPoolExecutor(max_workers=self.parallel, thread_name_prefix="ods-media")
        try:
            self._collect(ctx, folder, left, ledger, pool, stop, total=len(items))
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def _collect(
        self,
        ctx: JobContext,
        folder: Destination,
        left: list[_Item],
        ledger: Ledger,
        pool: ThreadPoolExecutor,
        stop: threading.Event,
        *,
        total: int,
    ) -> None:
        queue = iter(left)
        running: dict[Future[dict[str, Any]], _Item] = {}
        failure: BaseException | None = None
        done = total - len(left)
        while True:
            # No more are handed out than can run: a refusal must not find a queue of calls behind it.
            while failure is None and len(running) < self.parallel and (item := next(queue, None)):
                running[pool.submit(_fetch, ctx, folder, item, self.dataset_id, stop)] = item
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


def _file_name(said: dict[str, Any]) -> str:
    named = said.get("filename") or said.get("title")
    return str(named or unquote(urlsplit(str(said["url"])).path.rstrip("/").rpartition("/")[2]))


def _stands(folder: Destination, item: _Item, ledger: Ledger) -> bool:
    kept = ledger.units.get(item.unit)
    # Confirmed, and still there as it was: somebody may have tidied the folder meanwhile.
    return kept is not None and folder.child(item.name).size_bytes() == kept["size_bytes"]


def _fetch(ctx: JobContext, folder: Destination, item: _Item, dataset_id: str, stop: threading.Event) -> dict[str, Any]:
    def once() -> FileWriter:
        response = ctx.client.run(files.open_file(item.url, dataset_id=dataset_id))
        stream = response.stream
        assert stream is not None  # a file is always streamed
        try:
            with FileWriter(folder.child(item.name), token=ctx.token) as writer:
                while piece := stream.read():
                    if stop.is_set():
                        raise OdsTruncated("stopped before the file was whole", where=item.name)
                    writer.write(piece)
                writer.commit()
                return writer
        finally:
            stream.close()

    def worth(error: BaseException) -> bool:
        return isinstance(error, (OdsTruncated, OdsTimeout)) and not stop.is_set()

    writer = ctx.again(once, worth=worth)
    return {
        "file": item.name,
        "url": scrub(item.url),
        "title": item.said.get("title") or item.said.get("filename"),
        "mimetype": item.said.get("mimetype"),
        "size_bytes": writer.size_bytes,
        "sha256": writer.sha256,
        "dataset_id": dataset_id,
    }
