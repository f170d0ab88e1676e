"""What is not published: broken files, too few rows, a resource that nobody can tell; and equal rows, which are."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from publishing_desk import Desk

from ods_provider.core.errors import OdsConfigError, OdsIncomplete
from ods_provider.core.share import share
from ods_provider.jobs.publishfile import PublishFileJob


def _workbook(header: tuple[str, ...] = ("name", "n")) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        book.add_worksheet().write_row(0, 0, header)
    return made.getvalue()


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "cut.csv": ("name;n\na;1\nb", "row 3 has 1 cell, the header 2"),
    "quoted.csv": ('name;n\na;"1\n', "no CSV"),
    "cut.jsonl": ('{"name": "a"}\n{"name": ', "line 2 is not valid JSON"),
    "cut.json": ('[{"name": "a"}, {"na', "ends before its array is closed"),
    "cut.geojson": ('{"type": "FeatureCollection", "features": [{"type": ', "ends before its array is closed"),
    "cut.xlsx": (_workbook()[:-300], "not a valid workbook"),
    "cut.parquet": (b"PAR1 and no more", "not valid Parquet"),
}


NAN, LONG = b'{"a": 1}\n{"a": NaN}\n', b'{"a": {"b": [123456789012345678901234567890]}}\n'
BENT: dict[str, tuple[bytes, str]] = {
    "nan.jsonl": (NAN, "record 1: nan is no finite number .field a"),
    "long.jsonl": (LONG, r"holds more digits than 64 bits do .field a\.b\.0"),
    "long.json": (b"[" + LONG + b"]", "holds more digits than 64 bits do"),
    "half.json": (b'{"a": "\\ud800"}', "half a character"),
    "long.geojson": (
        b'{"type": "FeatureCollection", "features": [{"properties": ' + LONG + b', "geometry": null}]}',
        "holds more digits than 64 bits do",
    ),
    "two arrays.json": (b'[{"a": 1}]\n[{"a": 2}]\n', r"more text follows at line 2, byte 12: .* Make one list of all"),
    "text behind.json": (b'[{"a": 1}] done', "more text follows at line 1, byte 12"),
    "two objects.json": (b'{"a": 1}\n{"a": 2}\n', r"more text follows at line 2: .* JSON lines \(.jsonl\)"),
    "no comma.json": (b'[{"a": 1} {"a": 2}]', "broken at line 1, byte 11: ',' is due there"),
    "one comma more.json": (b'[{"a": 1}, ]', "broken near line 1, byte 12"),
    "twice.json": (b'[{"a": 1, "a": 2}]', "names 'a' twice in one object"),
    "digits.json": (b'[{"a": 0.12345678901234567890123}]', "more digits"),
    "twice.geojson": (
        b'{"features": [{"properties": {"a": 1}}],\n "type": "FeatureCollection", "features": [{"properties": {}}]}',
        "features stands twice in one object of the JSON, again at line 2, byte 72: the records of one",
    ),
    "two.geojson": (
        b'{"features": [{"properties": {"a": 1}}]}\n{"features": [{"properties": {"a": 2}}]}',
        "more text follows at line 2, byte 42",
    ),
    "none.geojson": (b'{"type": "Feature", "properties": {"features": [{}]}}', "the JSON has no features"),
    "utf16.csv": ("name;n\na;1\n".encode("utf-16"), "not UTF-8.*or say its delimiter and encoding; nothing on the"),
}
BROKEN |= BENT


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_changes_nothing(desk: Desk, name: str) -> None:
    content, said = BROKEN[name]
    before = len([call for call in desk.portal.requests if call.method != "GET"])
    with pytest.raises(OdsConfigError, match=said):
        desk.publish(desk.file(name, content))
    assert len([call for call in desk.portal.requests if call.method != "GET"]) == before


def _none() -> dict[str, bytes]:
    parquet = io.BytesIO()
    pq.write_table(pa.table({"n": pa.array([], pa.int64())}), parquet)
    marked, features = b"\xef\xbb\xbf", b'{"type": "FeatureCollection", "features": []}'
    texts = {"a.csv": b"", "b.csv": marked + b"\r\n\r\n", "a.tsv": b"", "a.jsonl": b"\n", "a.json": marked + b"[]"}
    return texts | {"a.geojson": features, "a.xlsx": _workbook(()), "a.parquet": parquet.getvalue()}


@pytest.mark.at_length
def test_a_file_without_a_field_changes_nothing_and_a_header_alone_is_one(desk: Desk) -> None:
    desk.publish(desk.file())
    before = len([call for call in desk.portal.requests if call.method != "GET"])
    for name, content in _none().items():
        with pytest.raises(OdsIncomplete, match=r"no record, and so no field.*Nothing was changed"):
            desk.publish(desk.file(name, content))
    with pytest.raises(OdsIncomplete, match="no record, and so no field"):
        desk.publish(records=[])
    assert len([call for call in desk.portal.requests if call.method != "GET"]) == before
    for name, content in (("c.csv", b"name;n"), ("c.xlsx", _workbook())):
        assert desk.publish(desk.file(name, content))["rows"] == len(desk.rows()) == 0


def test_what_cannot_be_published_is_refused_before_anything_is_asked(desk: Desk) -> None:
    before = len(desk.portal.requests)
    for given, said in (
        ({"path": "x.csv.gz"}, "unpack it first"),
        ({"path": "x.shp"}, "ending in 'shp'"),
        ({}, "either a path or records"),
        ({"path": "x.csv", "records": [{}]}, "either a path or records"),
        ({"records": [{}], "delimiter": ";"}, "how a CSV is written"),
        ({"path": "x.csv", "if_unchanged": "fetch"}, "skip, keep, publish"),
    ):
        with pytest.raises(OdsConfigError, match=said):
            PublishFileJob("mine", **given)
    assert len(desk.portal.requests) == before


def test_several_resources_are_named_with_their_choices(desk: Desk) -> None:
    with desk.client() as client:
        file = client.automation.resources.upload(desk.uid, desk.file())
        for title in ("one", "two"):
            source = {"type": "uploaded_file", "file": {"uid": file["uid"]}}
            client.automation.resources.create(desk.uid, {"type": "csvfile", "title": title, "datasource": source})
    one, two = (resource.uid for resource in desk.resources())
    for wanted, said in ((None, "2 of them fit"), ("three", "none of them is called that")):
        with pytest.raises(OdsConfigError, match=said) as refusal:
            desk.publish(desk.file(), resource=wanted)
        assert all(part in str(refusal.value) for part in (one, two, "'one'", "'two'"))
    result = desk.publish(desk.file("b.csv", "name;n\nz;9\n"), resource="two", params={"separator": ";"})
    # The other one brings rows, too: that no more is proven is told.
    assert (result["resource"], result["verified"], len(desk.resources())) == (two, "published", 2)


def test_a_resource_that_fetches_from_elsewhere_is_not_overwritten(desk: Desk) -> None:
    with desk.client() as client:
        source = {"type": "http", "connection": {"type": "http", "url": "http://127.0.0.1:1", "auth": None}}
        client.automation.resources.create(desk.uid, {"type": "csvfile", "title": "far", "datasource": source})
    with pytest.raises(OdsConfigError, match="no uploaded file"):
        desk.publish(desk.file())
    assert desk.posts("/files/") == 0


class TestTooFew:
    def test_fewer_rows_than_asked_for_are_not_published(self, desk: Desk) -> None:
        with pytest.raises(OdsIncomplete, match="3 rows, fewer than min_rows=4"):
            desk.publish(desk.file(), min_rows=4)
        assert desk.posts("/files/") == 0

    @pytest.mark.parametrize(("drop", "rows", "fine"), [("20%", 8, True), ("20%", 7, False), ("2", 8, True)])
    def test_too_large_a_drop_is_not_published(self, desk: Desk, drop: str, rows: int, fine: bool) -> None:
        def text(count: int) -> str:
            return "n\n" + "".join(f"{n}\n" for n in range(count))

        desk.publish(desk.file("all.csv", text(10)))
        less = desk.file("less.csv", text(rows))
        if fine:
            assert desk.publish(less, max_drop=share("max_drop", drop, "20%"))["rows"] == rows
        else:
            with pytest.raises(OdsIncomplete, match="3 less, more than max_drop=20%"):
                desk.publish(less, max_drop=share("max_drop", drop, "20%"))
            assert len(desk.rows()) == 10


class TestEqualRows:
    def test_rows_that_the_portal_makes_one_are_told_and_no_failure(self, desk: Desk) -> None:
        result = desk.publish(desk.file("a.csv", "name;n\na;1\na;1.0\na;01\nb;2\nb;2\n"))
        assert (result["rows"], result["rows_shown"], result["equal_rows"]) == (
            5,
            len(desk.rows()),
            5 - len(desk.rows()),
        )
        assert result["verified"] == "counted"

    def test_rows_of_one_key_are_one(self, desk: Desk) -> None:
        desk.office.drafts.find(desk.uid).fields.append(
            {"uid": "pr_k", "type": "annotate", "label": "", "field": "name", "annotation": "id", "args": []}
        )
        result = desk.publish(desk.file("a.csv", "Name;n\na;1\na;2\nb;2\n"))
        assert (result["rows"], result["rows_shown"], result["equal_rows"]) == (3, 2, 1)

    def test_a_renamed_column_and_a_key_are_followed(self, desk: Desk) -> None:
        draft = desk.office.drafts.find(desk.uid)
        draft.fields.append(
            {"uid": "pr_k", "type": "annotate", "label": "", "field": "n", "annotation": "id", "args": []}
        )
        draft.fields.append({"uid": "pr_r", "type": "rename", "label": "", "from_name": "name", "to_name": "other"})
        result = desk.publish(desk.file("b.csv", "name;n\na;1\nb;1\n"))
        assert (result["rows"], result["rows_shown"]) == (2, 1)


class TestWhereTheRecordsAre:
    """``json_root`` and ``json_object``: named by the user, or kept of the resource, and minded."""

    NESTED = b'{"more": [[1, "]"], {"rows": []}], "found": {"rows": [{"o": {"a": 1}}, {"o": {"a": 2}}]}, "n": 2}'

    def test_rows_are_counted_where_the_portal_reads_them(self, desk: Desk) -> None:
        params = {"json_root": "found.rows", "json_object": "o"}
        result = desk.publish(desk.file("a.json", self.NESTED), params=params)
        assert (result["rows"], result["verified"]) == (2, "counted")
        # Of the resource it is known from now on.
        result = desk.publish(desk.file("a.json", self.NESTED.replace(b"[{", b'[{"o": {"a": 3}}, {')))
        assert (result["rows"], sorted(row["a"] for row in desk.rows())) == (3, [1, 2, 3])

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b'{"found": {"rows": [{"a": 1}], "rows": []}}', r"found\.rows stands twice .* byte 32"),
            (b'{"found": {"rows": [{"a": 1}]}, "found": {}}', r"found stands twice .* byte 33"),
            (b'{"found": {"rows": {"a": 1}}}', r"there is no list of records at found\.rows"),
            (b'{"found": {}}', r"the JSON has no found\.rows"),
            (b'[{"a": 1}]', "there is no object with found in the JSON"),
            (b'{"found": {"rows": [1]}}', "element 0 of the JSON array is .* and no object"),
            (b'{"found": {"rows": [{"a": 1}]}', "ends before its array is closed"),
        ],
    )
    def test_what_it_does_not_lead_to_is_refused(self, desk: Desk, content: bytes, said: str) -> None:
        with pytest.raises(OdsConfigError, match=said):
            desk.publish(desk.file("a.json", content), params={"json_root": "found.rows"})
        assert desk.posts("/files/") == 0

    def test_lines_are_not_one_document(self, desk: Desk) -> None:
        with pytest.raises(OdsConfigError, match=r"json_root 'found' leads into one document.*have json_root empty"):
            desk.publish(desk.file("a.jsonl", b'{"found": [{"a": 1}]}\n'), params={"json_root": "found"})
        assert desk.posts("/files/") == 0
