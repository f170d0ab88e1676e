"""What each kind of file becomes on the portal, with its types."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from publishing_desk import Desk

from ods_provider.core.events import Progress


@pytest.mark.at_length
def test_a_first_file_makes_the_resource_and_the_next_one_goes_into_the_same(desk: Desk) -> None:
    first = desk.publish(desk.file())
    assert (first["rows"], first["verified"], first["unchanged"]) == (3, "counted", False)
    assert [row["n"] for row in desk.rows()] == [1, 2, 3]
    second = desk.publish(desk.file("b.csv", "name;n\nd;4\n"))
    assert second["resource"] == first["resource"] == desk.resources()[0].uid
    assert [row["name"] for row in desk.rows()] == ["d"]
    assert desk.posts("/resources/") == 1
    assert desk.posts("/files/") == desk.posts("/publish/") == 2
    assert {event.unit for event in desk.lab.heard(Progress)} == {"bytes"}
    assert second["data_processed"] > first["data_processed"]


def workbook() -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        first, second = book.add_worksheet("Rows"), book.add_worksheet("Notes")
        for number, row in enumerate([["name", "n"], ["a", 1], [None, None], ["b", 2], ["c", 3]]):
            first.write_row(number, 0, row)
        second.write_column(0, 0, ["nothing"] * 20)
    return made.getvalue()


FILES: dict[str, str | bytes] = {
    "tab.tsv": "name\tn\na\t1\nb\t2\nc\t3\n",
    "excel.csv": "sep=;\r\nname;n\r\na;1\r\nb;2\r\nc;3",
    "lines.jsonl": '{"name": "a", "n": 1}\n{"name": "b", "n": 2}\n\n{"name": "c", "n": 3}',
    "below.csv": "\r\n\r\nname,n\r\na,1\r\nb,2\r\n\r\nc,3\r\n\r\n",
    "marked.csv": "\ufeffname;n\na;1\nb;2\nc;3\n",
    "marked.jsonl": '\ufeff{"name": "a", "n": 1}\n{"name": "b", "n": 2}\n{"name": "c", "n": 3}\n',
    "marked.json": '\ufeff[{"name": "a", "n": 1}, {"name": "b", "n": 2}, {"name": "c", "n": 3}]',
    "array.json": '[{"name": "a", "n": 1}, {"name": "b", "n": 2}, {"name": "c", "n": 3}]\n',
    "book.xlsx": workbook(),
}


@pytest.mark.at_length(but=3)
@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_is_read_by_the_portal_as_it_is(desk: Desk, name: str) -> None:
    result = desk.publish(desk.file(name, FILES[name]))
    assert [(row["name"], row["n"]) for row in desk.rows()] == [("a", 1), ("b", 2), ("c", 3)]
    assert (result["rows"], result["verified"]) == (3, "counted")


@pytest.mark.at_length
def test_a_mark_at_the_beginning_of_a_text_is_not_sent(desk: Desk) -> None:
    # Who writes JSON may not send one (RFC 8259), and to some readers of CSV it is a part of the first name.
    for name in ("marked.csv", "marked.jsonl", "marked.json"):
        result = desk.publish(desk.file(name, FILES[name]))
        stored = desk.office.drafts.find(desk.uid).files[result["file"]].path.read_bytes()
        assert stored == str(FILES[name])[1:].encode()
        assert hashlib.sha256(stored).hexdigest() == result["sha256"]


def test_features_become_records_with_their_shapes(desk: Desk) -> None:
    features = [
        {"type": "Feature", "properties": {"n": n}, "geometry": {"type": "Point", "coordinates": [7.5 + n, 47.5]}}
        for n in range(3)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    assert desk.publish(desk.file("places.geojson", json.dumps(collection)))["verified"] == "counted"
    assert [row["n"] for row in desk.rows()] == [0, 1, 2]
    assert desk.resources()[0].type == "geojson"


@pytest.mark.at_length
def test_types_of_parquet_and_of_records_arrive(desk: Desk) -> None:
    at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    rows = [
        {"code": "007", "whole": 2**53 + 1, "part": 0.5, "yes": True, "on": date(2026, 3, 1), "at": at, "no": None},
        {"code": "1e5", "whole": -1, "part": 2.0, "yes": False, "on": date(2026, 3, 2), "at": at, "no": None},
    ]
    path = desk.folder / "typed.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert desk.publish(path)["format"] == "jsonl"
    from_file = desk.rows()
    assert [(row["code"], row["whole"], row["yes"]) for row in from_file] == [
        ("007", 2**53 + 1, True),
        ("1e5", -1, False),
    ]
    desk.publish(records=[{**row, "part": Decimal(str(row["part"]))} for row in rows], if_unchanged="publish")
    assert desk.rows() == from_file


@pytest.mark.at_length
def test_what_people_set_on_the_resource_stays_and_what_the_file_contradicts_does_not(desk: Desk) -> None:
    uid = desk.publish(desk.file())["resource"]
    with desk.client() as client:
        client.automation.resources.update(desk.uid, uid, title="Ours", params={"separator": "|", "encoding": "cp1252"})
    desk.publish(desk.file("b.csv", "name,n\nZürich,1\n".encode("cp1252")))
    (resource,) = desk.resources()
    assert (resource.title, resource.params["separator"], resource.params["encoding"]) == ("Ours", ",", "cp1252")
    assert desk.rows() == [{"name": "Zürich", "n": 1}]


def test_a_table_that_begins_further_down_or_has_no_header_is_counted_as_the_portal_reads_it(desk: Desk) -> None:
    path = desk.file("b.csv", "Report of 2026\n\na,1\nb,2\n")
    result = desk.publish(path, params={"headers_first_row": False, "first_row_no": 3, "separator": ","})
    assert (result["rows"], len(desk.rows())) == (2, 2)


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    result = desk.publish(desk.file(), dry_run=True)
    assert (result["rows"], result["resource"], result["dry_run"]) == (3, None, True)
    assert "a first resource would be made" in result["note"]
    assert not [call for call in desk.portal.requests[1:] if call.method != "GET" and call.path != "/datasets/"][1:]
    assert not desk.resources()


def test_memory_of_columns_of_text(desk: Desk) -> None:
    # A cell of 300 KB: no line is held to a limit that a portal does not have.
    text = io.StringIO()
    csv.writer(text).writerows([["n", "text"], [1, "x" * 300_000]])
    assert desk.publish(desk.file("long.csv", text.getvalue()))["rows"] == 1
