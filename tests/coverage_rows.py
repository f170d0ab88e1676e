"""What the platform's APIs offer, and where it is reachable: a row for each parameter, with a call that uses it.

``tests/docs/test_coverage.py`` makes every call against the local portal and looks into its log for the parameter;
``docs/tools/coverage.py`` prints the same rows as docs/coverage.md.

Source: the platform's documentation of Explore v2.1, Search v1.0, Realtime push 1.0 and OAuth2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ods_provider import OdsClient

Call = Callable[[OdsClient], Any]
CAPITALS, PHOTOS, READINGS, TYPES = "world-capitals", "landmark-photos", "live-readings", "all-types"
V21 = "/api/explore/v2.1"


@dataclass(frozen=True)
class Row:
    """One endpoint or one parameter of it.

    Attributes:
        endpoint: Method and path, ids in braces.
        parameter: Its name on the wire, empty for the endpoint itself.
        client: What gives it in Python.
        operator: ``Class.argument`` that gives it in Airflow, empty where no operator should.
        call: Uses it.
        beside: What the call is held against besides the local portal, where no public documentation fixes it.
    """

    api: str
    endpoint: str
    parameter: str
    client: str
    operator: str
    call: Call
    beside: str = ""


@dataclass(frozen=True)
class Signing:
    """One way of showing who asks.

    Attributes:
        sent: What travels.
        connection: What in the connection asks for it.
        logged: The kind of credential that the portal's log names.
        parts: The parts of such a connection, of a portal.
        call: Something that is refused to others, where there is such a thing.
    """

    sent: str
    connection: str
    logged: str | None
    parts: Callable[[Any], dict[str, Any]]
    call: Call


def _each(
    api: str, endpoint: str, client: str, operator: str, make: Callable[..., Any], given: dict[str, Any], **renamed: str
) -> Iterator[Row]:
    """Yield the row of an endpoint, and one for each parameter with a value that it takes.

    Args:
        api, endpoint, client, operator: As in ``Row``; the operator without its argument.
        make: Makes the call: ``make(client, parameter=value)``.
        given: Values by parameter.
        renamed: Arguments of the operator that are called otherwise than the parameter.
    """
    yield Row(api, endpoint, "", f"{client}()", operator, make)
    for name, value in given.items():
        argument = renamed.get(name.partition(".")[0].replace("-", "_"), name)
        # An endpoint may have an argument of its own; the arguments of its parameters are the operator's.
        reached = f"{operator.partition('.')[0]}.{argument}" if operator else ""
        yield Row(api, endpoint, name, f"{client}({argument}=)", reached, lambda c, n=name, v=value: make(c, **{n: v}))


def _drained(pieces: Any) -> int:
    return sum(len(piece) for piece in pieces)


_QUERY: dict[str, Any] = {
    "select": "name",
    "where": "population > 1000000",
    "order_by": "name",
    "refine": {"timezone": "Europe"},
    "exclude": {"timezone": "Asia"},
    "lang": "fr",
    "timezone": "Europe/Paris",
    "limit": 3,
}
_CATALOGUE: dict[str, Any] = _QUERY | {
    "select": "dataset_id",
    "where": "has_records is true",
    "order_by": "dataset_id",
    "refine": {"theme": "Places"},
    "exclude": {"theme": "Places"},
}
_LINKS: dict[str, Any] = {"include_links": True, "include_app_metas": True}
_GROUPS: dict[str, Any] = {
    "select": "count(*) as n",
    "group_by": "timezone",
    "order_by": "n",
    "where": "population > 1000000",
    "refine": {"timezone": "Europe"},
    "exclude": {"timezone": "Asia"},
    "lang": "fr",
    "timezone": "Europe/Paris",
    "limit": 3,
}


def _explore() -> Iterator[Row]:
    api = "Explore v2.1"
    yield from _each(
        api,
        "GET /catalog/datasets",
        "datasets",
        "OdsSearchOperator",
        lambda c, **k: list(c.datasets(typed=False, **k)),
        _CATALOGUE | _LINKS,
    )
    yield Row(
        api,
        "GET /catalog/datasets",
        "group_by",
        "aggregate(group_by=)",
        "OdsAnalysisOperator.group_by",
        lambda c: c.aggregate(None, select="count(*) as n", group_by="publisher"),
    )
    yield Row(
        api,
        "GET /catalog/datasets/{id}/records",
        "offset",
        "records()",
        "OdsSearchOperator",
        lambda c: list(c.records(CAPITALS, limit=105)),
    )
    yield Row(
        api, "GET /catalog/datasets", "offset", "datasets()", "OdsSearchOperator", lambda c: list(c.datasets(limit=1))
    )
    yield from _each(
        api,
        "GET /catalog/facets",
        "facets",
        "OdsAnalysisOperator",
        lambda c, facet="publisher", **k: c.facets(None, facet=facet, **k),
        {"facet": "publisher"} | {name: _CATALOGUE[name] for name in ("refine", "exclude", "where", "timezone")},
    )
    yield from _each(
        api,
        "GET /catalog/datasets/{id}",
        "dataset_object",
        "",
        lambda c, **k: c.dataset_object(CAPITALS, **k),
        {"select": "dataset_id", "lang": "fr", "timezone": "Europe/Paris"} | _LINKS,
    )
    yield from _each(
        api,
        "GET /catalog/datasets/{id}/records",
        "records",
        "OdsSearchOperator",
        lambda c, **k: list(c.records(CAPITALS, typed=False, **k)),
        _QUERY | _LINKS,
    )
    yield Row(
        api,
        "GET /catalog/datasets/{id}/records",
        "group_by",
        "aggregate(group_by=)",
        "OdsAnalysisOperator.group_by",
        lambda c: c.aggregate(CAPITALS, select="count(*) as n", group_by="timezone"),
    )
    yield Row(
        api,
        "GET /catalog/datasets/{id}/records",
        "group_by=geo_cluster()",
        "aggregate(group_by=)",
        "OdsAnalysisOperator.geo_cluster",
        lambda c: c.aggregate(CAPITALS, select="count(*) as n", group_by="geo_cluster(coordinates, 3, 40) as cluster"),
    )
    yield Row(
        api,
        "GET /catalog/datasets/{id}/records",
        "group_by=range()",
        "aggregate(group_by=)",
        "OdsAnalysisOperator.group_by",
        lambda c: c.aggregate(CAPITALS, select="count(*) as n", group_by="range(population, *, 1000000, *) as size"),
    )
    yield from _each(
        api,
        "GET /catalog/datasets/{id}/records/{record_id}",
        "record",
        "OdsSearchOperator.record_id",
        _one_record,
        {"select": "name", "lang": "fr", "timezone": "Europe/Paris"},
    )
    yield from _each(
        api,
        "GET /catalog/datasets/{id}/facets",
        "facets",
        "OdsAnalysisOperator",
        lambda c, facet="timezone", **k: c.facets(CAPITALS, facet=facet, **k),
        {"facet": "timezone"} | {name: _QUERY[name] for name in ("where", "refine", "exclude", "lang", "timezone")},
    )
    yield Row(
        api,
        "GET /catalog/datasets/{id}/facets",
        "facet=facet()",
        "facets(facet=)",
        "OdsAnalysisOperator.facet",
        lambda c: c.facets(CAPITALS, facet='facet(name="timezone", sort="alphanum", limit=5)'),
    )
    yield Row(
        api,
        "GET /catalog/datasets/{id}/exports",
        "",
        "export_formats()",
        "",
        lambda c: c.export_formats(CAPITALS),
    )
    yield Row(api, "GET /catalog/exports", "", "export_formats()", "", lambda c: c.export_formats())


def _one_record(client: OdsClient, **query: Any) -> Any:
    (row,) = client.records(CAPITALS, typed=False, limit=1, include_app_metas=True)
    return client.record(CAPITALS, row["_id"], typed=False, **query)


def _exports() -> Iterator[Row]:
    api = "Explore v2.1 exports"
    one = "GET /catalog/datasets/{id}/exports/{format}"
    yield from _each(
        api,
        one,
        "export",
        "OdsDownloadOperator",
        lambda c, **k: _drained(c.export(CAPITALS, format="csv", **k)),
        _QUERY,
    )
    yield Row(
        api,
        one,
        "group_by",
        "export(group_by=)",
        "OdsDownloadOperator.group_by",
        lambda c: _drained(c.export(CAPITALS, format="csv", select="count(*) as n", group_by="timezone")),
    )
    own = {
        "csv": {"delimiter": ";", "list_separator": "|", "quote_all": True, "with_bom": True},
        "parquet": {"parquet_compression": "zstd"},
        "gpx": {"name_field": "name", "description_field_list": "country_code", "use_extension": False},
        "geojson": {"epsg": 3857},
        "jsonl": {"use_labels": True, "compressed": True},
    }
    for name, options in own.items():
        for option, value in options.items():
            yield Row(
                api,
                one.replace("{format}", name),
                option,
                "export(format_options=)",
                "OdsDownloadOperator.format_options",
                lambda c, n=name, o=option, v=value: _drained(c.export(CAPITALS, format=n, format_options={o: v})),
            )
    for name in DATASET_FORMATS:
        dataset_id = TYPES if name == "ical" else CAPITALS
        yield Row(
            api,
            one.replace("{format}", name),
            "",
            f"export(format={name!r})",
            "OdsDownloadOperator.format",
            lambda c, n=name, d=dataset_id: _drained(c.export(d, format=n)),
        )
    whole = "GET /catalog/exports/{format}"
    yield from _each(
        api,
        whole,
        "export",
        "OdsDownloadOperator",
        lambda c, **k: _drained(c.export(None, format="csv", **k)),
        _CATALOGUE,
    )
    yield Row(
        api,
        whole,
        "group_by",
        "export(group_by=)",
        "OdsDownloadOperator.group_by",
        lambda c: _drained(c.export(None, format="json", select="count(*) as n", group_by="publisher")),
    )
    for name in CATALOGUE_FORMATS:
        yield Row(
            api,
            whole.replace("{format}", name),
            "",
            f"export(None, format={name!r})",
            "OdsDownloadOperator.format",
            lambda c, n=name: _drained(c.export(None, format=n)),
        )
    for option, value in {"include_exports": "csv", "use_labels_in_exports": False}.items():
        yield Row(
            api,
            whole.replace("{format}", "dcat"),
            option,
            "export(format_options=)",
            "OdsDownloadOperator.format_options",
            lambda c, o=option, v=value: _drained(c.export(None, format="dcat", format_options={o: v})),
        )


DATASET_FORMATS = (
    "csv", "fgb", "geojson", "gpx", "ical", "json", "jsonl", "jsonld", "kml", "n3", "ov2", "parquet", "rdfxml", "shp",
    "turtle", "xlsx",
)  # fmt: skip
CATALOGUE_FORMATS = (
    "csv", "data.json", "dcat", "dcat_ap_ch", "dcat_ap_de", "dcat_ap_se", "dcat_ap_sp", "dcat_ap_it", "dcat_ap_vl",
    "dcat_ap_benap", "dublin_core", "json", "rdf", "rss", "sitemap", "ttl", "xlsx",
)  # fmt: skip


_ODSQL = {
    "where": {
        '"paris"': '"paris"',
        "search()": 'search(name, "pari")',
        "suggest()": 'suggest(name, "pari")',
        "startswith()": 'startswith(name, "Par")',
        "within_distance()": "within_distance(coordinates, geom'POINT(2.3 48.8)', 10km)",
        "in_bbox()": "in_bbox(coordinates, 40, 0, 50, 10)",
        "intersects()": "intersects(coordinates, geom'POLYGON((0 40, 10 40, 10 50, 0 50, 0 40))')",
        "disjoint()": "disjoint(coordinates, geom'POLYGON((0 40, 10 40, 10 50, 0 50, 0 40))')",
        "within()": "within(coordinates, geom'POLYGON((0 40, 10 40, 10 50, 0 50, 0 40))')",
        " IN (": 'country_code IN ("FR", "DE")',
        " IN [": "population IN [1 TO 1000000]",
        " IN ]": "population IN ]1..1000000[",
        " IS NULL": "population IS NULL",
        " LIKE ": 'name LIKE "Par"',
        ":": 'country_code:"FR"',
        " AND NOT ": "population > 10 AND NOT (population > 1000 OR population = 100)",
        "date'2017'": "modification_date > date'2017'",
        "now()": "modification_date < now(years=-1)",
    },
    "select": {
        "length()": "length(name) as v",
        "lower()": "lower(name) as v",
        "upper()": "upper(name) as v",
        **{f"{part}()": f"{part}(modification_date) as v" for part in ("year", "month", "day")},
        "date_format()": "date_format(modification_date, 'yyyy-MM') as v",
        "ifnull()": "ifnull(population, 0) as v",
        "distance()": "distance(coordinates, geom'POINT(2.3 48.8)') as v",
        " / ": "population / 1000 * 2 - 1 + 3 as v",
        "include()": "include(cou*)",
        "exclude()": "*, exclude(cou*)",
    },
    "order_by": {"random()": "random(1)", " DESC": "population DESC, name ASC"},
}
_AGGREGATES = {
    "count()": "count(*)",
    "count(distinct)": "count(distinct timezone)",
    **{f"{name}()": f"{name}(population)" for name in ("sum", "avg", "min", "max", "median")},
    "percentile()": "percentile(population, 95)",
    "envelope()": "envelope(coordinates)",
    "bbox()": "bbox(coordinates)",
}
_KEYS = {
    "range(population)": "range(population, *, 1000000, *) as size",
    "range(modification_date, 1 year)": "range(modification_date, 1 year) as size",
    "year()": "year(modification_date) as y",
    "geo_cluster()": "geo_cluster(coordinates, 3, 40) as cluster",
}


_TYPED = {
    **{f"{part}()": f"{part}(at) as v" for part in ("hour", "minute", "second")},
    "json_format()": "json_format(details) as v",
}


def _odsql() -> Iterator[Row]:
    for clause, given in _ODSQL.items():
        yield from _clause(clause, given, lambda c, **k: list(c.records(CAPITALS, typed=False, limit=2, **k)))
    yield from _clause("select", _TYPED, lambda c, **k: list(c.records(TYPES, typed=False, limit=2, **k)))
    for clause, given in {"select": _AGGREGATES, "group_by": _KEYS}.items():
        yield from _clause(clause, given, _aggregated, method="aggregate", operator="OdsAnalysisOperator")


def _aggregated(client: OdsClient, select: str = "count(*) as n", **query: Any) -> Any:
    return client.aggregate(CAPITALS, select=select, **query)


def _clause(
    clause: str,
    given: dict[str, str],
    make: Callable[..., Any],
    method: str = "records",
    operator: str = "OdsSearchOperator",
) -> Iterator[Row]:
    endpoint = "GET /catalog/datasets/{id}/records"
    for part, text in given.items():
        yield Row(
            "ODSQL",
            endpoint,
            f"{clause}={part}",
            f"{method}({clause}=)",
            f"{operator}.{clause}",
            lambda c, t=text: make(c, **{clause: t}),
        )


def _multimedia() -> Iterator[Row]:
    api = "Multimedia"
    root = "GET /catalog/datasets/{id}"
    listed = f"{root}/attachments"
    kind = "OdsMediaOperator.kind"
    yield Row(api, listed, "", "attachments()", kind, lambda c: c.attachments(PHOTOS))
    yield Row(
        api,
        f"{listed}/{{attachment_id}}",
        "",
        "file()",
        kind,
        lambda c: [_drained(c.file(PHOTOS, item["url"])) for item in c.attachments(PHOTOS)],
    )
    yield Row(
        api,
        f"{root}/alternative_exports/{{export_id}}",
        "",
        "file()",
        kind,
        lambda c: [_drained(c.file(PHOTOS, item["url"])) for item in c.alternative_exports(PHOTOS)[:1]],
    )
    yield Row(
        api,
        f"{root}/files/{{file_id}}",
        "",
        "file()",
        kind,
        lambda c: _drained(c.file(PHOTOS, next(c.records(PHOTOS, limit=1))["photo"]["url"])),
    )
    yield Row(
        api,
        f"{root}/files/{{file_id}}/300",
        "",
        "file()",
        kind,
        lambda c: _drained(c.file(PHOTOS, next(c.records(PHOTOS, limit=1))["photo"]["url"] + "/300/")),
    )
    older = "/api/datasets/1.0/{id}"
    paths = {
        "attachments/{attachment_id}/": "attachments/readme_txt/",
        "alternative_exports/{export_id}/": "alternative_exports/gtfs_zip/",
        "files/{file_id}/": "files/{file_id}/",
        "files/{file_id}/300/": "files/{file_id}/300/",
    }
    for shown, path in paths.items():
        yield Row(
            api,
            f"GET {older}/{shown}",
            "",
            "file()",
            "OdsMediaOperator.v1",
            lambda c, p=path: _drained(c.file(PHOTOS, f"/api/datasets/1.0/{PHOTOS}/" + p.format(file_id=_file_id(c)))),
        )


def _file_id(client: OdsClient) -> str:
    return str(next(client.records(PHOTOS, limit=1))["photo"]["id"])


_SERIES = {"n": {"func": "AVG", "expr": "population", "cumulative": "true"}}
_FILTERS: dict[str, Any] = {
    "q": "population>1000000",
    "refine.timezone": "Europe",
    "exclude.timezone": "Asia",
    "disjunctive.cou_name_en": "true",
    "geofilter.distance": "48.8,2.3,900000",
    "geofilter.polygon": "(40,0),(40,10),(50,10),(50,0)",
    "geofilter.bbox": "40,0,50,10",
    "timezone": "Europe/Paris",
    "lang": "fr",
}


def _search_v1() -> Iterator[Row]:
    api = "Search v1.0"
    paged: dict[str, Any] = {"rows": 2, "start": 1, "facet": "timezone"}
    yield from _v1(
        api,
        "GET /api/datasets/1.0/search/",
        "v1.search_datasets",
        "OdsSearchOperator",
        lambda c, **k: c.v1.search_datasets(**k),
        {"q": "capital", "refine.theme": "Places", "exclude.theme": "Places", "disjunctive.theme": "true"}
        | {"sort": "modified", "rows": 2, "start": 1, "facet": "theme", "lang": "fr", "timezone": "Europe/Paris"},
    )
    yield Row(api, "GET /api/datasets/1.0/{id}/", "", "v1.dataset()", "", lambda c: c.v1.dataset(CAPITALS))
    yield from _v1(
        api,
        "GET /api/records/1.0/search/",
        "v1.search_records",
        "OdsSearchOperator",
        lambda c, **k: c.v1.search_records(CAPITALS, **k),
        _FILTERS | paged | {"dataset": CAPITALS, "sort": "-population", "fields": "name,population"},
    )
    yield Row(
        api,
        "GET /api/datasets/1.0/{id}/records/{record_id}",
        "",
        "v1.record()",
        "",
        lambda c: c.v1.record(CAPITALS, c.v1.search_records(CAPITALS, rows=1)["records"][0]["recordid"]),
    )
    yield from _v1(
        api,
        "GET /api/records/1.0/analyze/",
        "v1.analyze",
        "OdsAnalysisOperator",
        lambda c, x="timezone", **k: c.v1.analyze(CAPITALS, x=x, **({"y": _SERIES} | k)),
        _FILTERS | {"x": ["timezone", "country_code"], "maxpoints": 1000, "sort": "n"},
    )
    for part in ("func", "expr", "cumulative"):
        yield Row(
            api,
            "GET /api/records/1.0/analyze/",
            f"y.n.{part}",
            "v1.analyze(y=)",
            "OdsAnalysisOperator.v1",
            lambda c: c.v1.analyze(CAPITALS, x="timezone", y=_SERIES),
        )
    for name, value in {"periodic": "month", "precision": "month"}.items():
        yield Row(
            api,
            "GET /api/records/1.0/analyze/",
            name,
            f"v1.analyze({name}=)",
            "OdsAnalysisOperator.v1",
            lambda c, n=name, v=value: c.v1.analyze(
                CAPITALS, **{"x": "modification_date", n: v, "y": {"n": {"func": "COUNT"}}}
            ),
        )
    yield from _v1(
        api,
        "GET /api/records/1.0/download/",
        "v1.download",
        "OdsDownloadOperator",
        lambda c, **k: c.v1.download(CAPITALS, **k).read(),
        _FILTERS | {"fields": "name,population", "format": "json", "csv_separator": ",", "facet": "timezone"},
    )
    yield from _v1(
        api,
        "GET /api/records/1.0/geocluster/",
        "v1.geocluster",
        "OdsAnalysisOperator",
        lambda c, **k: c.v1.geocluster(CAPITALS, **({"clusterprecision": 4} | k)),
        _FILTERS
        | {"clusterprecision": 5, "clusterdistance": 60, "shapeprecision": 2}
        | {"clustermode": "polygon", "y.n.func": "COUNT", "return_polygons": "true"},
    )
    yield Row(
        api,
        "GET /api/records/1.0/geocluster/",
        "y.n.expr",
        "v1.geocluster(y=)",
        "OdsAnalysisOperator.v1",
        lambda c: c.v1.geocluster(CAPITALS, clusterprecision=4, y={"n": {"func": "SUM", "expr": "population"}}),
    )
    for kind in ("csv", "json", "geojson"):
        yield Row(
            api,
            "GET /api/records/1.0/download/",
            f"format={kind}",
            "v1.download(format=)",
            "OdsDownloadOperator.v1",
            lambda c, k=kind: list(c.v1.download(CAPITALS, format=k)),
        )
    long = " OR ".join(f"name:word{number}" for number in range(600))
    posted: dict[str, tuple[str, Call]] = {
        "datasets/1.0/search": ("OdsSearchOperator", lambda c: c.v1.search_datasets(q=long.replace("name", "title"))),
        "records/1.0/search": ("OdsSearchOperator", lambda c: c.v1.search_records(CAPITALS, q=long)),
        "records/1.0/analyze": (
            "OdsAnalysisOperator",
            lambda c: c.v1.analyze(CAPITALS, q=long, x="timezone", y=_SERIES),
        ),
        "records/1.0/download": ("OdsDownloadOperator", lambda c: c.v1.download(CAPITALS, q=long).read()),
        "records/1.0/geocluster": (
            "OdsAnalysisOperator",
            lambda c: c.v1.geocluster(CAPITALS, q=long, clusterprecision=4),
        ),
    }
    for path, (operator, call) in posted.items():
        method = path.rpartition("/")[2]
        kind = "search_datasets" if path.startswith("datasets") else "search_records" if method == "search" else method
        yield Row(api, f"POST /api/{path}/", "", f"v1.{kind}()", f"{operator}.v1", call)


def _v1(api: str, endpoint: str, client: str, operator: str, make: Any, given: dict[str, Any]) -> Iterator[Row]:
    yield Row(api, endpoint, "", f"{client}()", f"{operator}.v1", make)
    for name, value in given.items():
        yield Row(api, endpoint, name, f"{client}(…)", f"{operator}.v1", lambda c, n=name, v=value: make(c, **{n: v}))


def _push() -> Iterator[Row]:
    api = "Realtime push 1.0"
    root = "/api/push/1.0/{id}/{resource_id}"
    record = {"sensor_id": "covered", "at": "2026-02-01T00:00:00+00:00", "value": 1.5}
    yield Row(
        api,
        f"POST {root}/push/",
        "",
        "push()",
        "OdsPushOperator.records",
        lambda c: c.push(READINGS, "realtime", [record]),
    )
    yield Row(
        api,
        f"POST {root}/push/",
        "pushkey",
        "push()",
        "OdsPushOperator",
        lambda c: c.push(READINGS, "realtime", [record]),
    )
    yield Row(
        api,
        f"POST {root}/delete/",
        "",
        "delete(records)",
        "OdsPushOperator.action",
        lambda c: c.delete(READINGS, "realtime", [record]),
    )
    yield Row(
        api,
        f"GET {root}/{{record_id}}/delete/",
        "",
        "delete(record_id=)",
        "OdsPushOperator.record_id",
        lambda c: c.delete(
            READINGS, "realtime", record_id=next(c.records(READINGS, limit=1, include_app_metas=True))["_id"]
        ),
    )


LOG, STATISTICS = "ods-api-monitoring", "ods-datasets-monitoring"


def _monitoring() -> Iterator[Row]:
    """The same endpoints below another address: their parameters are those of the catalogue, from the same code."""
    here, one = "GET /monitoring", "GET /monitoring/datasets/{id}"
    search, analysis, download = "OdsSearchOperator.source", "OdsAnalysisOperator.source", "OdsDownloadOperator.source"
    calls: tuple[tuple[str, str, str, Call], ...] = (
        (f"{here}/datasets", "datasets", search, lambda c: list(c.monitoring.datasets())),
        (f"{here}/facets", "facets", analysis, lambda c: c.monitoring.facets(facet="publisher")),
        (f"{here}/exports", "export_formats", "", lambda c: c.monitoring.export_formats()),
        (f"{here}/exports/{{format}}", "export", download, lambda c: _drained(c.monitoring.export(format="csv"))),
        (one, "dataset", "", lambda c: c.monitoring.dataset(LOG)),
        (f"{one}/records", "records", search, lambda c: list(c.monitoring.records(STATISTICS, limit=3))),
        (f"{one}/records/{{id}}", "record", search, _monitored_record),
        (f"{one}/facets", "facets", analysis, lambda c: c.monitoring.facets(LOG)),
        (f"{one}/exports", "export_formats", "", lambda c: c.monitoring.export_formats(LOG)),
        (f"{one}/exports/{{format}}", "export", download, lambda c: _drained(c.monitoring.export(LOG, format="csv"))),
        (f"{one}/attachments", "attachments", "", lambda c: c.monitoring.attachments(LOG)),
    )
    for endpoint, client, operator, call in calls:
        yield Row("Explore v2.1, the monitoring source", endpoint, "", f"monitoring.{client}()", operator, call)


def _monitored_record(client: OdsClient) -> Any:
    row = next(client.monitoring.records(STATISTICS, limit=1, include_app_metas=True))
    return client.monitoring.record(STATISTICS, row["_id"])


ROWS: tuple[Row, ...] = (
    *_explore(),
    *_odsql(),
    *_exports(),
    *_multimedia(),
    *_monitoring(),
    *_search_v1(),
    *_push(),
)


def _gated(client: OdsClient) -> Any:
    return client.count("gated-loads")


def _application(portal: Any) -> dict[str, Any]:
    application = {"client_id": portal.oauth.client_id, "client_secret": portal.oauth.client_secret}
    return {"extra": {"auth": "oauth2", "refresh_token": portal.oauth.grant()} | application}


SIGNINGS = (
    Signing("nothing", "`auth=anonymous`, or no key", None, lambda p: {}, lambda c: c.count(CAPITALS)),
    Signing("`Authorization: Apikey …`", "password", "apikey", lambda p: {"password": p.api_key}, _gated),
    Signing(
        "`Authorization: Basic …`",
        "`auth=basic`, login, password",
        "basic",
        lambda p: {"login": "me", "password": p.api_key, "extra": {"auth": "basic"}},
        _gated,
    ),
    Signing(
        "`Authorization: Bearer …`",
        "`auth=oauth2`, `client_id`, `client_secret`, and `ods login` or `refresh_token`",
        "bearer",
        _application,
        _gated,
    ),
    Signing(
        "`pushkey=…`, to the push API only",
        "`push_api_key`",
        "pushkey",
        lambda p: {"extra": {"push_api_key": p.push_key}},
        lambda c: c.push(
            READINGS, "realtime", [{"sensor_id": "signed", "at": "2026-02-01T00:00:00+00:00"}], unknown_fields="send"
        ),
    ),
)

OUT_OF_SCOPE = {
    "Search v1.0: `callback` and the formats jsonp, geojsonp, rss, atom": "for pages in a browser and feed readers",
    "Search v1.0: other formats of searches and analyses (csv, geojson)": "files come from download",
    "Explore v2.1: `offset` of a catalogue export": "an export is fetched whole",
    "Explore v2.1: the aliases `rows`, `start`, `sort`": "older spellings of `limit`, `offset`, `order_by`",
    "`/explore/dataset/…`": "addresses of the portal's pages for what the APIs above serve too; `file()` takes them",
    "Monitoring source: Search v1.0, Explore v2.0, files": "Explore v2.1 serves it whole, and it has no files",
    "Search v1.0: `pretty_print`": "for people who read the answer in a browser",
    "Search v1.0: boundingbox, geopreview, geopolygon": "undocumented helpers of the portal's own map",
    "`apikey=` and `access_token=` in a query": "they end up in logs and referers; keys are sent in a header",
    "Session cookies": "they belong to a person in a browser; the client refuses all cookies",
    "Explore v2.0, `/aggregates`, `/query`": "retired; the client speaks 2.1 and logs a deprecation notice once",
    "Automation API: connections, pages, feedbacks": "people set them up in the back office",
    "Automation API: making users, groups, keys and harvesters": "they are read; who may do what is decided by people",
    "CSW, WFS, OData, TPF": "standards of their own, with clients of their own",
}
