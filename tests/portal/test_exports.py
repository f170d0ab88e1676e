"""Exports: whole, unbounded, streamed, and in each format's own manner."""

import csv
import gzip
import io
import json

import openpyxl
import pyarrow.parquet as pq
import pytest


def test_an_export_states_its_name_and_no_length(ask):
    for name in ("csv", "json", "jsonl", "geojson", "parquet", "xlsx"):
        headers = ask.export(name).headers
        assert headers["content-disposition"] == f'attachment; filename="world-capitals.{name}"'
        assert "content-length" not in headers
        assert headers["x-ratelimit-remaining"]


def test_csv_is_semicolons_crlf_and_a_mark_at_its_head(ask):
    body = ask.export("csv").content
    assert body.startswith("\ufeffgeoname_id;name;".encode())
    assert body.count(b"\r\n") == body.count(b"\n") == 111
    assert ask.export("csv").headers["content-type"] == "text/csv; charset=utf-8"


def test_csv_options_change_it(ask):
    text = ask.export(
        "csv", delimiter=",", with_bom="false", quote_all="true", list_separator="|", where="name='Brussels'"
    ).text
    assert text.splitlines()[0].startswith('"geoname_id","name"')
    assert '"Bruxelles|Brussel"' in text
    assert ask.export("csv", delimiter="\t", select="name,country_code", with_bom="false").text.startswith(
        "name\tcountry_code"
    )
    assert ask.export("csv", delimiter="|", select="name,country_code", with_bom="false").text.startswith(
        "name|country_code"
    )
    assert ask.export("csv", use_labels="true", with_bom="false").text.startswith("Geoname ID;Name;")
    status, code, message = ask.refused("/datasets/world-capitals/exports/csv", delimiter="x")
    assert (status, code) == (400, "InvalidRESTParameterError")
    assert "delimiter" in message


def test_csv_doubles_quotes_and_keeps_line_breaks_inside_cells(ask):
    portal = ask.portal
    text = 'a "quoted"; word\r\nand a line'
    ask(
        f"/api/push/1.0/live-readings/realtime/push/?pushkey={portal.push_key}",
        method="POST",
        json={"sensor_id": "q", "note": text},
    )
    body = ask.export("csv", "live-readings", where="sensor_id='q'", select="note,sensor_id").content.decode(
        "utf-8-sig"
    )
    assert body == 'note;sensor_id\r\n"a ""quoted""; word\r\nand a line";q\r\n'


def test_every_format_holds_the_same_rows(ask):
    select = {"select": "name,population,elevation,modification_date", "order_by": "name"}
    rows = ask.export("json", **select).json()
    assert len(rows) == 110
    assert [json.loads(line) for line in ask.export("jsonl", **select).text.splitlines()] == rows
    in_csv = list(csv.DictReader(io.StringIO(ask.export("csv", **select).content.decode("utf-8-sig")), delimiter=";"))
    assert [row["name"] for row in in_csv] == [row["name"] for row in rows]
    features = ask.export("geojson", **select).json()["features"]
    assert [feature["properties"]["name"] for feature in features] == [row["name"] for row in rows]
    table = pq.read_table(io.BytesIO(ask.export("parquet", **select).content))
    assert table.column("population").to_pylist() == [row["population"] for row in rows]
    sheet = openpyxl.load_workbook(io.BytesIO(ask.export("xlsx", **select).content)).active
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == [row["name"] for row in rows]


def test_json_is_a_bare_array(ask):
    assert ask.export("json", where="name='nowhere'").text == "[]"
    assert ask.export("jsonl", where="name='nowhere'").text == ""


def test_geojson_writes_longitude_first(ask):
    (feature,) = ask.export("geojson", where="name='Paris'").json()["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [2.349, 48.853]}
    assert "coordinates" not in feature["properties"]


def test_parquet_is_typed_and_compressed_as_asked(ask):
    body = ask.export("parquet", "live-readings", parquet_compression="zstd").content
    file = pq.ParquetFile(io.BytesIO(body))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert str(file.schema_arrow.field("at").type) == "timestamp[ms, tz=UTC]"
    assert ask.refused("/datasets/live-readings/exports/parquet", parquet_compression="lz4")[0] == 400


def test_query_parameters_shape_an_export(ask):
    assert len(ask.export("json", limit=5).json()) == 5
    assert ask.export("json", limit=0).json() == []
    assert len(ask.export("json", where="population > 10000000").json()) == 5
    assert len(ask.export("json", refine="timezone:Europe", exclude="cou_name_en:France").json()) == 35
    assert len(ask.export("json", group_by="year(modification_date) as y", select="count(*) as n").json()) == 15
    assert ask.refused("/datasets/world-capitals/exports/json", limit=-2)[:2] == (400, "InvalidRESTParameterError")
    assert ask.refused("/datasets/world-capitals/exports/json", where="nope=1")[:2] == (400, "ODSQLError")


def test_the_body_is_gzipped_when_the_client_takes_it(ask):
    path = "/api/explore/v2.1/catalog/datasets/world-capitals/exports/csv"
    plain = ask(path, headers={"accept-encoding": "identity"})
    packed = ask(path, headers={"accept-encoding": "gzip"}, stream=True)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.raw.read()) == plain.content


def test_the_formats_on_offer_are_links(ask):
    offered = ask.whole("/datasets/world-capitals/exports")
    assert list(offered) == ["links"]
    names = {link["rel"]: link["href"] for link in offered["links"]}
    assert {"csv", "json", "jsonl", "geojson", "parquet", "xlsx"} <= set(names)
    assert ask(names["csv"].removeprefix(ask.portal.url)).status_code == 200
    assert "geojson" not in {link["rel"] for link in ask.whole("/datasets/live-readings/exports")["links"]}


@pytest.mark.parametrize(
    "path", ["/datasets/world-capitals/exports/doc", "/datasets/live-readings/exports/geojson", "/exports/doc"]
)
def test_a_format_that_is_not_offered_is_refused(ask, path):
    assert ask.refused(path)[:2] == (400, "InvalidRESTParameterError")


def test_the_catalogue_is_exported(ask):
    assert {one["dataset_id"] for one in ask.whole("/exports/json")} == set(ask.portal.store.datasets)
    lines = ask.get("/exports/csv").content.decode("utf-8-sig").split("\r\n")
    assert lines[0].startswith("dataset_id;")
    assert len(openpyxl.load_workbook(io.BytesIO(ask.get("/exports/xlsx").content)).active["A"]) > 3


def test_files_inside_records_name_the_portal_in_tables_too(ask):
    asked = {"select": "document", "where": "number = 0"}
    (row,) = ask.export("json", "all-types", **asked).json()
    table = pq.read_table(io.BytesIO(ask.export("parquet", "all-types", **asked).content))
    sheet = openpyxl.load_workbook(io.BytesIO(ask.export("xlsx", "all-types", **asked).content)).active
    assert row["document"]["url"].startswith(ask.portal.url)
    assert json.loads(table.column("document")[0].as_py()) == json.loads(sheet["A2"].value) == row["document"]
