"""Search API v1.0 in Python: its own words in, its own objects out.

Parameters are that API's, as keywords: ``refine={"city": "Paris"}`` and ``**{"refine.city": "Paris"}`` are the same, a
list repeats a parameter. ``sort="population"`` is descending, ``sort="-population"`` ascending: the sign is reversed
(Q16). Fields without a value are absent from a record, not null (Q17); points are ``[latitude, longitude]`` (Q22).
"""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Generator, Iterator
from typing import Any, Protocol, Self, TypeVar, cast

from ods_provider.core import jsonarray
from ods_provider.core.bodies import Refetched
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsMismatch, OdsTruncated
from ods_provider.core.limits import ROW_BYTES
from ods_provider.core.plans.v1 import calls
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.wire import ByteStream, Plan, Response

T = TypeVar("T")
Row = dict[str, Any]


class Portal(Protocol):
    """What runs a plan: the client."""

    def run(self, plan: Plan[T]) -> T:
        """Run it to its end."""
        ...


class ClientV1:
    """Search API v1.0 of a portal; ``client.v1`` gives it. Each method is one call unless it says otherwise.

    A query too long for a URL (4 KB) is sent as a form by POST.

    Args:
        portal: The client.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def search_datasets(self, **params: Any) -> Row:
        """Return ``{nhits, parameters, datasets, facet_groups}``: ``rows`` datasets (10 unless said) from ``start`` on.

        Raises:
            OdsConfigError: ``start + rows`` passes 10,000.
        """
        return self._portal.run(calls.search_datasets(V1Query.of(params)))

    def dataset(self, dataset_id: str) -> Row:
        """Return one dataset object: ``{datasetid, metas, fields, attachments, …}``."""
        return self._portal.run(calls.dataset(dataset_id))

    def search_records(self, dataset_id: str, **params: Any) -> Row:
        """Return ``{nhits, parameters, records, facet_groups}``: ``rows`` records (10 unless said) from ``start`` on.

        Raises:
            OdsConfigError: ``start + rows`` passes 10,000; ``download`` goes on.
        """
        return self._portal.run(calls.search_records(dataset_id, V1Query.of(params)))

    def record(self, dataset_id: str, record_id: str) -> Row:
        """Return one record: ``{datasetid, recordid, fields, geometry, record_timestamp}``."""
        return self._portal.run(calls.record(dataset_id, record_id))

    def analyze(self, dataset_id: str, **params: Any) -> list[Row]:
        """Return ``[{"x": value, series: number}, …]`` for ``x="country", y={"n": {"func": "COUNT"}}``.

        Raises:
            OdsIncomplete: The portal cut the list (Q18).
        """
        return self._portal.run(calls.analyze(dataset_id, V1Query.of(params)))

    def geocluster(self, dataset_id: str, **params: Any) -> Row:
        """Return ``{clusters, count, series, clusterprecision}``; ``clusterprecision`` must be given."""
        return self._portal.run(calls.geocluster(dataset_id, V1Query.of(params)))

    def download(self, dataset_id: str, **params: Any) -> Download:
        """Return all rows of a query, streamed; CSV unless ``format`` says otherwise.

        Two calls: the rows are counted first. Iterate over the result for rows, or ``read()`` the bytes as they are.
        """
        query = V1Query.of(params)
        nhits = self._portal.run(calls.count(dataset_id, query))
        asked = query.number("rows")
        response = self._portal.run(calls.open_download(dataset_id, query))
        return Download(response, query, expected=nhits if asked is None else min(asked, nhits))


class Download:
    """A download under way, in constant memory.

    Iterating gives rows: for CSV a dict of texts by the header's names, for JSON record objects, for GeoJSON features.
    ``read`` gives the file's bytes instead, so that ``shutil.copyfileobj(download, file)`` writes it. The connection is
    given back at the end, at an error, and by ``close`` or the end of a ``with`` block.

    Args:
        response: The answer, its stream unread.
        query: What was asked.
        expected: Rows that the portal counted.
    """

    def __init__(self, response: Response, query: V1Query, *, expected: int) -> None:
        self.format = query.get("format") or "csv"
        self.expected = expected
        self._delimiter = query.get("csv_separator") or ";"
        self._url = response.url
        self._stream = cast("ByteStream", response.stream)  # a download is always streamed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back; safe to call twice."""
        self._stream.close()

    def read(self, size: int = 262_144) -> bytes:
        """Return the next bytes, about ``size`` of them, ``b""`` at the end."""
        return self._stream.read(size)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows.

        Raises:
            OdsConfigError: The format has no rows to give.
            OdsIncomplete: Their number is not the one that the portal counted.
            OdsTruncated: The answer broke off.
        """
        if self.format not in ("csv", "json", "geojson"):
            raise OdsConfigError(
                f"rows cannot be read from format {self.format}",
                where="parameter format of the download",
                advice="Use csv, json or geojson, or read() the bytes",
            )
        # The last row is in a frame of its own, which no error keeps: it may repeat a key.
        got = yield from self._passed()
        if got != self.expected:
            raise OdsMismatch(
                f"the download held {counted(got, 'rows')} where the portal counted {self.expected:,}",
                where=self._url,
                advice="The dataset may have been republished meanwhile: run it again",
            )

    def _passed(self) -> Generator[Row, None, int]:
        """Yield the rows and return their number."""
        got = 0
        if isinstance(self._stream, Refetched):
            self._stream.doubt = lambda: got < self.expected
        try:
            for row in self._rows():
                got += 1
                yield row
        finally:
            self.close()
        return got

    def _rows(self) -> Iterator[Row]:
        if self.format == "csv":
            # The module's own limit is 128 KB a cell, which a coastline exceeds.
            csv.field_size_limit(sys.maxsize)
            return iter(csv.DictReader(self._lines(), delimiter=self._delimiter))
        return jsonarray.rows(self._stream, where=self._url, inside="features" if self.format == "geojson" else None)

    def _lines(self) -> Iterator[str]:
        # utf-8-sig: a BOM would become part of the first name (Q38). The reader puts quoted line breaks together.
        decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        held: list[str] = []  # of a line that has not ended: put together once, however many pieces it has
        size = 0
        try:
            while piece := self._stream.read():
                *lines, rest = decode(piece).split("\n")
                for line in lines:
                    yield "".join([*held, line, "\n"])
                    held, size = [], 0
                held.append(rest)
                size += len(rest)
                if size > ROW_BYTES:
                    raise OdsTruncated(
                        f"a line of the CSV is longer than {ROW_BYTES:,}", where=self._url, advice="Run it again"
                    )
        except UnicodeDecodeError:
            raise OdsTruncated("the CSV is no UTF-8", where=self._url, advice="Run it again") from None
        if size:
            yield "".join(held)
