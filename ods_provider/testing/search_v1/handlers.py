"""The endpoints of Search API v1.0, by GET and by POST, with and without a slash at the end.

Source: Search API v1.0 endpoints; section 7 (attachments and files).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ods_provider.testing import catalog
from ods_provider.testing.access import Access
from ods_provider.testing.odsql import Field
from ods_provider.testing.schema import Attachment, Column, DatasetState
from ods_provider.testing.search_v1 import catalogue, facets, formats, geocluster, values
from ods_provider.testing.search_v1.analyze import analysis
from ods_provider.testing.search_v1.download import MEDIA_TYPES, Download, search_rows
from ods_provider.testing.search_v1.filters import Rows, rows_of
from ods_provider.testing.search_v1.parameters import Parameters
from ods_provider.testing.search_v1.refusal import V1Refusal, bad, no_dataset
from ods_provider.testing.store import Store
from ods_provider.testing.writing import compressed

TRUNCATED = "ods-analyze-truncated"
_THUMBNAILS = ("image/png", "image/jpeg", "image/gif", "image/tiff", "image/bmp")


class SearchV1:
    """The handlers.

    Args:
        store: The data.
        access: Who may see what.
    """

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def routes(self) -> list[Route]:
        """Return the routes."""
        records, one = "/api/records/1.0", "/api/datasets/1.0/{dataset_id}"
        page = "/explore/dataset/{dataset_id}"
        table: list[tuple[str, Callable[[Request], Response]]] = [
            ("/api/datasets/1.0/search", self.datasets),
            (one, self.dataset),
            (f"{one}/records/{{record_id}}", self.record),
            (f"{one}/attachments/{{attachment_id}}", self.attachment),
            (f"{one}/alternative_exports/{{export_id}}", self.alternative_export),
            (f"{one}/files/{{file_id}}", self.file),
            (f"{one}/files/{{file_id}}/{{width:int}}", self.file),
            (f"{records}/search", self.records),
            (f"{records}/analyze", self.analyze),
            (f"{records}/download", self.download),
            (f"{records}/geocluster", self.geocluster),
            (f"{records}/boundingbox", self.boundingbox),
            (f"{page}/download", self.download),
            (f"{page}/files/{{file_id}}/download", self.file),
            (f"{page}/files/{{file_id}}/{{width:int}}", self.file),
        ]
        return [Route(path + end, handler, methods=["GET", "POST"]) for path, handler in table for end in ("", "/")]

    def _state(self, request: Request, parameters: Parameters) -> DatasetState:
        dataset_id = request.path_params.get("dataset_id")
        if dataset_id is None:
            asked = parameters.several("dataset")
            if len(asked) != 1:
                raise bad("Exactly one dataset must be given")
            dataset_id = asked[0]
        state = self._store.datasets.get(dataset_id)
        if state is None or not self._access.sees(request, state):
            raise no_dataset(dataset_id)
        return state

    def _records_of(self, request: Request, parameters: Parameters) -> tuple[DatasetState, Rows]:
        state = self._state(request, parameters)
        if not state.data_visible and not self._access.has_key(request):
            raise V1Refusal(403, "You don't have permission to access the requested resource")
        sortable = frozenset(column.name for column in state.columns if "sortable" in column.annotations)
        # Values are alternatives where the request says so, whatever the field's annotation.
        own = [replace(field, disjunctive=False) for field in state.fields() if not field.technical]
        return state, rows_of(parameters, _named(own), state.table, sortable=sortable)

    # Datasets

    def datasets(self, request: Request) -> Response:
        """/api/datasets/1.0/search/."""
        parameters = Parameters(request.query_params)
        kind = formats.chosen(parameters, "json", "jsonp", "csv", "rss")
        fields = _named(catalog.fields())
        texts = frozenset(name for name, field in fields.items() if field.type == "text")
        with self._store.cursor() as cursor:
            catalog.create_table(
                self._store, cursor, self._access.visible(request, list(self._store.datasets.values()))
            )
            rows = rows_of(parameters, fields, catalog.TABLE, sortable=texts)
            limit, start = parameters.window()
            nhits = rows.count(cursor)
            order = rows.order(parameters.several("sort")) or ' ORDER BY "$id"'
            sql = f'SELECT "$id" FROM {rows.source.text}{order} LIMIT {limit} OFFSET {start}'  # noqa: S608
            ids = [key for (key,) in cursor.execute(sql, list(rows.source.params)).fetchall()]
            groups = facets.groups(cursor, parameters, fields, catalog.TABLE)
        found = [catalogue.dataset_object(self._store, self._store.datasets[key]) for key in ids]
        if kind == "csv":
            shown = [{"datasetid": item["datasetid"], **item["metas"]} for item in found]
            return formats.csv_answer(shown, ["datasetid", "title", "description", "records_count"], parameters)
        if kind == "rss":
            entries = (
                (item["datasetid"], item["metas"]["title"], item["metas"].get("description", "")) for item in found
            )
            return formats.feed("rss", "Datasets", str(request.base_url), entries)
        echo = parameters.echo(rows=limit, start=start, format=kind, timezone=parameters.zone)
        body: dict[str, Any] = {"nhits": nhits, "parameters": echo, "datasets": found}
        return formats.json_answer(body | ({"facet_groups": groups} if groups else {}), parameters)

    def dataset(self, request: Request) -> Response:
        """/api/datasets/1.0/{dataset_id}/."""
        parameters = Parameters(request.query_params)
        formats.chosen(parameters, "json", "jsonp")
        return formats.json_answer(catalogue.dataset_object(self._store, self._state(request, parameters)), parameters)

    # Records

    def records(self, request: Request) -> Response:
        """/api/records/1.0/search/."""
        parameters = Parameters(request.query_params)
        kind = formats.chosen(parameters, "json", "jsonp", "csv", "geojson", "geojsonp", "rss", "atom")
        state, rows = self._records_of(request, parameters)
        columns = _columns(state, parameters)
        limit, start = parameters.window()
        order = rows.order(parameters.several("sort"))
        with self._store.cursor() as cursor:
            nhits = rows.count(cursor)
            found = search_rows(cursor, state, columns, rows, order, limit, start)
            groups = facets.groups(cursor, parameters, rows.fields, state.table)
        if kind == "csv":
            cells = [record["fields"] for record in found]
            return formats.csv_answer(cells, [column.name for column in columns], parameters)
        if kind in ("rss", "atom"):
            entries = (
                (record["recordid"], str(next(iter(record["fields"].values()), "")), str(record["fields"]))
                for record in found
            )
            return formats.feed(kind, state.title, str(request.base_url), entries)
        if kind.startswith("geojson"):
            features = [
                {"type": "Feature", "geometry": record.get("geometry"), "properties": record["fields"]}
                for record in found
            ]
            return formats.json_answer({"type": "FeatureCollection", "features": features}, parameters)
        echo = parameters.echo(dataset=state.dataset_id, rows=limit, start=start, format=kind, timezone=parameters.zone)
        body: dict[str, Any] = {"nhits": nhits, "parameters": echo, "records": found}
        return formats.json_answer(body | ({"facet_groups": groups} if groups else {}), parameters)

    def record(self, request: Request) -> Response:
        """/api/datasets/1.0/{dataset_id}/records/{record_id}."""
        parameters = Parameters(request.query_params)
        formats.chosen(parameters, "json", "jsonp")
        state, rows = self._records_of(request, parameters)
        record_id = request.path_params["record_id"]
        row = values.record(state, state.columns, rows.zone)
        with self._store.cursor() as cursor:
            sql = f'SELECT {row} FROM {state.table} WHERE "$id" = ?'  # noqa: S608  a quoted name
            found = cursor.execute(sql, [record_id]).fetchone()
        if found is None:
            raise V1Refusal(404, f"Unknown record: {record_id}")
        return formats.json_answer(found[0], parameters)

    def analyze(self, request: Request) -> Response:
        """/api/records/1.0/analyze/."""
        parameters = Parameters(request.query_params)
        kind = formats.chosen(parameters, "json", "jsonp", "csv")
        _, rows = self._records_of(request, parameters)
        with self._store.cursor() as cursor:
            made = analysis(cursor, parameters, rows)
        # The only sign that the list was cut (Q18).
        headers = {TRUNCATED: "true"} if made.truncated else {}
        if kind == "csv":
            answer = formats.csv_answer(made.rows, ["x", *parameters.series()], parameters)
            answer.headers.update(headers)
            return answer
        return formats.json_answer(made.rows, parameters, headers)

    def geocluster(self, request: Request) -> Response:
        """/api/records/1.0/geocluster/."""
        parameters = Parameters(request.query_params)
        _, rows = self._records_of(request, parameters)
        with self._store.cursor() as cursor:
            return formats.json_answer(geocluster.clusters(cursor, parameters, rows), parameters)

    def boundingbox(self, request: Request) -> Response:
        """/api/records/1.0/boundingbox/."""
        parameters = Parameters(request.query_params)
        _, rows = self._records_of(request, parameters)
        with self._store.cursor() as cursor:
            return formats.json_answer(geocluster.bounding_box(cursor, rows), parameters)

    def download(self, request: Request) -> Response:
        """/api/records/1.0/download/ and /explore/dataset/{dataset_id}/download/."""
        parameters = Parameters(request.query_params)
        kind = formats.chosen(parameters, *MEDIA_TYPES)
        state, rows = self._records_of(request, parameters)
        limit = parameters.number("rows", -1)
        fault = request.scope.get("ods.fault")
        if fault is not None and fault.kind == "empty_gated":
            limit = 0
        if fault is not None and fault.kind == "short_rows":
            with self._store.cursor() as counting:
                total = rows.count(counting)
            limit = max(0, (total if limit < 0 else min(limit, total)) - fault.options["rows"])
        made = Download(
            state,
            _columns(state, parameters),
            rows,
            kind,
            rows.order(parameters.several("sort")),
            None if limit < 0 else limit,
            formats.separator(parameters),
            parameters.flag("use_labels_for_header"),
            parameters.one("callback", "callback"),
        )
        return self._streamed(request, made)

    def _streamed(self, request: Request, made: Download) -> Response:
        cursor = self._store.cursor()
        pieces = made.pieces(cursor)
        # Both the header and the first rows: what fails in the query must not look like a cut file.
        first = [next(pieces, b""), next(pieces, b"")]
        gzipped = "gzip" in request.headers.get("accept-encoding", "")

        def body() -> Iterator[bytes]:
            try:
                yield from first
                yield from pieces
            finally:
                cursor.close()

        name = f"{quote(made.state.dataset_id)}.{made.format}"
        headers = {
            "content-type": MEDIA_TYPES[made.format],
            "content-disposition": f'attachment; filename="{name}"',
        }
        if gzipped:
            headers["content-encoding"] = "gzip"
        return StreamingResponse(compressed(body()) if gzipped else body(), headers=headers)

    # Files

    def attachment(self, request: Request) -> Response:
        """/api/datasets/1.0/{dataset_id}/attachments/{attachment_id}/."""
        state = self._state(request, Parameters(request.query_params))
        return _listed(state.attachments, request.path_params["attachment_id"], "attachment")

    def alternative_export(self, request: Request) -> Response:
        """/api/datasets/1.0/{dataset_id}/alternative_exports/{export_id}/."""
        state = self._state(request, Parameters(request.query_params))
        return _listed(state.alternative_exports, request.path_params["export_id"], "alternative export")

    def file(self, request: Request) -> Response:
        """/api/datasets/1.0/{dataset_id}/files/{file_id}/ and its thumbnail …/300/."""
        wanted = request.path_params["file_id"]
        found = self._state(request, Parameters(request.query_params)).files.get(wanted)
        if found is None:
            raise V1Refusal(404, f"Unknown file: {wanted}")
        mimetype, content = found
        width = request.path_params.get("width")
        if width is not None:
            if mimetype not in _THUMBNAILS or not 1 <= width <= 2_000:
                raise V1Refusal(404, f"No thumbnail: {wanted}")
            mimetype, content = "image/png", _thumbnail(content, width)
        return _file(content, mimetype, wanted)


def _listed(items: Iterable[Attachment], wanted: str, kind: str) -> Response:
    for item in items:
        if item.id == wanted:
            return _file(item.content, item.mimetype, item.title)
    raise V1Refusal(404, f"Unknown {kind}: {wanted}")


def _named(fields: list[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}


def _columns(state: DatasetState, parameters: Parameters) -> list[Column]:
    asked = [name.strip() for given in parameters.several("fields") for name in given.split(",") if name.strip()]
    unknown = [name for name in asked if state.column(name) is None]
    if unknown:
        raise bad(f"Unknown field: {unknown[0]}")
    return [column for column in state.columns if not asked or column.name in asked]


def _file(content: bytes, mimetype: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=mimetype, headers={"content-disposition": disposition})


def _thumbnail(content: bytes, width: int) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        image.thumbnail((width, width))
        out = io.BytesIO()
        image.save(out, "PNG")
    return out.getvalue()
