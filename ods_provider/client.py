"""The client: a portal in Python words, for users of the hook, for scripts without a scheduler, and for jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.drive import Terms, Transport, adrive, drive
from ods_provider.core.events import Emit, ignore
from ods_provider.core.oauth import TokenStore
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import catalog, files, push, records
from ods_provider.core.query import Filter, Query
from ods_provider.core.quota import QuotaBook
from ods_provider.core.reading import Reader
from ods_provider.core.redact import Secret
from ods_provider.core.retry import RetryRules
from ods_provider.core.schema import Dataset
from ods_provider.core.times import utc_now
from ods_provider.core.typed import typed_datasets, typing_of
from ods_provider.core.wire import ByteStream, Plan, Response

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
        self._schemas: dict[str, Dataset] = {}

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

    def dataset(self, dataset_id: str, *, lang: str | None = None) -> Dataset:
        """Return one dataset's description as a value."""
        return self.run(catalog.dataset(dataset_id, lang=lang))

    def dataset_object(self, dataset_id: str, **query: Any) -> Row:
        """Return one dataset as the portal sends it.

        Args:
            dataset_id: The dataset.
            query: ``select``, ``lang``, ``timezone``, ``include_links``, ``include_app_metas``.
        """
        return self.run(catalog.dataset_object(dataset_id, Query.of(**query)))

    def schema(self, dataset_id: str) -> Dataset:
        """Return the dataset's description, asked for once per client."""
        if dataset_id not in self._schemas:
            self._schemas[dataset_id] = self.dataset(dataset_id)
        return self._schemas[dataset_id]

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
        include_links: bool = False,
        include_app_metas: bool = False,
        typed: bool = True,
    ) -> Iterator[Row]:
        """Yield dataset objects; past 10,000 they come from one export.

        ``select`` to ``timezone`` are the portal's own words, ``limit`` the most datasets wanted. With
        ``include_links`` and ``include_app_metas`` each comes with its links and technical fields. ``typed`` makes
        times aware datetimes; else they stay text, as the portal sends them.
        """
        query = Query.of(
            select=select,
            where=where,
            order_by=order_by,
            refine=refine,
            exclude=exclude,
            lang=lang,
            timezone=timezone,
            include_links=include_links,
            include_app_metas=include_app_metas,
        )
        for rows in Reader(self.run, None, query).batches(limit):
            yield from typed_datasets(rows) if typed else rows

    def facets(
        self,
        dataset_id: str | None = None,
        *,
        facet: str | Iterable[str] = (),
        where: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
    ) -> catalog.Facets:
        """Return ``{facet: [(value, count), …]}``, whole, past the 100 values where a facet list stops.

        ``facet`` takes names, or calls such as ``facet(name="country", sort="alphanum", limit=20)``; without it all
        declared facets are listed. Without a dataset the catalogue is asked. The rest are the portal's own words.
        """
        names = [facet] if isinstance(facet, str) else list(facet)
        query = Query.of(where=where, refine=refine, exclude=exclude, lang=lang, timezone=timezone)
        return self.run(catalog.facets(dataset_id, names, query))

    def export_formats(self, dataset_id: str | None = None) -> list[str]:
        """Return the export formats that are offered for a dataset, or for the catalogue."""
        return self.run(catalog.export_formats(dataset_id))

    def attachments(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return a dataset's attachments: ``[{id, title, mimetype, url}]``."""
        return self.run(catalog.attachments(dataset_id))

    def alternative_exports(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return the files that a publisher offers beside the exports: ``[{id, title, mimetype, url}]``."""
        return self.run(catalog.alternative_exports(dataset_id))

    # Records

    def count(
        self,
        dataset_id: str | None,
        *,
        where: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
    ) -> int:
        """Return how many records match; without a dataset, how many datasets."""
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
        include_links: bool = False,
        include_app_metas: bool = False,
        typed: bool = True,
    ) -> Iterator[Row]:
        """Yield records as dicts in constant memory.

        They come in pages of 100 where ``order_by`` is given; without it, and past 10,000, from one export, because
        pages without an order may repeat rows and skip others. ``select`` to ``timezone`` are the portal's own words,
        ``limit`` the most records wanted. With ``include_links`` and ``include_app_metas`` each comes with its links
        and technical fields, in pages, up to 10,000 records. ``typed`` gives
        dates, times and points Python's types from the schema (``core.typed`` has the table), which costs one call per
        client and dataset; else they stay as the portal's JSON has them.

        Raises:
            OdsIncomplete: Fewer or more came than the portal counts.
            OdsMoved: The dataset changed while it was read.
        """
        query = Query.of(
            select=select,
            where=where,
            order_by=order_by,
            refine=refine,
            exclude=exclude,
            lang=lang,
            timezone=timezone,
            include_links=include_links,
            include_app_metas=include_app_metas,
        )
        convert = typing_of(self.schema(dataset_id)) if typed else None
        for rows in Reader(self.run, dataset_id, query).batches(limit):
            yield from convert(rows) if convert else rows

    def record(self, dataset_id: str, record_id: str, *, typed: bool = True, **query: Any) -> Row:
        """Return one record, ``typed`` as in ``records``.

        ``query`` takes ``select``, ``lang``, ``timezone``, ``include_links`` and ``include_app_metas``.
        """
        row = self.run(records.record(dataset_id, record_id, Query.of(**query)))
        return typing_of(self.schema(dataset_id))([row])[0] if typed else row

    def aggregate(
        self,
        dataset_id: str | None,
        *,
        select: str,
        group_by: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
        limit: int | None = None,
    ) -> list[Row]:
        """Return aggregates: one row without ``group_by``, all groups with it, however many they are.

        ``select`` holds aggregates (``"count(*) as n"``), ``group_by`` fields, ``range(…)``, ``year(…)`` and the like,
        ``limit`` the most groups wanted. Without a dataset the catalogue is aggregated.
        """
        query = Query.of(
            select=select,
            group_by=group_by,
            where=where,
            order_by=order_by,
            refine=refine,
            exclude=exclude,
            lang=lang,
            timezone=timezone,
        )
        return self.run(records.aggregate(dataset_id, query, limit=limit))

    def rows(self, dataset_id: str | None, query: Query, *, limit: int | None = None) -> Iterator[Row]:
        """Yield the rows of a ready query as the portal's JSON has them; without a dataset, those of the catalogue."""
        for rows in Reader(self.run, dataset_id, query).batches(limit):
            yield from rows

    # Files

    def export(
        self,
        dataset_id: str | None = None,
        *,
        format: str = "json",
        limit: int | None = None,
        format_options: Mapping[str, Any] | None = None,
        **query: Any,
    ) -> Iterator[bytes]:
        """Yield the bytes of an export in pieces; that they are all there is for the reader to check.

        The download job counts rows and commits a file; this is for those who read a format themselves.

        Args:
            dataset_id: None exports the catalogue.
            format: Any of ``export_formats``.
            limit: Rows at most; None exports all.
            format_options: The format's own parameters.
            query: ``select``, ``where``, ``order_by``, ``group_by``, ``refine``, ``exclude``, ``lang``, ``timezone``.
        """
        from ods_provider.core.formats.registry import format_named

        chosen = format_named(format, catalogue=dataset_id is None)
        response = self.open_export(
            dataset_id, Query.of(**query), format=chosen.name, limit=limit, options=chosen.params(format_options)
        )
        yield from _pieces(response)

    def file(self, dataset_id: str, url: str, *, mimetype: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file by its ``url``; it may be a web page if that or the listed ``mimetype`` says so."""
        yield from _pieces(self.run(files.open_file(url, dataset_id=dataset_id, mimetype=mimetype)))

    def open_export(self, dataset_id: str | None, query: Query, **how: Any) -> Response:
        """Return an export's answer with its stream unread; the caller closes the stream."""
        return self.run(records.open_export(dataset_id, query, **how))

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


def _pieces(response: Response) -> Iterator[bytes]:
    stream: ByteStream | None = response.stream
    assert stream is not None  # exports and files are always streamed
    try:
        while piece := stream.read():
            yield piece
    finally:
        stream.close()


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
