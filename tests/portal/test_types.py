"""Values of every type, in JSON, CSV and Parquet, with those that break naive readers."""

import csv
import html
import io
from datetime import UTC, date, datetime

import openpyxl
import pyarrow.parquet as pq
import pytest

ALL = "all-types"


def row(ask, number, **params):
    (found,) = ask.rows(ALL, where=f"number={number}", **params)
    return found


def test_json_shows_each_type_in_its_way(ask):
    found = row(ask, 2)
    assert found["words"] == "semi;colon"
    assert found["tags"] == ["a", "b, c"]
    assert (found["day"], found["month"], found["year"]) == ("2024-02-21", "2024-03", "2001")
    assert found["at"] == "2024-10-27T02:30:00+00:00"
    assert found["open"] is None
    assert found["place"] == {"lon": 2.5, "lat": -2.5}
    assert found["area"]["type"] == "Feature"
    assert found["area"]["geometry"]["type"] == "LineString"
    assert found["details"] == {"n": 2, "list": [1, "zwei", None], "nested": {"ü": True}}


def test_whole_numbers_have_64_bits(ask):
    numbers = [row["big"] for row in ask.rows(ALL, select="big", order_by="number", limit=5)]
    assert numbers == [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**31]
    assert ask.total(ALL, where=f"big = {2**53 + 1}") == 3
    assert ask.total(ALL, where=f"big = {2**53}") == 0
    body = ask.export("parquet", ALL, select="big").content
    assert str(pq.read_schema(io.BytesIO(body)).field("big").type) == "int64"


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (f"big >= {-(2**63)}", 11),
        (f"big > {-(2**63)}", 9),
        (f"big < {2**53 + 1}", 6),
        (f"big <= {2**53 + 1}", 9),
        (f"big < {2**63 - 1}", 9),
        (f"ratio < {10**301}", 9),
        (f"ratio < {10**40}", 7),
        (f"ratio > -{10**40}", 9),
    ],
)
def test_large_numbers_are_compared_digit_by_digit(ask, where, count):
    assert ask.total(ALL, where=where) == count


def test_a_number_beyond_64_bits_is_refused_and_no_defect(ask):
    for params in ({"select": "big * 4"}, {"where": f"big = {10**30}"}):
        answer = ask.get(f"/datasets/{ALL}/records", **params)
        assert answer.status_code in (200, 400), answer.text


def test_a_record_of_nothing_is_nulls(ask):
    found = row(ask, 11)
    assert found.pop("number") == 11
    assert set(found.values()) == {None}


def test_csv_writes_each_type_as_text(ask):
    text = ask.export("csv", ALL, order_by="number").content.decode("utf-8-sig")
    cells = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert len(cells) == 12
    assert cells[2]["tags"] == "a,b, c"
    assert cells[2]["place"] == "-2.5, 2.5"
    assert (cells[2]["month"], cells[2]["open"], cells[0]["open"]) == ("2024-03", "", "true")
    assert cells[4]["words"] == "line\nbreak"
    assert cells[2]["area"].startswith('{"type": "LineString"')
    assert cells[3]["big"] == "-9223372036854775808"


def test_the_same_moment_is_shown_in_every_time_zone(ask):
    shown = [row(ask, 1, timezone=zone)["at"] for zone in ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata")]
    assert shown == [
        "2024-03-31T01:30:00+00:00",
        "2024-03-31T03:30:00+02:00",
        "2024-03-30T21:30:00-04:00",
        "2024-03-31T07:00:00+05:30",
    ]


def test_a_time_zone_shifts_what_a_filter_means(ask):
    utc = ask.total(ALL, where="at >= date'2024-03-31'")
    kolkata = ask.total(ALL, where="at >= date'2024-03-31'", timezone="Asia/Kolkata")
    assert (utc, kolkata) == (11, 11)
    assert ask.total(ALL, where="at < date'2024-03-31T02:00'") == 3
    assert ask.total(ALL, where="at < date'2024-03-31T02:00'", timezone="America/New_York") == 5
    assert ask.rows(ALL, select="hour(at) as h", where="number=1", timezone="Asia/Kolkata") == [{"h": 7}]


def test_names_come_in_the_language_asked_for(ask):
    asked = {"select": "date_format(day, 'EEEE d MMMM') as it, date_format(day, 'EEE') as s", "where": "number=1"}
    (french,) = ask.rows(ALL, lang="fr", **asked)
    assert french == {"it": "mardi 20 février", "s": "mar."}
    (german,) = ask.rows(ALL, lang="de", **asked)
    assert german["it"] == "Dienstag 20 Februar"
    assert ask.refused(f"/datasets/{ALL}/records", lang="xx")[:2] == (400, "InvalidRESTParameterError")


def test_conditions_know_every_type(ask):
    for where, count in [
        ("open", 4),
        ("open is true", 4),
        ("open is not true", 8),
        ("not open", 8),
        ("open = false", 4),
        ("year = date'2001'", 1),
        ("tags = 'a'", 8),
        ("tags in ('a', 'd')", 8),
        ("'b, c' in tags", 5),
        ("ratio > 1e5", None),
        ("ratio > 100000", 2),
        ("intersects(area, geom'POINT(0.5 -4.5)')", 1),
        ("within(place, geom'POLYGON((0 -5, 3 -5, 3 0, 0 0, 0 -5))')", 3),
        ("place is null", 1),
        ("details is not null", 11),
        ("document is null", 8),
    ]:
        if count is None:
            assert ask.refused(f"/datasets/{ALL}/records", where=where)[0] == 400
        else:
            assert ask.total(ALL, where=where) == count, where


def test_json_in_a_text_is_shown_as_json_where_asked(ask):
    assert row(ask, 1, select="json_format(details) as it")["it"]["n"] == 1


def test_an_id_may_hold_an_at_sign(ask):
    for path in ("/datasets/postal-codes@public", "/datasets/postal-codes%40public"):
        assert ask.whole(path)["dataset_id"] == "postal-codes@public"
        assert ask.whole(path + "/records", limit=0)["total_count"] == 16
    described = ask.whole("/datasets/postal-codes@public")["metas"]["default"]
    assert described["federated"] is True
    assert described["source_dataset"] == "postal-codes"


def test_parquet_columns_have_types(ask):
    schema = pq.read_schema(io.BytesIO(ask.export("parquet", ALL).content))
    kinds = {field.name: str(field.type) for field in schema}
    assert kinds["tags"].startswith("list<")
    assert kinds["ratio"] == "double"
    assert kinds["open"] == "bool"
    assert kinds["at"] == "timestamp[ms, tz=UTC]"
    assert kinds["day"] == "date32[day]"
    table = pq.read_table(io.BytesIO(ask.export("parquet", ALL, order_by="number", limit=1).content))
    assert table.column("day").to_pylist() == [date(2024, 2, 19)]


PART = "2024-03-31T01:30:00.109000+00:00"


@pytest.mark.parametrize("name", ["json", "jsonl", "csv", "geojson", "kml", "gpx", "n3", "turtle", "rdfxml", "jsonld"])
def test_parts_of_a_second_are_in_every_format_that_is_text(ask, name):
    text = ask.export(name, ALL, where="number=9").text
    assert PART in html.unescape(text)


def test_parts_of_a_second_are_in_every_format_that_is_not(ask):
    at = datetime(2024, 3, 31, 1, 30, 0, 109_000, UTC)
    body = io.BytesIO(ask.export("parquet", ALL, where="number=9").content)
    assert pq.read_table(body).column("at").to_pylist() == [at]
    sheet = openpyxl.load_workbook(io.BytesIO(ask.export("xlsx", ALL, where="number=9").content)).active
    assert PART in [cell.value for cell in sheet[2]]


def test_what_is_finer_than_parquet_holds_is_cut_there_alone(ask):
    record = {"sensor_id": "s-9", "at": "2026-01-05T08:00:00.123456+00:00", "value": 1.0}
    sent = ask("/api/push/1.0/live-readings/realtime/push/?pushkey=demo-push-key", method="POST", json=record)
    assert sent.status_code == 200
    (found,) = ask.rows("live-readings", where="sensor_id='s-9'")
    assert found["at"] == record["at"]
    body = io.BytesIO(ask.export("parquet", "live-readings", where="sensor_id='s-9'").content)
    assert pq.read_table(body).column("at").to_pylist()[0].microsecond == 123_000


def test_parts_of_a_second_count_in_conditions_groups_and_other_zones(ask):
    assert ask.total(ALL, where="at > date'2024-03-31T01:30:00.1' and at < date'2024-03-31T01:30:00.2'") == 1
    assert row(ask, 9, timezone="Europe/Paris")["at"] == "2024-03-31T03:30:00.109000+02:00"
    groups = ask.rows(ALL, where="number=9", group_by="range(at, 1 ms) as span")
    assert [group["span"] for group in groups] == ["[2024-03-31T01:30:00.109000, 2024-03-31T01:30:00.110000["]
    assert ask.rows(ALL, select="max(at) as it", where="number=9", limit=1) == [{"it": PART}]


def test_parts_of_a_second_are_in_both_older_apis(ask):
    answer = ask("/api/v2/catalog/datasets/all-types/records", params={"where": "number=9"})
    assert answer.json()["records"][0]["record"]["fields"]["at"] == PART
    asked = {"dataset": ALL, "q": "number=9"}
    assert ask("/api/records/1.0/search/", params=asked).json()["records"][0]["fields"]["at"] == PART
    for name in ("csv", "json", "geojson"):
        assert PART in ask("/api/records/1.0/download/", params={**asked, "format": name}).text
