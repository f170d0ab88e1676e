"""Uploaded files become records: each extractor, its parameters, types, and what is said of files that are broken."""

import io
import itertools
import json
from datetime import UTC, date, datetime

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ods_provider.testing.backoffice.extraction.jsonstream import items
from ods_provider.testing.backoffice.trouble import ExtractionError


def published(edit, name, content, type, **params):
    at = edit.new()
    edit.resource(at, name, content, type, **params)
    told = edit.publish(at)
    assert (told["status"], told["records_errors"]) == ("idle", []), told
    return edit.ask.rows("mine", limit=100), {
        field["name"]: field["type"] for field in edit.ask.whole("/datasets/mine")["fields"]
    }


def refused(edit, name, content, type, **params):
    at = edit.new()
    edit.resource(at, name, content, type, **params)
    told = edit.publish(at)
    assert told["status"] == "error"
    return told["message"]


def workbook():
    book = openpyxl.Workbook()
    book.active.append(["Not this"])
    sheet = book.create_sheet()
    sheet.append(["Name", "Day", "Value"])
    sheet.append(["a", datetime(2024, 1, 2), 1.5])
    sheet.append([None, None, None])
    sheet.append(["b", None, 2])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def parquet():
    table = pa.table(
        {
            "Code": ["01", "x"],
            "At": [datetime(2024, 1, 1, 1, tzinfo=UTC), None],
            "Day": [date(2024, 1, 1), None],
            "Big": [2**53 + 1, None],
            "Open": [True, None],
            "Place": [{"lon": 1.5, "lat": 2.5}, None],
        }
    )
    made = io.BytesIO()
    pq.write_table(table, made)
    return made.getvalue()


POINT = {"type": "Point", "coordinates": [8.0, 47.0]}
AREA = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "geometry": POINT, "properties": {"Name": "a"}},
        {"type": "Feature", "geometry": AREA, "properties": {"Name": "b"}},
        {"type": "Feature", "geometry": None, "properties": {"Name": "c"}},
    ],
}


def test_delimited_text_with_its_quotes_and_types(edit):
    text = (
        'AnzahlPP;Größe;Code;Day;At;Place;"Say ""it"""\n'
        '1;1.5;01;2024-01-02;2024-01-02T03:00:00+01:00;"47.5, 8.5";"a;\nb"\n'
        ";;02;;;;\n"
    )
    rows, types = published(edit, "a.csv", text, "csvfile", separator=";")
    assert types == {
        "anzahlpp": "int",
        "grosse": "double",
        "code": "text",
        "day": "date",
        "at": "datetime",
        "place": "geo_point_2d",
        "say_it": "text",
    }
    first = (1, 1.5, "01", "2024-01-02", "2024-01-02T02:00:00+00:00", {"lon": 8.5, "lat": 47.5}, "a;\nb")
    assert [tuple(row.values()) for row in rows] == [first, (None, None, "02", None, None, None, None)]
    assert edit.ask.whole("/datasets/mine")["fields"][1]["label"] == "Größe"


@pytest.mark.parametrize(
    ("content", "params", "rows"),
    [
        ("n,v\nä,1\n".encode("latin-1"), {"encoding": "iso-8859-1"}, [{"n": "ä", "v": 1}]),
        ("n\tv\r\nä\t1\r\n".encode("utf-16"), {"encoding": "utf-16", "separator": "\\t"}, [{"n": "ä", "v": 1}]),
        (b"\xef\xbb\xbfn,v\na,1\n", {}, [{"n": "a", "v": 1}]),
        (
            b"a,1\nb,2",
            {"headers_first_row": False},
            [{"column_1": "a", "column_2": 1}, {"column_1": "b", "column_2": 2}],
        ),
        (b"note\nn,v\na,1\n", {"first_row_no": 2}, [{"n": "a", "v": 1}]),
        (b'n,v\n"a\\"b",1\n', {"doublequote": False, "escapechar": "\\"}, [{"n": 'a"b', "v": 1}]),
        (b"n,v\na\n", {}, [{"n": "a", "v": None}]),
        (b"n,v\na,1\na,1\n", {}, [{"n": "a", "v": 1}]),
    ],
    ids=["latin-1", "utf-16 and tabs", "mark", "no header", "first row", "escape", "short row", "alike"],
)
def test_each_parameter_of_delimited_text(edit, content, params, rows):
    assert published(edit, "a.csv", content, "csvfile", **params)[0] == rows


@pytest.mark.parametrize(
    ("content", "params"),
    [
        (b'{"a": 1, "b": "x"}\n\n{"a": 2.5, "c": {"d": 1}}\n', {}),
        (b'[{"a": 1, "b": "x"}, {"a": 2.5, "c": {"d": 1}}]', {}),
        (b'{"n": [1], "data": {"list": [{"a": 1, "b": "x"},\n{"a": 2.5, "c": {"d": 1}}]}}', {"json_root": "data.list"}),
        (b'[{"it": {"a": 1, "b": "x"}}, {"it": {"a": 2.5, "c": {"d": 1}}}]', {"json_object": "it"}),
    ],
    ids=["lines", "list", "root", "object"],
)
def test_json_in_each_form(edit, content, params):
    rows, types = published(edit, "a.json", content, "jsonfile", **params)
    assert types == {"a": "double", "b": "text", "c": "text"}
    assert rows == [{"a": 1.0, "b": "x", "c": None}, {"a": 2.5, "b": None, "c": '{"d":1}'}]


@pytest.mark.at_length
def test_two_numbers_are_a_place_only_where_they_can_be_nothing_else(edit):
    cells = {
        "comma": ("1,5", "text"),
        "whole": ("47,8", "text"),
        "mixed": ("47.5,8", "text"),
        "far": ("147.5, 8.5", "text"),
        "further": ("47.5,188.5", "text"),
        "blank": ("47, 8", "geo_point_2d"),
        "points": ("47.5,-8.5", "geo_point_2d"),
    }
    text = f"{';'.join(cells)}\n{';'.join(cell for cell, _ in cells.values())}\n"
    rows, types = published(edit, "a.csv", text, "csvfile", separator=";")
    assert types == {name: kind for name, (_, kind) in cells.items()}
    assert (rows[0]["comma"], rows[0]["points"]) == ("1,5", {"lon": -8.5, "lat": 47.5})


def test_json_keeps_its_own_types(edit):
    record = {"n": "12", "day": "2024-01-02", "open": True, "at": {"lon": 1.5, "lat": 2.5}, "area": AREA}
    rows, types = published(edit, "a.jsonl", json.dumps(record), "jsonfile")
    assert types == {"n": "text", "day": "date", "open": "boolean", "at": "geo_point_2d", "area": "geo_shape"}
    assert (rows[0]["n"], rows[0]["open"], rows[0]["area"]["geometry"]) == ("12", True, AREA)


@pytest.mark.at_length
def test_geojson_workbooks_and_parquet(edit):
    rows, types = published(edit, "a.geojson", json.dumps(FEATURES), "geojson")
    assert types == {"geo_point_2d": "geo_point_2d", "geo_shape": "geo_shape", "name": "text"}
    assert [row["geo_shape"] and row["geo_shape"]["geometry"]["type"] for row in rows] == ["Point", "Polygon", None]
    edit.ask.portal.reset()
    rows, types = published(edit, "a.xlsx", workbook(), "xlsfile", sheet_no=2)
    assert types == {"name": "text", "day": "date", "value": "double"}
    assert [tuple(row.values()) for row in rows] == [("a", "2024-01-02", 1.5), ("b", None, 2.0)]
    edit.ask.portal.reset()
    rows, types = published(edit, "a.parquet", parquet(), "parquet")
    assert list(types.values()) == ["text", "datetime", "date", "int", "boolean", "geo_point_2d"]
    assert tuple(rows[0].values()) == (
        "01", "2024-01-01T01:00:00+00:00", "2024-01-01", 2**53 + 1, True, {"lon": 1.5, "lat": 2.5},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "type", "params", "why"),
    [
        ("a.csv", "n\nä\n".encode("latin-1"), "csvfile", {}, "not in utf-8"),
        ("a.csv", b"n\n", "csvfile", {"encoding": "klingon"}, "klingon"),
        ("a.csv", b"", "csvfile", {}, "no row"),
        ("a.csv", b"n\n", "csvfile", {"separator": "::"}, "one character"),
        ("a.json", b'[{"a": 1}', "jsonfile", {}, "ends too early"),
        ("a.json", b'{"a": {"b": 1}, "c": []}\n]', "jsonfile", {"json_root": "a.c"}, "no 'c'"),
        ("a.json", b"[1]", "jsonfile", {}, "no object"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "jsonfile", {}, "JSON"),
        ("a.geojson", b'{"type": "Feature"}', "geojson", {}, "no 'features'"),
        ("a.xlsx", b"PK\x03\x04", "xlsfile", {}, "workbook"),
        ("a.xlsx", workbook(), "xlsfile", {"sheet_no": 3}, "no sheet 3"),
        ("a.parquet", b"PAR1PAR1", "parquet", {}, "Parquet"),
        ("a.shp", b"n\n", "shapefile", {}, "no extractor shapefile"),
    ],
    ids=itertools.count(),  # a workbook holds the time at which it was made
)
def test_a_broken_file_is_an_error_that_says_why(edit, name, content, type, params, why):
    assert why in refused(edit, name, content, type, **params)


def test_several_resources_are_one_dataset_with_the_fields_of_the_first(edit):
    at = edit.new()
    edit.resource(at, "a.csv", "n,v\na,1\n")
    edit.resource(at, "b.csv", "v,more,n\n2,x,b\n")
    edit.publish(at)
    assert edit.ask.rows("mine") == [{"n": "a", "v": 1}, {"n": "b", "v": 2}]


def test_cells_that_do_not_fit_are_empty_and_told(edit):
    at = edit.new()
    edit.resource(at, "a.csv", "n,v\na,1\nb,many\n")
    step = edit.done("POST", f"{at}/fields/", 201, json={"type": "type", "field": "v", "type_param": "int"})
    told = edit.publish(at)
    assert (told["status"], told["is_published"]) == ("idle", True)
    (error,) = told["records_errors"]
    ((record),) = edit.ask.rows("mine", where="v is null", include_app_metas="true")
    assert error == {
        "record_id": record["_id"],
        "field_uid": "v",
        "processor_uid": step["uid"],
        "message": 'Cannot convert "many" to "int"',
    }
    edit.office.switch(most_records_errors=0)
    assert edit.publish(at)["records_errors"] == []


def test_types_follow_from_the_first_rows_and_what_comes_later_is_an_error(edit):
    edit.office.switch(typed_by_rows=2)
    at = edit.new()
    edit.resource(at, "a.csv", "v\n1\n2\nx\n")
    assert [error["message"] for error in edit.publish(at)["records_errors"]] == ['Cannot convert "x" to "int"']


@pytest.mark.parametrize(
    ("text", "way", "found"),
    [
        ("[]", [], []),
        (' [ 1 , "a]" , {"b": [2]} ] ', [], [1, "a]", {"b": [2]}]),
        ('{"x": "{[", "a": {"b": [true, 12]}, "z": 0}', ["a", "b"], [True, 12]),
        ("[" + ",".join(["123456789"] * 60_000) + "]", [], [123456789] * 60_000),
    ],
)
def test_items_are_read_one_at_a_time(text, way, found):
    assert list(items(io.StringIO(text), way)) == found


@pytest.mark.parametrize("text", ["", "[1", "[1 2]", '{"a" 1}', "[1,]", "12", '{"a": "[1]"}'])
def test_text_that_is_no_list_is_refused(text):
    with pytest.raises(ExtractionError):
        list(items(io.StringIO(text), ["a"] if text.startswith("{") else []))


@pytest.mark.at_length
def test_a_file_by_http_comes_from_this_machine_only(edit):
    portal = edit.ask.portal.url
    at = edit.new()
    connection = {
        "type": "http",
        "url": portal,
        "auth": {"type": "basic_auth", "username": "u", "password": "demo-key"},
    }
    path = "/api/explore/v2.1/catalog/datasets/gated-loads/exports/csv"
    datasource = {"type": "http", "connection": connection, "headers": [], "relative_url": path}
    given = {"type": "csvfile", "params": {"separator": ";"}, "datasource": datasource}
    made = edit.done("POST", f"{at}/resources/", 201, json=given)
    assert made["datasource"]["connection"]["auth"] == {"type": "basic_auth", "username": "u", "password": None}
    assert edit.publish(at)["status"] == "idle"
    assert edit.ask.total("mine") == 40
    # What was shown as null comes back as null, and is still known.
    one = f"{at}/resources/{made['uid']}/"
    edit.done("PUT", one, json=made)
    assert edit.publish(at)["status"] == "idle"
    edit.done("PUT", one, json=made | {"datasource": made["datasource"] | {"relative_url": "/nothing"}})
    assert edit.publish(at)["message"] == "HTTP error 404 on /nothing"
    connection["url"] = "https://example.org"
    edit.done("PUT", one, json=given)
    assert edit.publish(at)["message"] == "example.org cannot be reached"
    assert edit.ask.total("mine") == 40
