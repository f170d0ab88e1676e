"""The rows of a query at Explore v2.1: records of a dataset, or datasets of the catalogue."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from dataclasses import replace
from itertools import islice
from typing import Any

from ods_provider.core import jsonarray, jsonl
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.limits import PAGE_ROWS, WINDOW_ROWS
from ods_provider.core.pages import Batch, Page, State
from ods_provider.core.plans import catalog, records
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset
from ods_provider.core.times import iso
from ods_provider.core.wire import Plan, Response

_ID = "_id"
_TECHNICAL = (_ID, "_timestamp", "_size")  # what include_app_metas puts beside the fields of a record
_NAMED = re.compile(r"(?<![A-Za-z0-9_])_(?:id|timestamp|size)(?![A-Za-z0-9_])")


class ExploreRows:
    """As ``core.reading.Rows`` says.

    Args:
        dataset_id: None reads the catalogue.
        query: What to select.
    """

    page_rows = PAGE_ROWS
    window_rows = WINDOW_ROWS

    def __init__(self, dataset_id: str | None, query: Query) -> None:
        self._dataset_id = dataset_id
        self._query = query
        self._extras = query.include_links or query.include_app_metas
        # A field or an alias of that name would be taken for the technical one.
        self._shadowed = dataset_id is None or _NAMED.search(query.select or "") is not None

    @property
    def where(self) -> str:
        """What is read, for messages."""
        return "the catalogue" if self._dataset_id is None else f"dataset {self._dataset_id}"

    @property
    def paged(self) -> bool:
        """Where an order was asked for that is the same at each page, or what only pages show."""
        order = self._query.order_by
        return self._extras or (order is not None and "random" not in order.lower())

    @property
    def exported(self) -> bool:
        """Exports have neither links nor technical fields."""
        return not self._extras

    @property
    def counted(self) -> bool:
        """Groups are not."""
        return self._query.group_by is None

    def state(self) -> Plan[State]:
        """Describe the dataset: one call; of the catalogue, which datasets match: one export of their ids."""
        if self._dataset_id is not None:
            return self.described((yield from catalog.dataset(self._dataset_id)))
        query = replace(self._query.filters_only(), select="dataset_id")
        return (yield from records.export(None, query, format="json", read=_ids_of))

    def described(self, dataset: Dataset) -> State:
        """Return the state that a description tells."""
        self._shadowed |= any(field.name in _TECHNICAL for field in dataset.fields)
        return described_state(dataset.data_processed, dataset.records_count)

    def page(self, *, offset: int, limit: int, known: bool) -> Plan[Page]:
        """Ask for one page. One call."""
        beside = known and not self._shadowed and not self._query.include_app_metas
        query = replace(self._query, include_app_metas=True) if beside else self._query
        found = yield from records.page(self._dataset_id, query, offset=offset, limit=limit)
        ids = self._ids(found.rows) if known else None
        if beside:
            for row in found.rows:
                for name in _TECHNICAL:
                    row.pop(name, None)
        return Page(found.total_count, found.rows, ids)

    def _ids(self, rows: Batch) -> list[str] | None:
        if self._dataset_id is None:
            name = "dataset_id"
        elif not self._shadowed:
            name = _ID
        else:
            return None
        ids = [row.get(name) for row in rows]
        return [str(each) for each in ids] if all(isinstance(each, str) for each in ids) else None

    def open_export(self, *, total: int | None, limit: int | None) -> Plan[Response]:
        """Ask for an export. One call.

        Raises:
            OdsConfigError: Links or technical fields were asked, which exports do not have.
        """
        if self._extras:
            raise OdsConfigError(
                f"{total or 'so many'} rows come as an export, which has neither links nor technical fields",
                where="arguments include_links, include_app_metas",
                advice=f"Set a limit of at most {WINDOW_ROWS}, narrow the query, or leave them out",
            )
        return (yield from records.open_export(self._dataset_id, self._query, format=self._format, limit=limit))

    @property
    def _format(self) -> str:
        # The catalogue is not offered as JSON lines; and groups have no count, so that the end has to show.
        return "json" if self._dataset_id is None or not self.counted else "jsonl"

    def listed(self, response: Response, *, limit: int | None) -> Generator[Batch]:
        """Yield the rows of an export in lists."""
        assert response.stream is not None  # an export is always streamed
        where = f"GET {response.url}"
        if self._format == "jsonl":
            yield from jsonl.batches(response.stream, where=where, quoted=response.quoted)
            return
        rows = jsonarray.rows(response.stream, where=where)
        while batch := list(islice(rows, PAGE_ROWS)):
            yield batch


def described_state(processed: Any, records_count: Any) -> State:
    """Return the state that a dataset's description tells."""
    return {"data_processed": iso(processed), "records_count": records_count}


def ids_state(ids: list[str]) -> State:
    """Return the state of a catalogue with these datasets."""
    digest = hashlib.sha256("\n".join(sorted(ids)).encode(errors="surrogatepass")).hexdigest()
    return {"datasets": len(ids), "their ids": digest[:16]}


def _ids_of(response: Response) -> State:
    assert response.stream is not None  # an export is always streamed
    rows = jsonarray.rows(response.stream, where=f"GET {response.url}")
    return ids_state([str(row.get("dataset_id")) for row in rows])
