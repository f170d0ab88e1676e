"""The client: a portal in Python words, for users of the hook, for scripts without a scheduler, and for jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ods_provider.core import jsonl
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.drive import Terms, Transport, adrive, drive
from ods_provider.core.errors import OdsIncomplete, OdsMoved
from ods_provider.core.events import Emit, ignore
from ods_provider.core.limits import PAGE_ROWS, WINDOW_ROWS
from ods_provider.core.oauth import TokenStore
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import catalog, push, records
from ods_provider.core.query import Filter, Query, whole_number
from ods_provider.core.quota import QuotaBook
from ods_provider.core.redact import Secret
from ods_provider.core.retry import RetryRules
from ods_provider.core.schema import Dataset
from ods_provider.core.times import utc_now
from ods_provider.core.wire import Plan, Response

if TYPE_CHECKING:
    from ods_provider.client_v1 import ClientV1
    from ods_provider.core.plans.records import Row

T = TypeVar("T")


class OdsClient:
    """A portal's catalogue, records, aggregates and realtime resources.

    Args:
        host: Host name or URL of the portal, or a whole ``OdsConnection``.
        api_key: API key; without it calls are anonymous.
        emit: Hears what happens (requests, retries, quotas).
        tokens: Keeps the OAuth2 grant of ``auth="oauth2"``; the default is a file, see ``docs/authentication.md``.
        transport: What sends; the default is ``requests``.
        now, sleep: Clock and sleep, for tests.
        settings: The connection's extras (``timeout_s``, ``push_api_key``, ``verify``, …).

    Raises:
        OdsConfigError: The host or a setting is bad.

    Every method raises the errors that ``ods_provider.errors`` draws. Use it as a context manager, or call ``close``.
    """

    def __init__(
        self,
        host: str | OdsConnection,
        *,
        api_key: str | None = None,
        emit: Emit = ignore,
        tokens: TokenStore | None = None,
        transport: Transport | None = None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        **settings: Any,
    ) -> None:
        if not isinstance(host, OdsConnection):
            host = from_parts(host=host, password=api_key, extra=settings, where="OdsClient")
        self.connection = host
        self.transport = transport = transport or _transport(host, tokens, emit=emit, now=now)
        self.terms = Terms(
            transport=transport,
            rules=RetryRules(max_retries=host.max_retries, max_wait_s=host.max_wait_s),
            emit=emit,
            now=now,
            sleep=sleep,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OdsClient({self.connection.base_url!r}, key={'sent' if self.key_sent else 'none'})"

    def close(self) -> None:
        """Close the pooled connections."""
        close = getattr(self.transport, "close", None)
        if close:
            close()

    @property
    def quota(self) -> QuotaBook:
        """The last known quotas: ``.portal`` and ``.datasets[id]``, each limit, remaining, reset_at."""
        return self.terms.quota

    @property
    def key_sent(self) -> bool:
        """Whether calls carry credentials."""
        return self.connection.signs

    @property
    def v1(self) -> ClientV1:
        """Search API v1.0, in its own words."""
        from ods_provider.client_v1 import ClientV1

        return ClientV1(self)

    def secrets(self) -> list[Secret]:
        """Return the connection's secrets, for maskers."""
        return self.connection.secrets()

    def run(self, plan: Plan[T]) -> T:
        """Run a plan in this thread."""
        return drive(plan, self.terms)

    async def arun(self, plan: Plan[T]) -> T:
        """Run a plan without blocking the event loop."""
        return await adrive(plan, self.terms)

    # Catalogue

    def dataset(self, dataset_id: str) -> Dataset:
        """Return one dataset's description."""
        return self.run(catalog.dataset(dataset_id))

    def datasets(
        self,
        *,
        select: str | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Yield dataset objects as the portal sends them; past 10,000 they come from one export."""
        query = Query.of(
            select=select, where=where, order_by=order_by, refine=refine, exclude=exclude, lang=lang, timezone=timezone
        )
        return self.rows(None, query, limit=limit)

    def facets(
        self,
        dataset_id: str | None = None,
        *,
        facet: str | Iterable[str] = (),
        where: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
    ) -> catalog.Facets:
        """Return ``{facet: [(value, count), …]}``, whole, past the 100 values where a facet list stops."""
        names = [facet] if isinstance(facet, str) else list(facet)
        return self.run(catalog.facets(dataset_id, names, Query.of(where=where, refine=refine, exclude=exclude)))

    def export_formats(self, dataset_id: str | None = None) -> list[str]:
        """Return the export formats that are offered."""
        return self.run(catalog.export_formats(dataset_id))

    def attachments(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return a dataset's attachments: ``[{id, title, mimetype, url}]``."""
        return self.run(catalog.attachments(dataset_id))

    # Records

    def count(
        self,
        dataset_id: str,
        *,
        where: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
    ) -> int:
        """Return how many records match."""
        return self.run(records.count(dataset_id, Query.of(where=where, refine=refine, exclude=exclude)))

    def records(
        self,
        dataset_id: str,
        *,
        select: str | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Yield records as dicts in constant memory; past 10,000 they come from one export.

        Raises:
            OdsIncomplete: Fewer or more came than the portal counts.
            OdsMoved: The dataset changed while it was read.
        """
        query = Query.of(
            select=select, where=where, order_by=order_by, refine=refine, exclude=exclude, lang=lang, timezone=timezone
        )
        return self.rows(dataset_id, query, limit=limit)

    def record(self, dataset_id: str, record_id: str) -> Row:
        """Return one record."""
        return self.run(records.record(dataset_id, record_id))

    def aggregate(
        self,
        dataset_id: str,
        *,
        select: str,
        group_by: str | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Return aggregates: one row without ``group_by``, all groups with it, however many they are."""
        query = Query.of(
            select=select, group_by=group_by, where=where, order_by=order_by, refine=refine, exclude=exclude
        )
        return self.run(records.aggregate(dataset_id, query, limit=limit))

    # Realtime

    def push(self, dataset_id: str, resource_id: str, records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Push records in batches under 5 MB and return an Outcome with ``rows`` and ``batches``."""
        return self._send(dataset_id, resource_id, records, "push")

    def delete(
        self,
        dataset_id: str,
        resource_id: str,
        records: Iterable[Mapping[str, Any]] = (),
        *,
        record_id: str | None = None,
    ) -> dict[str, Any]:
        """Delete the given records by value, or one by its id; return an Outcome."""
        if record_id is None:
            return self._send(dataset_id, resource_id, records, "delete")
        self.run(push.delete_by_id(dataset_id, resource_id, record_id))
        return outcome(dataset_id=dataset_id, rows=1, batches=1, calls=1)

    def _send(
        self, dataset_id: str, resource_id: str, rows: Iterable[Mapping[str, Any]], action: Any
    ) -> dict[str, Any]:
        from ods_provider.core.batches import batches

        sent = calls = 0
        for batch in batches(rows):
            self.run(push.send(dataset_id, resource_id, batch.body, action=action))
            sent, calls = sent + batch.rows, calls + 1
        return outcome(dataset_id=dataset_id, rows=sent, batches=calls, calls=calls)

    # Rows, however many

    def open_export(self, dataset_id: str | None, query: Query, **how: Any) -> Response:
        """Return an export's answer with its stream unread; the caller closes the stream."""
        return self.run(records.open_export(dataset_id, query, **how))

    def rows(self, dataset_id: str | None, query: Query, *, limit: int | None = None) -> Iterator[Row]:
        """Yield the rows of a query: pages of 100 up to 10,000 rows, one export beyond."""
        wanted = whole_number("limit", limit)
        first = self.run(records.page(dataset_id, query, limit=PAGE_ROWS if wanted is None else min(PAGE_ROWS, wanted)))
        total = first.total_count if wanted is None else min(wanted, first.total_count)
        if total > WINDOW_ROWS:
            yield from self.export(dataset_id, query, total=total, limited=wanted is not None)
            return
        yield from first.rows
        done, previous = len(first.rows), first.rows
        while done < total:
            page = self.next_page(
                dataset_id, query, done=done, total=total, counted=first.total_count, previous=previous
            )
            yield from page
            done, previous = done + len(page), page

    def next_page(
        self,
        dataset_id: str | None,
        query: Query,
        *,
        done: int,
        total: int,
        counted: int,
        previous: list[Row],
    ) -> list[Row]:
        """Return the page that begins after ``done`` rows, checked against the one before.

        Raises:
            OdsMoved: The portal counts other rows now than on the first page.
            OdsIncomplete: The page is short, or repeats the one before (Q59).
        """
        ask = min(PAGE_ROWS, total - done)
        page = self.run(records.page(dataset_id, query, offset=done, limit=ask))
        where = f"{dataset_id or 'the catalogue'}, rows {done} to {done + ask}"
        if page.total_count != counted:
            raise OdsMoved(
                f"the portal counted {counted} rows, and now {page.total_count}",
                where=where,
                advice="Run it again, or use the download, which reads the dataset in one call",
            )
        if len(page.rows) != ask or (page.rows == previous and len(previous) == ask > 1):
            raise OdsIncomplete(
                f"a page holds {len(page.rows)} rows of {ask}"
                if len(page.rows) != ask
                else "a page repeats the one before",
                where=where,
                advice="Add an order_by on a unique field, or use the download",
                transient=True,
            )
        return page.rows

    def export(self, dataset_id: str | None, query: Query, *, total: int, limited: bool) -> Iterator[Row]:
        """Yield the rows of an export and compare their number with ``total`` at the end.

        Raises:
            OdsIncomplete: The numbers differ; the rows yielded so far are not all.
        """
        # The catalogue is not offered as JSON lines; its list is small enough to be held.
        if dataset_id is None:
            yield from self.run(records.export_rows(None, query, limit=total if limited else None))
            return
        response = self.open_export(dataset_id, query, format="jsonl", limit=total if limited else None)
        assert response.stream is not None  # an export is always streamed
        got = 0
        for row in jsonl.rows(response.stream, where=f"GET {response.url}"):
            got += 1
            yield row
        if got != total:
            raise OdsIncomplete(
                f"the export held {got} rows where the portal counted {total}",
                where=f"GET {response.url}",
                advice="The dataset may have been republished meanwhile: run it again",
                transient=True,
            )


def _transport(
    connection: OdsConnection, tokens: TokenStore | None, *, emit: Emit, now: Callable[[], datetime]
) -> Transport:
    # Imported late: whoever only builds plans or parses DAG files never loads requests.
    if connection.auth == "oauth2":
        from ods_provider.sinks.tokens import FileTokens
        from ods_provider.transport.oauth import OAuthTransport

        return OAuthTransport(connection, tokens or FileTokens.of(connection), emit=emit, now=now)
    from ods_provider.transport.session import RequestsTransport

    return RequestsTransport(connection)
