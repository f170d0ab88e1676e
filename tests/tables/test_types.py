"""Every field type, in every spelling that an export may have: the value arrives, or the load says which does not."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
import shapely
from tables_values import became, converted, field

from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.schema import Field
from ods_provider.tables.columns import arrow_schema
from ods_provider.tables.converting import Converter
from ods_provider.tables.geometries import json_parts, msgspec_parts
from ods_provider.tables.portaltypes import columns_of

NOON = datetime(2024, 3, 31, 12, 0, tzinfo=UTC)
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1.5, 0], [1.5, 1], [0, 0]]]}


def _wkb(lon, lat):
    return struct.pack("<BIdd", 1, 1, lon, lat)


@pytest.mark.parametrize(
    ("described", "array", "values"),
    [
        (field("text"), pa.array(["é", None, ""]), ["é", None, ""]),
        (field("text"), pa.array(["é"], pa.large_string()), ["é"]),
        (field("text"), pa.array(["é"], pa.string_view()), ["é"]),
        (field("text"), pa.array(["é".encode()]), ["é"]),
        (field("text"), pa.array(["a", "b", "a", None]).dictionary_encode(), ["a", "b", "a", None]),
        (field("text"), pa.nulls(2), [None, None]),
        (field("int"), pa.array([2**63 - 1, -(2**63)]), [2**63 - 1, -(2**63)]),
        (field("int"), pa.array([1, None], pa.int32()), [1, None]),
        (field("int"), pa.array([7], pa.uint64()), [7]),
        (field("int"), pa.array([6.0, -(2.0**53), None]), [6, -(2**53), None]),
        (field("int"), pa.array([Decimal("12.00")]), [12]),
        (field("int"), pa.array(["9223372036854775807", " 5 "]), [2**63 - 1, 5]),
        (field("int"), pa.nulls(1), [None]),
        (field("double"), pa.array([1, 2**53]), [1.0, 2.0**53]),
        (field("double"), pa.array([0.5], pa.float32()), [0.5]),
        (field("double"), pa.array([float("inf"), -0.0]), [float("inf"), -0.0]),
        (field("double"), pa.array(["0.30000000000000004", "-inf"]), [0.1 + 0.2, float("-inf")]),
        (field("boolean"), pa.array([True, None, False]), [True, None, False]),
        (field("boolean"), pa.array([1, 0], pa.int8()), [True, False]),
        (field("boolean"), pa.array(["true", "False"]), [True, False]),
        (field("date"), pa.array([date(1, 1, 1), date(9999, 12, 31)]), [date(1, 1, 1), date(9999, 12, 31)]),
        (field("date"), pa.array([date(2024, 2, 29)], pa.date64()), [date(2024, 2, 29)]),
        (field("date"), pa.array([datetime(2024, 2, 29, tzinfo=UTC)]), [date(2024, 2, 29)]),
        (field("date"), pa.array(["2024-02-29", None]), [date(2024, 2, 29), None]),
        (field("date"), pa.array(["2024-02-29T00:00:00+00:00"]), [date(2024, 2, 29)]),
        (field("date", timeserie_precision="year"), pa.array(["2020", "1984-12"]),
         [date(2020, 1, 1), date(1984, 12, 1)]),
        (field("date", timeserie_precision="month"), pa.array(["1984-12"]), [date(1984, 12, 1)]),
        (field("date", timeserie_precision="year"), pa.array([date(2020, 1, 1)]), [date(2020, 1, 1)]),
        (field("datetime"), pa.array([NOON], pa.timestamp("ms", "UTC")), [NOON]),
        (field("datetime"), pa.array([NOON], pa.timestamp("s", "Europe/Paris")), [NOON]),
        (field("datetime"), pa.array([NOON.replace(tzinfo=None)], pa.timestamp("ns")), [NOON]),
        (field("datetime"), pa.array(["2024-03-31T14:00:00+02:00", "2024-03-31T12:00:00Z"]), [NOON, NOON]),
        (field("datetime"), pa.array(["2024-03-31T12:00:00", "2024-03-31 12:00:00+00:00"]), [NOON, NOON]),
        (field("datetime"), pa.array([date(2024, 3, 31)]), [NOON.replace(hour=0)]),
        (field("geo_shape"), pa.nulls(1), [None]),
        (field("file"), pa.array([{"filename": "é", "width": None}]), ['{"filename":"é","width":null}']),
        (field("file"), pa.array(['{"id": 2}']), ['{"id": 2}']),
        (field("json_blob"), pa.array(['{"n": 9007199254740993, "x": "\\u00e9"}', "null", None]),
         ['{"n": 9007199254740993, "x": "\\u00e9"}', "null", None]),
        (field("json_blob"), pa.array([{"n": 2**63 - 1, "x": 0.1, "d": date(2024, 2, 29)}]),
         ['{"n":9223372036854775807,"x":0.1,"d":"2024-02-29"}']),
        (field("text", multivalued=";"), pa.array([["b, c", 'q"'], [], None]), ['["b, c","q\\""]', "[]", None]),
        (field("text", multivalued=";"), pa.array(["b, c;d", "e"]), ['["b, c","d"]', '["e"]']),
        (field("text", multivalued=True), pa.array(["a;b", '["c"]']), ['["a;b"]', '["c"]']),
        (field("datetime", multivalued=";"), pa.array([[NOON]]), ['["2024-03-31T12:00:00+00:00"]']),
        (field("a type of next year"), pa.array([2]), [2]),
        (None, pa.array([2], pa.int32()), [2]),
        (None, pa.array([1.5], pa.float32()), [1.5]),
        (None, pa.array([Decimal("1.25")]), [Decimal("1.250000000")]),
        (None, pa.array([Decimal("1.1234567890")]), ["1.1234567890"]),
        (None, pa.array([time(1, 2, 3)]), ["01:02:03.000000"]),
        (None, pa.array([b"\0\1"]), [b"\0\1"]),
        (None, pa.array([[1, None]]), ["[1,null]"]),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_arrives_whatever_the_export_holds_it_as(described, array, values):
    (found,) = became(described, array).values()
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize(
    ("described", "array", "shown"),
    [
        (field("int"), pa.array([1.0, 1.5]), "record 1, field f: 1.5 is no int"),
        (field("int"), pa.array([2.0**60]), "not exact beyond 2^53"),
        (field("int"), pa.array([2**63], pa.uint64()), "9223372036854775808"),
        (field("int"), pa.array(["1", "x" * 5000]), "record 1, field f: 'xxx"),
        (field("int"), pa.array([float("nan")]), "nan is no int"),
        (field("double"), pa.array([0, 2**53 + 1]), "record 1, field f: 9007199254740993"),
        (field("double"), pa.array(["1e999"]), "larger than a double"),
        (field("boolean"), pa.array([2], pa.int8()), "only 0 and 1"),
        (field("boolean"), pa.array(["maybe"]), "'maybe' is no boolean"),
        (field("date"), pa.array(["2024-02-29", "2024-02-30"]), "record 1, field f: '2024-02-30'"),
        (field("date"), pa.array(["2020"]), "has no day"),
        (field("date", timeserie_precision="month"), pa.array(["1984-12", "2020"]), "record 1, field f: '2020'"),
        (field("date"), pa.array([None, NOON]), "no time of day"),
        (field("datetime"), pa.array(["2024-03-31T12:00:00.1234567Z"]), "finer than a microsecond"),
        (field("datetime"), pa.array([1], pa.timestamp("ns", "UTC")), "would lose data"),
        (field("datetime"), pa.array(["yesterday"]), "'yesterday' is no datetime"),
        (field("text"), pa.array([b"ok", b"\xff"]), "record 1, field f"),
        (field("json_blob"), pa.array(["{}", "{"]), "record 1, field f: '{' is no json_blob"),
        (field("json_blob"), pa.array([{"x": float("nan")}]), "is no json_blob"),
        (field("geo_point_2d"), pa.array(["1, 2", "nowhere"]), "record 1, field f: 'nowhere' is no geo_point_2d"),
        (field("geo_point_2d"), pa.array([[99.0, 2.0]]), "latitude first"),
        (field("geo_point_2d"), pa.array([[1.0, 2.0, 3.0]]), "two coordinates"),
        (field("geo_point_2d"), pa.array([{"a": 1.0}]), "other members"),
        (field("geo_point_2d"), pa.array([shapely.to_wkb(shapely.box(0, 0, 1, 1))]), "another geometry"),
        (field("geo_shape"), pa.array([None, '{"type":"Square","coordinates":[]}']), "record 1, field f"),
        (field("geo_shape"), pa.array(['{"type":"Point","coordinates":[1,2],}']), "is no geo_shape"),
        (None, pa.array([Decimal(10**30)]), "is no decimal128"),
    ],
    ids=str,
)
def test_a_value_that_would_lose_something_is_named_with_its_record_and_field(described, array, shown):
    with pytest.raises(OdsError) as caught:
        became(described, array)
    told = str(caught.value)
    assert shown in told
    assert "dataset d" in told
    assert "Leave the field out" in told
    assert len(told) < 700


def test_records_are_counted_over_all_batches():
    table = pa.table({"f": pa.array([1.0] * 10 + [1.5])})
    converter = Converter([field("int")], table.schema, columns_of([field("int")], table.schema))
    first, second = table.slice(0, 6).to_batches()[0], table.slice(6).to_batches()[0]
    converter.convert(first)
    with pytest.raises(OdsError, match="record 10, field f"):
        converter.convert(second)


POINTS = {
    "struct": pa.array([{"lon": 5.25, "lat": 51.5}, None]),
    "struct, latitude first": pa.array([{"lat": 51.5, "lon": 5.25}, None]),
    "struct of x and y": pa.array([{"x": 5.25, "y": 51.5}, None]),
    "list, latitude first": pa.array([[51.5, 5.25], None]),
    "list of two": pa.array([[51.5, 5.25], None], pa.list_(pa.float64(), 2)),
    "WKB": pa.array([_wkb(5.25, 51.5), None]),
    "text": pa.array(["51.5, 5.25", None]),
    "text of CSV in version 1": pa.array(["51.5,5.25", None]),
    "GeoJSON": pa.array(['{"type": "Point", "coordinates": [5.25, 51.5]}', None]),
    "feature": pa.array(['{"type":"Feature","geometry":{"type":"Point","coordinates":[5.25,51.5]}}', None]),
    "object": pa.array(['{"lon": 5.25, "lat": 51.5}', None]),
    "WKT": pa.array(["POINT (5.25 51.5)", None]),
    "spellings mixed": pa.array(["+51.5, 5.25", "POINT EMPTY"]),
    "empty WKB": pa.array([_wkb(5.25, 51.5), _wkb(float("nan"), float("nan"))]),
}


@pytest.mark.parametrize("array", POINTS.values(), ids=POINTS)
def test_a_point_of_any_spelling_is_kept_in_every_way(array):
    point = field("geo_point_2d")
    assert became(point, array) == {"f_lon": [5.25, None], "f_lat": [51.5, None]}
    assert became(point, array, "wkt") == {"f": ["POINT (5.25 51.5)", None]}
    assert became(point, array, "geojson") == {"f": ['{"type":"Point","coordinates":[5.25,51.5]}', None]}
    assert became(point, array, "postgis") == {"f": [_wkb(5.25, 51.5), None]}


def test_a_list_of_geoarrow_has_its_longitude_first():
    said = {"ARROW:extension:name": "geoarrow.point"}
    schema = pa.schema([pa.field("f", pa.list_(pa.float64(), 2), metadata=said)])
    table = pa.table([pa.array([[5.25, 51.5]], schema.field(0).type)], schema=schema)
    assert converted([field("geo_point_2d")], table).to_pydict() == {"f_lon": [5.25], "f_lat": [51.5]}


def test_half_a_point_is_kept_as_two_columns_and_refused_as_a_geometry():
    half = pa.array([{"lon": 1.0, "lat": None}])
    assert became(field("geo_point_2d"), half) == {"f_lon": [1.0], "f_lat": [None]}
    with pytest.raises(OdsError, match="both a longitude and a latitude"):
        became(field("geo_point_2d"), half, "wkt")


TEXT = json.dumps(SQUARE)
SHAPES = {
    "bare": (pa.array([TEXT, None]), TEXT),
    "feature": (pa.array([f'{{"type":"Feature","properties":{{}}, "geometry": {TEXT} }}', None]), TEXT),
    "feature without geometry": (pa.array([TEXT, '{"type":"Feature","geometry":null}']), TEXT),
    "struct": (pa.array([SQUARE, None]),
               '{"type":"Polygon","coordinates":[[[0.0,0.0],[1.5,0.0],[1.5,1.0],[0.0,0.0]]]}'),
    "WKB": (pa.array([shapely.to_wkb(shapely.from_geojson(TEXT)), None]), None),
    "WKT": (pa.array(["POLYGON ((0 0, 1.5 0, 1.5 1, 0 0))", None]), None),
}  # fmt: skip


@pytest.mark.parametrize(("array", "text"), SHAPES.values(), ids=SHAPES)
def test_a_shape_of_any_spelling_is_kept_in_every_way(array, text):
    shape = field("geo_shape")
    for geo in ("lonlat", "geojson"):
        kept, nothing = became(shape, array, geo)["f"]
        assert nothing is None
        assert kept == text if text else json.loads(kept) == SQUARE
    assert became(shape, array, "wkt") == {"f": ["POLYGON ((0 0, 1.5 0, 1.5 1, 0 0))", None]}
    kept, nothing = became(shape, array, "postgis")["f"]
    assert nothing is None
    assert shapely.from_wkb(kept).equals(shapely.from_geojson(TEXT))


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f' {{ "geometry" : {TEXT},\n"type":"Feature"}} ',
        '{"type":"Feature","geometry":null}',
        '{"type":"GeometryCollection","geometries":[]}',
        '{"type":{"a":"}"},"geometry":5}',
        "{}",
    ],
)
def test_parts_of_geojson_are_found_alike_with_and_without_msgspec(text):
    assert msgspec_parts()(text) == json_parts(text)


def test_a_ring_that_is_not_closed_is_named_where_a_geometry_is_asked_for():
    bad = pa.array([None, '{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1]]]}'])
    assert became(field("geo_shape"), bad)["f"][1]
    with pytest.raises(OdsError, match=r"record 1, field f.*closed"):
        became(field("geo_shape"), bad, "postgis")


def test_what_a_select_computes_is_typed_by_the_export_and_not_by_a_field_of_its_name():
    fields = [field("text", "population"), field("int", "d")]
    table = pa.table({"population": pa.array([1.5]), "n": pa.array([3], pa.int32()), "d": pa.array([True])})
    assert converted(fields, table).to_pydict() == {"population": [1.5], "n": [3], "d": [True]}


def test_labels_descriptions_and_precision_are_told_of_columns():
    fields = [
        Field("place", "geo_point_2d", "\ufeffPlace", "Where it is"),
        Field("year", "date", None, None, {"timeserie_precision": "year"}),
        Field("odd", "int", 5, ["no text"]),  # type: ignore[arg-type]  what a portal may send
    ]
    schema = pa.schema({"place": pa.string(), "year": pa.string(), "odd": pa.int64(), "n": pa.int64()})
    comments = {column.name: column.comment for column in columns_of(fields, schema)}
    assert comments == {
        "place_lon": "Place (longitude): Where it is",
        "place_lat": "Place (latitude): Where it is",
        "year": "year (year)",
        "odd": None,
        "n": None,
    }


def test_an_empty_export_has_typed_columns_all_the_same():
    schema = pa.schema({"a": pa.null(), "p": pa.null(), "s": pa.string()})
    fields = [field("datetime", "a"), field("geo_point_2d", "p"), field("geo_shape", "s")]
    for geo in ("lonlat", "wkt", "geojson", "postgis"):
        table = converted(fields, schema.empty_table(), geo)
        assert table.schema == arrow_schema(columns_of(fields, schema, geo=geo))
        full = converted(fields, pa.table({name: pa.nulls(2, schema.field(name).type) for name in schema.names}), geo)
        assert all(column.null_count == 2 for column in full.columns)


def test_two_columns_of_one_name_and_an_unknown_way_of_places_are_refused():
    schema = pa.schema([("a", pa.int64()), ("a", pa.int64())])
    with pytest.raises(OdsConfigError, match="two columns of the export are called 'a'"):
        columns_of([], schema)
    with pytest.raises(OdsConfigError, match="lonlat, wkt, geojson, postgis"):
        columns_of([], pa.schema([]), geo="wgs84")  # type: ignore[arg-type]


def test_a_part_of_another_schema_is_refused():
    converter = Converter([], pa.schema({"a": pa.int64()}), columns_of([], pa.schema({"a": pa.int64()})))
    for other in ({"b": pa.array([1])}, {"a": pa.array(["1"])}):
        with pytest.raises(OdsError, match="the dataset changed between them"):
            converter.convert(pa.RecordBatch.from_pydict(other))


def test_values_are_kept_as_the_kind_that_a_standing_column_has():
    moments = pa.array([NOON, datetime(2024, 1, 1, 1, 2, 3, 456000, tzinfo=UTC)], pa.timestamp("ms", "UTC"))
    table = pa.table({"n": pa.array([1, 2**53]), "at": moments, "d": pa.array([date(2024, 2, 29)] * 2)})
    fields = [field("int", "n"), field("datetime", "at"), field("date", "d")]
    columns = columns_of(fields, table.schema)

    def kept(*kinds):
        others = tuple(replace(column, kind=kind) for column, kind in zip(columns, kinds, strict=True))
        return Converter(fields, table.schema, others).convert(table.to_batches()[0]).to_pydict()

    assert kept("double", "text", "text") == {
        "n": [1.0, 2.0**53],
        "at": ["2024-03-31T12:00:00+00:00", "2024-01-01T01:02:03.456000+00:00"],
        "d": ["2024-02-29", "2024-02-29"],
    }
    assert kept("decimal", "datetime", "datetime")["d"] == [datetime(2024, 2, 29, tzinfo=UTC)] * 2
    table = pa.table({"n": pa.array([1, 2**53 + 1]), "at": moments, "d": table["d"]})
    with pytest.raises(OdsError, match="record 1, field n: 9007199254740993"):
        kept("double", "datetime", "date")
