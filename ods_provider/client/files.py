"""Exports and other files, as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ods_provider.client.running import Runs
from ods_provider.core.plans import files, records
from ods_provider.core.query import Filter, Query
from ods_provider.core.wire import ByteStream, Response


class FileCalls(Runs):
    """The client's methods about exports and files."""

    def export(  # noqa: D417  the rest is as with records
        self,
        dataset_id: str | None = None,
        *,
        format: str = "json",
        limit: int | None = None,
        format_options: Mapping[str, Any] | None = None,
        select: str | None = None,
        where: str | Sequence[str] | None = None,
        order_by: str | None = None,
        group_by: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str = "UTC",
    ) -> Iterator[bytes]:
        """Yield the bytes of an export in pieces; that they are all there is for the reader to check.

        The download job counts rows and commits a file; this is for those who read a format themselves.

        Args:
            dataset_id: None exports the catalogue.
            format: Any of ``export_formats``.
            limit: Rows at most; None exports all.
            format_options: The format's own parameters.
            select, where, order_by, group_by: The portal's own words, as are the rest.
            refine, exclude: Facets to keep and to drop.
            lang, timezone: Of texts and of times.
        """
        from ods_provider.core.formats.registry import format_named

        chosen = format_named(format, catalogue=dataset_id is None)
        query = Query.of(
            select=select,
            where=where,
            order_by=order_by,
            group_by=group_by,
            refine=refine,
            exclude=exclude,
            lang=lang,
            timezone=timezone,
        )
        response = self.open_export(
            dataset_id, query, format=chosen.name, limit=limit, options=chosen.params(format_options)
        )
        yield from pieces(response)

    def file(self, dataset_id: str, url: str, *, mimetype: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file by its ``url``; it may be a web page if that or the listed ``mimetype`` says so."""
        yield from pieces(self.run(files.open_file(url, dataset_id=dataset_id, mimetype=mimetype)))

    def open_export(self, dataset_id: str | None, query: Query, **how: Any) -> Response:
        """Return an export's answer with its stream unread; the caller closes the stream."""
        return self.run(records.open_export(dataset_id, query, **how))


def pieces(response: Response) -> Iterator[bytes]:
    """Yield the bytes of an answer as they come, and close it."""
    stream: ByteStream | None = response.stream
    assert stream is not None  # exports and files are always streamed
    try:
        while piece := stream.read():
            yield piece
    finally:
        stream.close()
