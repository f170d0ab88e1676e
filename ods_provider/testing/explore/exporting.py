"""Export endpoints: which formats there are, what a request asks of one, and how the file is sent.

Source: Explore v2.1 endpoints 2 to 5, 11 and 12; Q3 (gates), Q10 (no length).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ods_provider.testing import catalog
from ods_provider.testing.errors import bad_parameter
from ods_provider.testing.explore.options import epsg, format_options
from ods_provider.testing.explore.place import Place, Source, base, here
from ods_provider.testing.exports import FORMATS, Export, offered
from ods_provider.testing.exports import catalogue as whole
from ods_provider.testing.odsql import Field
from ods_provider.testing.querying import Asked, ask, flag, number, run_list
from ods_provider.testing.writing import compressed, json_response

GEO = ("geo_shape", "geo_point_2d")  # a shape before a point


class Exporting:
    """The handlers.

    Args:
        place: What requests are about.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def formats(self, request: Request) -> Response:
        """GET /catalog/exports and /catalog/datasets/{dataset_id}/exports."""
        root = here(request)
        links = [{"rel": "self", "href": root}]
        links += [{"rel": name, "href": f"{root}/{name}"} for name in self._offered(request)]
        return json_response({"links": links})

    def _offered(self, request: Request) -> list[str]:
        if "dataset_id" not in request.path_params:
            return [*whole.TABLES, *whole.FORMATS]
        return offered(catalog.features(self._place.state(request)))

    def export(self, request: Request) -> Response:
        """GET /catalog/exports/{name} and /catalog/datasets/{dataset_id}/exports/{name}."""
        name = request.path_params["name"]
        if name not in self._offered(request):
            raise bad_parameter(f"Invalid value for format API parameter: {name} is not offered.")
        cursor = self._place.store.cursor()
        try:
            source = self._place.source(request, cursor)
            export = self._export(request, source, name)
            if source.state is None and (name in whole.FORMATS or self._is_plain_list(request, name)):
                media_type, ending, packed = whole.FORMATS.get(name, whole.JSON)
                pieces = whole.write(name, self._datasets(export, cursor, request), base(request), request.query_params)
            else:
                made = FORMATS[name]
                media_type, ending, packed = made.media_type, made.ending or name, made.packed
                pieces = made.write(export, cursor)
            return _streamed(request, pieces, cursor, f"{export.dataset_id}.{ending}", media_type, packed=packed)
        except BaseException:
            cursor.close()
            raise

    def _is_plain_list(self, request: Request, name: str) -> bool:
        return name == "json" and not request.query_params.get("select") and not request.query_params.get("group_by")

    def _datasets(self, export: Export, cursor: Any, request: Request) -> Iterator[list[dict[str, Any]]]:
        row = f"c{[column.key for column in export.columns].index('dataset_id')}"
        for ids in export.texts(cursor, row):
            yield [self._place.whole(dataset_id, request) for dataset_id in ids]

    def _export(self, request: Request, source: Source, name: str) -> Export:
        params = request.query_params
        geographic = name in FORMATS and FORMATS[name].needs == "geo"
        asked = self._asked(request, source, geographic=geographic)
        limit = number(params, "limit", -1)
        if limit < -1:
            raise bad_parameter(f"Invalid value for limit API parameter: {limit} was found but >= -1 is expected.")
        labels: dict[str, str] = {}
        if flag(params, "use_labels", False) and source.state:
            labels = {column.name: column.as_json()["label"] for column in source.state.columns}
        known = [column.key for column in asked.compiled.columns]
        bom = not request.url.path.startswith(("/api/v2/", "/api/explore/v2.0/"))
        return Export(
            source.state.dataset_id if source.state else "datasets",
            asked,
            self._limit(request, source, asked, limit),
            base(request),
            labels,
            epsg(params) if geographic else 4326,
            format_options(name, params, known, bom=bom),
        )

    def _asked(self, request: Request, source: Source, *, geographic: bool) -> Asked:
        asked = ask(request.query_params, source.fields, source.table)
        shown = {column.type for column in asked.compiled.columns}
        if not geographic or asked.grouped or asked.compiled.scalar or shown & set(GEO):
            return asked
        # The geometry comes even where it was not selected (Q61).
        field = _geometry(source.fields)
        return ask(request.query_params, source.fields, source.table, beside={"$geometry": field.name} if field else {})

    def _limit(self, request: Request, source: Source, asked: Asked, limit: int) -> int:
        fault = request.scope.get("ods.fault")
        emptied = fault is not None and fault.kind == "empty_gated"
        if source.state and (emptied or not self._place.shows_records(request, source.state)):
            # A gated dataset exports a header and no rows, where its records answer 403 (Q3).
            return 0
        if fault is None or fault.kind != "short_rows":
            return limit
        left_out: int = fault.options["rows"]
        with self._place.store.cursor() as cursor:
            if source.state is None:
                catalog.create_table(self._place.store, cursor, self._place.visible(request))
            total, _ = run_list(cursor, asked, limit=0, offset=0, base="")
        return max(0, (total if limit < 0 else min(limit, total)) - left_out)


def _geometry(fields: list[Field]) -> Field | None:
    return next((field for kind in GEO for field in fields if field.type == kind), None)


def _streamed(
    request: Request, pieces: Iterator[bytes], cursor: Any, name: str, media_type: str, *, packed: bool
) -> StreamingResponse:
    # A gzip file on top of the format is a file of its own: the name, the type, and that it is not encoded a second
    # time on its way are our reading.
    zipped = flag(request.query_params, "compressed", False)
    # The first piece is made before the answer begins: what fails in the query must not look like a cut file.
    first = next(pieces, b"")

    def body() -> Iterator[bytes]:
        try:
            yield first
            yield from pieces
        finally:
            cursor.close()

    headers = {
        "content-type": "application/gzip" if zipped else media_type,
        "content-disposition": f'attachment; filename="{quote(name)}{".gz" if zipped else ""}"',
    }
    encoded = "gzip" in request.headers.get("accept-encoding", "") and not packed and not zipped
    if encoded:
        headers["content-encoding"] = "gzip"
    return StreamingResponse(compressed(body()) if encoded or zipped else body(), headers=headers)
