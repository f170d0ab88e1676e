"""The rows of a query at Search API v1.0: record objects of a dataset, or dataset objects of the catalogue."""

from __future__ import annotations

from collections.abc import Generator
from itertools import islice

from ods_provider.core import jsonarray
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.pages import Batch, Page, State
from ods_provider.core.plans.records import count_of
from ods_provider.core.plans.rows import described_state, ids_state
from ods_provider.core.plans.v1 import calls
from ods_provider.core.plans.v1.params import PAGE_ROWS, WINDOW_ROWS, V1Query
from ods_provider.core.schema import held
from ods_provider.core.wire import Plan, Response


class V1Rows:
    """As ``core.reading.Rows`` says. Each object has its id, whatever fields are asked for.

    Args:
        dataset_id: None reads the catalogue.
        query: That API's parameters; ``rows`` is the limit, ``start`` the row that pages begin at.
    """

    page_rows = PAGE_ROWS
    counted = True

    def __init__(self, dataset_id: str | None, query: V1Query) -> None:
        self._dataset_id = dataset_id
        self._query = query.expect_json()
        self._start = query.number("start") or 0
        self.window_rows = WINDOW_ROWS - self._start

    @property
    def where(self) -> str:
        """What is read, for messages."""
        return "the catalogue" if self._dataset_id is None else f"dataset {self._dataset_id}"

    @property
    def exported(self) -> bool:
        """A download knows neither order nor start, and there is none of the catalogue."""
        return self._dataset_id is not None and not self._start and not self._query.get("sort")

    @property
    def paged(self) -> bool:
        """Where nothing else gives the rows."""
        return not self.exported

    def state(self) -> Plan[State]:
        """Describe the dataset: one call; of the catalogue, which datasets match: a call for each thousand."""
        if self._dataset_id is not None:
            return described_state(*held((yield from calls.dataset(self._dataset_id)).get("metas")))
        asked, ids = self._query.filters_only(), list[str]()
        while True:
            found = yield from calls.search_datasets(asked.having(rows=PAGE_ROWS, start=len(ids)))
            ids += [str(each["datasetid"]) for each in found["datasets"]]
            if not found["datasets"] or len(ids) >= min(count_of(found, "nhits"), WINDOW_ROWS):
                return ids_state(ids)

    def page(self, *, offset: int, limit: int, known: bool) -> Plan[Page]:
        """Ask for one page. One call."""
        query = self._query.having(start=self._start + offset, rows=limit)
        if self._dataset_id is None:
            body, kind, key = (yield from calls.search_datasets(query)), "datasets", "datasetid"
        else:
            body, kind, key = (yield from calls.search_records(self._dataset_id, query)), "records", "recordid"
        rows = body[kind]
        return Page(max(0, count_of(body, "nhits") - self._start), rows, [str(row[key]) for row in rows])

    def open_export(self, *, total: int | None, limit: int | None) -> Plan[Response]:
        """Ask for a download, which goes on where pages do not. One call.

        Raises:
            OdsConfigError: It would not give the same rows.
        """
        if self._dataset_id is None or not self.exported:
            raise OdsConfigError(
                f"{total} rows match, and Search API v1.0 shows the first {WINDOW_ROWS} rows only",
                where="parameters rows, start and sort",
                advice="Narrow the query, leave start and sort out so that a download can be used, or use Explore v2.1",
            )
        asked = self._query.having(rows=None, facet=None, format="json")
        return (yield from calls.open_download(self._dataset_id, asked))

    def listed(self, response: Response, *, limit: int | None) -> Generator[Batch]:
        """Yield the rows of a download in lists, ``limit`` of them at most: the download knows no limit."""
        assert response.stream is not None  # a download is always streamed
        rows = islice(jsonarray.rows(response.stream, where=f"GET {response.url}"), limit)
        while batch := list(islice(rows, PAGE_ROWS)):
            yield batch
        response.stream.close()
