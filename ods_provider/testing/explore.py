"""Explore v2.1 over a store: every endpoint of its table that this portal serves.

Source: Explore v2.1 endpoints and parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ods_provider.testing import catalog, exports
from ods_provider.testing.access import Access
from ods_provider.testing.errors import Refusal, bad_parameter, forbidden, gone, no_dataset, no_resource, no_uri
from ods_provider.testing.odsql import Field, OdsqlError, OutputColumn, compile_facet
from ods_provider.testing.querying import ask, flag, number, run_list, window, zone
from ods_provider.testing.schema import DatasetState
from ods_provider.testing.store import Store
from ods_provider.testing.writing import compressed, json_response, json_text_response

ROOT = "/api/explore/v2.1/catalog"
MOST_FACET_VALUES = 100


class Source(NamedTuple):
    """What a query runs on: fields, table, and the dataset (None for the catalogue)."""

    fields: list[Field]
    table: str
    state: DatasetState | None


class Explore:
    """The handlers.

    Args:
        store: The data.
        access: Who may see what.
        group_by_ceiling: This portal's ceiling for groups (Q2).
    """

    def __init__(self, store: Store, access: Access, *, group_by_ceiling: int = 20_000) -> None:
        self._store = store
        self._access = access
        self._ceiling = group_by_ceiling

    def routes(self) -> list[Route]:
        """Return the routes, GET only."""
        one = ROOT + "/datasets/{dataset_id}"
        table = [
            (f"{ROOT}/datasets", self.datasets),
            (f"{ROOT}/exports", self.formats),
            (f"{ROOT}/exports/{{name}}", self.export),
            (f"{ROOT}/facets", self.facets),
            (one, self.dataset),
            (f"{one}/records", self.records),
            (f"{one}/records/{{record_id}}", self.record),
            (f"{one}/facets", self.facets),
            (f"{one}/exports", self.formats),
            (f"{one}/exports/{{name}}", self.export),
            (f"{one}/attachments", self.attachments),
            (f"{one}/attachments/{{attachment_id}}", self.attachment),
            (f"{one}/files/{{file_id}}", self.file),
            (f"{one}/aggregates", self.aggregates),
        ]
        return [Route(path, handler, methods=["GET"]) for path, handler in table]

    def _source(self, request: Request, cursor: Any, *, records: bool = False) -> Source:
        dataset_id = request.path_params.get("dataset_id")
        if dataset_id is None:
            catalog.create_table(self._store, cursor)
            return Source(catalog.fields(), catalog.TABLE, None)
        state = self._state(request)
        if records and not state.data_visible and not self._access.has_key(request):
            raise forbidden()
        return Source(state.fields(), state.table, state)

    def _state(self, request: Request) -> DatasetState:
        dataset_id = request.path_params["dataset_id"]
        state = self._store.datasets.get(dataset_id)
        if state is None:
            raise no_dataset(dataset_id)
        return state

    def _base(self, request: Request) -> str:
        return f"{request.url.scheme}://{request.url.netloc}"

    # Lists

    def datasets(self, request: Request) -> Response:
        """GET /catalog/datasets."""
        with self._store.cursor() as cursor:
            source = self._source(request, cursor)
            asked = ask(request.query_params, source.fields, source.table)
            plain = not request.query_params.get("select") and not asked.grouped
            limit, offset = window(
                request.query_params, grouped=asked.grouped, group_ceiling=self._ceiling, opaque=True
            )
            total, rows = run_list(cursor, asked, limit=limit, offset=offset, base=self._base(request))
        if plain:
            rows = [json.dumps(self._whole(json.loads(row)["dataset_id"], request), ensure_ascii=False) for row in rows]
        return json_text_response(f'{{"total_count": {total}, "results": [{", ".join(rows)}]}}')

    def _whole(self, dataset_id: str, request: Request) -> dict[str, Any]:
        return catalog.dataset_object(self._store, self._store.datasets[dataset_id], self._base(request))

    def dataset(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}."""
        return json_response(self._whole(self._state(request).dataset_id, request))

    def records(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/records."""
        with self._store.cursor() as cursor:
            source = self._source(request, cursor, records=True)
            asked = ask(request.query_params, source.fields, source.table)
            limit, offset = window(request.query_params, grouped=asked.grouped, group_ceiling=self._ceiling)
            total, rows = run_list(cursor, asked, limit=limit, offset=offset, base=self._base(request))
        if asked.grouped:
            # Not the number of groups, beyond what a page can hold (Q2).
            total = min(total, self._ceiling)
        return json_text_response(f'{{"total_count": {total}, "results": [{", ".join(rows)}]}}')

    def record(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/records/{record_id}."""
        with self._store.cursor() as cursor:
            source = self._source(request, cursor, records=True)
            record_id = request.path_params["record_id"]
            table = f'(SELECT * FROM {source.table} WHERE "$id" = {_literal(record_id)})'  # noqa: S608  quoted
            asked = ask(request.query_params, source.fields, table)
            _, rows = run_list(cursor, asked, limit=1, offset=0, base=self._base(request))
        if not rows:
            raise no_resource(f"record {record_id}")
        return json_text_response(rows[0])

    def facets(self, request: Request) -> Response:
        """GET /catalog/facets and /catalog/datasets/{dataset_id}/facets."""
        params = request.query_params
        with self._store.cursor() as cursor:
            source = self._source(request, cursor, records=True)
            declared = (
                [column.name for column in source.state.columns if "facet" in column.annotations]
                if source.state
                else list(catalog.FACETS)
            )
            found = []
            for facet in params.getlist("facet") or declared:
                try:
                    made = compile_facet(
                        source.fields,
                        table=source.table,
                        facet=facet,
                        where=[clause for clause in params.getlist("where") if clause.strip()],
                        refine=params.getlist("refine"),
                        exclude=params.getlist("exclude"),
                        timezone=zone(params),
                        lang=params.get("lang") or "en",
                    )
                except OdsqlError as error:
                    raise Refusal(400, error.code, error.message) from None
                rows = cursor.execute(made.sql, list(made.params)).fetchmany(MOST_FACET_VALUES)
                found.append({"name": made.name, "facets": [_facet_value(value, count) for value, count in rows]})
        here = f"{self._base(request)}{request.url.path}"
        links = [{"rel": "self", "href": here}, {"rel": "source", "href": here.removesuffix("/facets")}]
        return json_response({"links": links, "facets": [facet for facet in found if facet["facets"]]})

    # Exports

    def formats(self, request: Request) -> Response:
        """GET /catalog/exports and /catalog/datasets/{dataset_id}/exports."""
        here = f"{self._base(request)}{request.url.path}"
        links = [{"rel": "self", "href": here}]
        links += [{"rel": name, "href": f"{here}/{name}"} for name in self._offered(request)]
        return json_response({"links": links})

    def _offered(self, request: Request) -> list[str]:
        if "dataset_id" not in request.path_params:
            return ["csv", "json", "xlsx"]
        types = {column.type for column in self._state(request).columns}
        return exports.offered(bool(types & {"geo_point_2d", "geo_shape"}))

    def export(self, request: Request) -> Response:
        """GET /catalog/exports/{name} and /catalog/datasets/{dataset_id}/exports/{name}."""
        name = request.path_params["name"]
        if name not in self._offered(request):
            raise bad_parameter(f"Unknown format: {name}.")
        cursor = self._store.cursor()
        try:
            gated = self._is_gated(request)
            source = self._source(request, cursor)
            export = self._export(request, source, name, empty=gated)
            whole_catalogue = source.state is None and name == "json" and not request.query_params.get("select")
            if whole_catalogue and not export.asked.grouped:
                pieces = self._catalogue_json(export, cursor, request)
            else:
                pieces = exports.stream(name, export, cursor)
        except BaseException:
            cursor.close()
            raise
        dataset_id = source.state.dataset_id if source.state else "datasets"
        headers = {
            "content-type": exports.MEDIA_TYPES[name],
            "content-disposition": f'attachment; filename="{quote(dataset_id)}.{name}"',
        }
        return _streamed(request, pieces, cursor, headers, name)

    def _is_gated(self, request: Request) -> bool:
        # A gated dataset exports a header and no rows, where its records answer 403 (Q3).
        if "dataset_id" not in request.path_params:
            return False
        fault = request.scope.get("ods.fault")
        hidden = not self._state(request).data_visible and not self._access.has_key(request)
        return hidden or (fault is not None and fault.kind == "empty_gated")

    def _export(self, request: Request, source: Source, name: str, *, empty: bool) -> exports.Export:
        params = request.query_params
        asked = ask(params, source.fields, source.table)
        limit = number(params, "limit", -1)
        if limit < -1:
            raise bad_parameter(f"Invalid value for limit API parameter: {limit} was found but >= -1 is expected.")
        fault = request.scope.get("ods.fault")
        if fault is not None and fault.kind == "short_rows":
            with self._store.cursor() as cursor:
                if source.state is None:
                    catalog.create_table(self._store, cursor)
                total, _ = run_list(cursor, asked, limit=0, offset=0, base="")
            limit = max(0, (total if limit < 0 else min(limit, total)) - fault.options["rows"])
        options: dict[str, Any] = {}
        if name == "csv":
            options = {
                "delimiter": exports.delimiter(params.get("delimiter")),
                "list_separator": params.get("list_separator") or ",",
                "quote_all": flag(params, "quote_all", False),
                "with_bom": flag(params, "with_bom", True),
            }
        if name == "parquet":
            compression = params.get("parquet_compression") or "snappy"
            if compression not in ("snappy", "zstd"):
                raise bad_parameter(f"Invalid value for parquet_compression API parameter: {compression}.")
            options = {"parquet_compression": compression}
        labels: dict[str, str] = {}
        if flag(params, "use_labels", False) and source.state:
            labels = {column.name: column.as_json()["label"] for column in source.state.columns}
        return exports.Export(asked, 0 if empty else limit, self._base(request), labels, options)

    def _catalogue_json(self, export: exports.Export, cursor: Any, request: Request) -> Iterator[bytes]:
        row = _literal_key_row(export.columns)
        for number_, texts in enumerate(export.texts(cursor, row)):
            wholes = [json.dumps(self._whole(text, request), ensure_ascii=False) for text in texts]
            yield (("[" if number_ == 0 else ", ") + ", ".join(wholes)).encode()
        yield b"]" if export.limit != 0 else b"[]"

    # Files

    def attachments(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/attachments."""
        state = self._state(request)
        here = f"{self._base(request)}{request.url.path}"
        items = [
            {
                "href": f"{here}/{quote(item.id)}",
                "metas": {"mime-type": item.mimetype, "title": item.title, "id": item.id, "url": f"{here}/{item.id}"},
            }
            for item in state.attachments
        ]
        return json_response({"links": [{"rel": "self", "href": here}], "attachments": items})

    def attachment(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/attachments/{attachment_id}."""
        wanted = request.path_params["attachment_id"]
        for item in self._state(request).attachments:
            if item.id == wanted:
                return _file_response(item.content, item.mimetype, item.title)
        raise no_resource(f"attachment {wanted}")

    def file(self, request: Request) -> Response:
        """GET /catalog/datasets/{dataset_id}/files/{file_id}."""
        wanted = request.path_params["file_id"]
        found = self._state(request).files.get(wanted)
        if found is None:
            raise no_resource(f"file {wanted}")
        mimetype, content = found
        return _file_response(content, mimetype, wanted)

    def aggregates(self, request: Request) -> Response:
        """Gone since version 2.1 (Q46)."""
        raise gone()


def unknown(request: Request) -> Response:
    """Answer for every other address."""
    raise no_uri()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _literal_key_row(columns: tuple[OutputColumn, ...]) -> str:
    keys = [column.key for column in columns]
    return f"c{keys.index('dataset_id')}"


def _facet_value(value: Any, count: int) -> dict[str, Any]:
    text = "true" if value is True else "false" if value is False else str(value)
    return {"name": text, "count": count, "state": "displayed", "value": text}


def _file_response(content: bytes, mimetype: str, name: str) -> Response:
    plain = "".join(char if 31 < ord(char) < 127 and char not in '"\\' else "_" for char in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=mimetype, headers={"content-disposition": disposition})


def _streamed(
    request: Request, pieces: Iterator[bytes], cursor: Any, headers: dict[str, str], name: str
) -> StreamingResponse:
    # The first piece is made before the answer begins: what fails in the query must not look like a cut file.
    first = next(pieces, b"")
    gzipped = "gzip" in request.headers.get("accept-encoding", "") and name != "xlsx"

    def body() -> Iterator[bytes]:
        try:
            yield first
            yield from pieces
        finally:
            cursor.close()

    if gzipped:
        headers = headers | {"content-encoding": "gzip"}
    return StreamingResponse(compressed(body()) if gzipped else body(), headers=headers)
