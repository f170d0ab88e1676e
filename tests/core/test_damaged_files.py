"""A file that was damaged in its middle is never called counted, whatever its pieces and whatever reads them."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from functools import cache
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from effort import effort
from hypothesis import given, settings
from hypothesis import strategies as st

from ods_provider.core.errors import OdsTruncated
from ods_provider.core.formats.check import Check
from ods_provider.core.formats.delimited import CsvCheck
from ods_provider.core.formats.gzipped import GzipCheck
from ods_provider.core.formats.jsontext import MOST_BYTES, JsonCheck, LinesCheck
from ods_provider.core.formats.jsonvalid import Reader, best_reader
from ods_provider.core.formats.registry import format_named

READERS = [best_reader(), Reader()]
STEP = 262_144


def rows_in(check: Check, data: bytes, size: int = 65_536) -> int | None:
    for start in range(0, len(data), size):
        check.feed(data[start : start + size])
    return check.finish(io.BytesIO(data) if check.random_access else None)


def rows_of(number: int) -> list[dict[str, object]]:
    return [
        {"id": n, "name": f"Zürich, {n}", "note": 'a "b", {c}', "ok": True, "geo": {"lon": 8.5, "lat": 47.1}}
        for n in range(number)
    ]


def jsonl(number: int) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows_of(number))


def array(number: int, indent: int | None = None) -> bytes:
    return json.dumps(rows_of(number), ensure_ascii=False, indent=indent).encode()


def collection(number: int, points: int = 5) -> bytes:
    line = [[n / 7, -n / 3] for n in range(points)]
    shapes = [{"type": "Polygon", "coordinates": [line]}, {"type": "Point", "coordinates": [1, 2]}]
    features = [
        {"type": "Feature", "geometry": {"type": "GeometryCollection", "geometries": shapes}, "properties": row}
        for row in rows_of(number)
    ]
    head = {"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "x"}}, "bbox": [1, 2, 3, 4]}
    return json.dumps(head | {"features": features}, separators=(",", ":")).encode()


TEXTS = {"jsonl": jsonl, "json": array, "geojson": collection}
LONG = {"jsonl": 5_000, "json": 5_000, "geojson": 1_500}  # rows of a text that is cut more than once


@cache
def long(name: str) -> bytes:
    whole = TEXTS[name](LONG[name])
    assert len(whole) > 2 * STEP
    return whole


def check_of(name: str, reader: Reader) -> Check:
    return {
        "jsonl": lambda: LinesCheck(reader),
        "json": lambda: JsonCheck("[", reader),
        "geojson": lambda: JsonCheck("{[", reader),
        "jsonld": lambda: JsonCheck(None, reader),
    }[name]()


@pytest.mark.parametrize("reader", READERS, ids=["walked", "read"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_whole_text_of_any_length_is_counted(name: str, reader: Reader) -> None:
    for rows, whole in [(0, TEXTS[name](0)), (1, TEXTS[name](1)), (LONG[name], long(name))]:
        assert rows_in(check_of(name, reader), whole) == rows
        assert rows_in(check_of(name, reader), b"\xef\xbb\xbf" + whole if whole else b"") == rows


DAMAGES = [b"xxx", b'{"id":', b"NaN", b"-Infinity", b"1e999", b"\xff", b"]", b",,", b"\x00"]
SPOILT = [(name, damage) for name in TEXTS for damage in DAMAGES]
BY_ONE = [(*spoilt, READERS[number % 2]) for number, spoilt in enumerate(SPOILT)]
BY_BOTH = [(*spoilt, reader) for spoilt in SPOILT for reader in READERS]


@pytest.mark.parametrize(("name", "damage", "reader"), effort(BY_ONE, at_length=BY_BOTH))
def test_what_no_json_holds_is_found_in_the_middle(name: str, damage: bytes, reader: Reader) -> None:
    whole = long(name)
    middle = whole.index(b"47.1", len(whole) // 2)
    spoilt = [whole[:middle] + damage + whole[middle + 4 :]]
    if damage not in (b"NaN", b"-Infinity", b"1e999", b"\xff", b"\x00"):
        # Within a text these would be text; the others are nowhere else.
        middle = whole.index(b'"id"', len(whole) // 2) - 1
        spoilt.append(whole[:middle] + damage + whole[middle:])
    for data in spoilt:
        with pytest.raises(OdsTruncated):
            rows_in(check_of(name, reader), data)


@pytest.mark.parametrize("reader", READERS, ids=["walked", "read"])
@pytest.mark.parametrize("name", TEXTS)
def test_bytes_that_are_missing_in_the_middle_change_the_count_or_are_found(name: str, reader: Reader) -> None:
    whole, chance = long(name), random.Random(7)
    for _ in range(effort(4, at_length=12)):
        start = chance.randrange(1_000, len(whole) - 200_000)
        end = start + chance.choice([2_000, 20_000, 100_000])
        try:
            assert rows_in(check_of(name, reader), whole[:start] + whole[end:]) != LONG[name], (start, end)
        except OdsTruncated:
            continue


@pytest.mark.parametrize("reader", READERS, ids=["walked", "read"])
@pytest.mark.parametrize(
    "broken", [b"{}\n\n{}\n", b"\n{}\n", b'{"a":1}{"b":2}\n', b"[1]\n", b'{"a":\n1}\n', b"1\n", b"{} x\n"]
)
def test_a_line_is_one_object(broken: bytes, reader: Reader) -> None:
    for size in (1, 100):
        with pytest.raises(OdsTruncated):
            rows_in(LinesCheck(reader), broken, size)


@pytest.mark.parametrize("reader", READERS, ids=["walked", "read"])
def test_half_a_character_and_a_text_that_looks_like_a_number_are_no_damage(reader: Reader) -> None:
    lines = b'{"a":"\\ud83d"}\n{"a":"1e999, "}\n{"a":1e300,"b":1E-999}\n' * 3
    assert rows_in(LinesCheck(reader), lines) == 9
    assert rows_in(JsonCheck("[", reader), b"[" + b",".join(lines.split(b"\n")[:-1]) + b"]") == 9


@pytest.mark.parametrize("reader", READERS, ids=["walked", "read"])
def test_a_row_of_many_megabytes_is_cut_inside_and_counted_once(reader: Reader) -> None:
    whole = collection(2, points=effort(12_000, at_length=40_000))
    assert rows_in(check_of("geojson", reader), whole) == 2
    middle = whole.index(b",-", len(whole) // 3)
    with pytest.raises(OdsTruncated):
        rows_in(check_of("geojson", reader), whole[:middle] + b"," + whole[middle:])
    long = effort(100_000, at_length=300_000)
    rows = json.dumps([{"text": "x, [" * long}, {"text": '"' * long}]).encode()
    assert rows_in(check_of("json", reader), rows) == 2


@pytest.mark.at_length
@pytest.mark.parametrize("reader", READERS, ids=["walked", "read"])
def test_indented_and_nested_rows_are_counted_as_rows(reader: Reader) -> None:
    assert rows_in(check_of("json", reader), array(3_000, indent=1)) == 3_000
    nested = [{"id": n, "of": [{"id": k, "of": [{"id": 1}, {"id": 2}]} for k in range(6)]} for n in range(2_000)]
    assert rows_in(check_of("json", reader), json.dumps(nested).encode()) == 2_000
    graph = json.dumps({"@context": {"a": "b"}, "@graph": nested, "more": [1, "x", {"y": []}]}).encode()
    assert rows_in(check_of("jsonld", reader), graph) is None
    with pytest.raises(OdsTruncated):
        rows_in(check_of("jsonld", reader), graph.replace(b'"id": 1999', b'"id" 1999'))


@pytest.mark.parametrize(
    "broken", [b"[{},]", b"[{}]]", b"[{}] x", b"[{}", b"", b"  ", b"[{}}", b"{[}]", b'["', b"[{}]{}"]
)
def test_an_array_that_does_not_end_as_it_begins_is_broken(broken: bytes) -> None:
    for reader in READERS:
        with pytest.raises(OdsTruncated):
            rows_in(JsonCheck("[", reader), broken, 2)


@pytest.mark.at_length(but=6)
@pytest.mark.parametrize("filler", [b"[", b'{"a":', b"[]", b'""', b'"a" ', b"{}"])
@pytest.mark.parametrize("before", [b"", b"[", b'[{"a":1},', b'{"a":'])
def test_a_bomb_of_brackets_is_refused_at_its_beginning(before: bytes, filler: bytes) -> None:
    check, passed = JsonCheck("["), 0
    piece = (filler * STEP)[: len(filler) * (65_536 // len(filler))]
    with pytest.raises(OdsTruncated):
        check.feed(before)
        while passed < 20 * STEP:
            check.feed(piece)
            passed += len(piece)
    assert passed <= 8 * STEP


@pytest.mark.at_length
def test_a_value_that_is_too_long_is_refused_as_soon_as_it_is() -> None:
    check, passed, piece = JsonCheck("["), 0, b"x" * 8 * STEP
    check.feed(b'["')
    with pytest.raises(OdsTruncated, match="longer than"):
        while passed < 2 * MOST_BYTES:
            passed += len(piece)
            check.feed(piece)
    assert passed <= MOST_BYTES + len(piece)


@pytest.mark.parametrize("reader", READERS, ids=["walked", "read"])
def test_what_is_nested_as_deep_as_any_data_is_counted(reader: Reader) -> None:
    deep = b'{"a":[' * 150 + b'"' + b"x" * 2 * STEP + b'"' + b"]}" * 150
    assert rows_in(check_of("json", reader), b"[" + b",".join([deep] * 3) + b"]") == 3


def test_a_comma_at_the_cut_ends_no_array() -> None:
    rows = b"[" + b'{"a":"' + b"x" * 400 + b'"}'
    filled = rows + b",".join([b"", *([b'{"a":"' + b"x" * 400 + b'"}'] * 1_000)])
    assert rows_in(JsonCheck("["), filled + b"]") == 1_001
    with pytest.raises(OdsTruncated):
        rows_in(JsonCheck("["), filled + b",]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('"\\{}[],:ab', max_size=3), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=effort(40, at_length=100))
@given(st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=3), max_size=8), st.integers(1, 60), st.booleans())
def test_any_rows_are_counted_in_pieces_of_any_size(rows: list[dict[str, object]], step: int, spaced: bool) -> None:
    whole = json.dumps(rows, separators=(", ", " : ") if spaced else (",", ":"), ensure_ascii=False)
    data = whole.encode(errors="surrogatepass")
    for reader in READERS:
        check = JsonCheck("[", reader)
        check._wanted = 1  # every piece is cut, as only long texts are
        try:
            data.decode()
        except UnicodeDecodeError:
            return
        for start in range(0, len(data), step):
            check.feed(data[start : start + step])
            check._wanted = 1
        assert check.finish(None) == len(rows)


@pytest.mark.at_length
@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("ab"), JSON, min_size=1), min_size=1, max_size=5), st.data())
def test_one_byte_more_or_less_is_found_as_json_finds_it(rows: list[dict[str, object]], data: st.DataObject) -> None:
    whole = json.dumps(rows).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.sampled_from([b"", b"x", b"]", b"}", b"{", b",", b":", b'"', b"1"]))
    spoilt = whole[:at] + put + whole[at + 1 :]
    try:
        read = json.loads(spoilt)
        # A byte less may make 1e+309 of a number, which Python takes for infinity and JSON's other readers refuse.
        if "Infinity" in json.dumps(read):
            raise ValueError("larger than a number can be")
        expected = len(read) if isinstance(read, list) and all(isinstance(row, dict) for row in read) else None
    except ValueError:
        expected = None
    for reader in READERS:
        check = JsonCheck("[", reader)
        found = None
        try:
            for start in range(0, len(spoilt), 7):
                check._wanted = 1
                check.feed(spoilt[start : start + 7])
            found = check.finish(None)
        except OdsTruncated:
            assert expected is None
        else:
            assert found == expected or expected is None
            json.loads(spoilt)


def csv_of(number: int) -> bytes:
    quoted = '"he said ""so""; then"'
    rows = (f'{n};"Zürich; {n % 997}";{n * 0.37:.4f};{"" if n % 3 else quoted};x\r\n' for n in range(number))
    return b"id;name;value;note;flag\r\n" + "".join(rows).encode()


def test_a_csv_cell_that_is_cut_in_the_middle_is_found() -> None:
    whole = csv_of(20_000)
    assert rows_in(CsvCheck(";"), whole) == 20_000
    assert rows_in(CsvCheck(","), whole.replace(b"id;", b"id;", 1)) == 20_000
    middle = whole.index(b";", len(whole) // 2)
    line = whole.index(b"\r\n", middle)
    quote = whole.index(b'"', middle)
    said = whole.index(b"he said", middle)
    for spoilt in (
        whole[:middle] + whole[line:],  # cells to the end of a row
        whole[:middle] + whole[middle + 1 :],  # one delimiter
        whole[:quote] + whole[quote + 1 :],  # one quote
        whole[: whole.rindex(b"Z", 0, said)] + whole[said:],  # from one cell into another
        whole[:middle] + b";" + whole[middle:],
    ):
        with pytest.raises(OdsTruncated):
            rows_in(CsvCheck(";"), spoilt)
    # Rows that are missing whole are what the portal's count is for.
    assert rows_in(CsvCheck(";"), whole[:line] + whole[whole.index(b"\r\n", line + 2) :]) == 19_999


def test_the_delimiter_is_the_one_that_was_asked_for_and_never_guessed() -> None:
    labels = b"Puissance (kW, kVA);Date\r\n1,5;2026\r\n2;2026\r\n"
    assert rows_in(CsvCheck(";"), labels) == 2
    assert rows_in(format_named("csv").check_with({"delimiter": ";"}), labels) == 2
    assert rows_in(format_named("csv").check_with(None), b"a,b\n1,2\n") == 1
    assert rows_in(CsvCheck(","), b"a\tb\n1,5\t2\n") == 1
    assert rows_in(CsvCheck(","), b"one column\n1;5\n\n2\n") == 3
    assert rows_in(CsvCheck(","), b"") == 0
    # One column, whose label holds what would delimit elsewhere.
    assert rows_in(CsvCheck(";"), b"Loi, decret, arrete\r\n2026-1\r\n2026-2\r\n") == 2
    assert rows_in(CsvCheck(","), b"a\tb;c\r\n1\r\n") == 1


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 3), st.integers(0, 60))
def test_a_csv_is_counted_however_its_cells_are_quoted(size: int, commas: int, lines: int) -> None:
    cell = '"' + "a, b\n" * commas + '"'
    rows = [f"{n},{cell if n % 2 else 'x'},{cell}" for n in range(lines)]
    data = "\n".join(["a,b,c", *rows, ""]).encode()
    assert rows_in(CsvCheck(","), data, size) == lines


def parquet(rows: int, *, row_group: int = 20_000, **how: object) -> bytes:
    out = io.BytesIO()
    chance = random.Random(1)
    table = pa.table(
        {
            "n": range(rows),
            "v.x": [chance.random() for _ in range(rows)],
            "tags": [["a", "b"]] * rows,
            "geo": [{"lon": 1.0, "lat": None}] * rows,
        }
    )
    pq.write_table(table, out, row_group_size=row_group, **how)
    return out.getvalue()


@pytest.mark.parametrize("how", [{}, {"compression": "none"}, {"compression": "zstd"}, {"data_page_version": "2.0"}])
def test_a_parquet_with_bytes_missing_in_its_middle_is_found(how: dict[str, object]) -> None:
    whole = parquet(100_000, **how)
    assert len(whole) > 800_000
    assert rows_in(format_named("parquet").check(), whole) == 100_000
    middle = len(whole) // 2
    for spoilt in (
        whole[:middle] + whole[middle + 299_000 :],
        whole[:middle] + bytes(299_000) + whole[middle + 299_000 :],
        whole[:middle] + whole[middle + 1 :],
    ):
        with pytest.raises(OdsTruncated, match="Parquet"):
            rows_in(format_named("parquet").check(), spoilt)


def test_a_parquet_within_gzip_is_inflated_once_and_read_whole() -> None:
    whole = parquet(60_000)
    packed = gzip.compress(whole, 1)
    assert rows_in(GzipCheck(format_named("parquet").check()), packed) == 60_000
    spoilt = gzip.compress(whole[:200_000] + whole[300_000:], 1)
    with pytest.raises(OdsTruncated, match="Parquet"):
        rows_in(GzipCheck(format_named("parquet").check()), spoilt)


def _packed(member: zipfile.ZipInfo) -> int:
    return member.compress_size


def workbook(rows: int) -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook()
    for row in range(rows):
        book.active.append([f"text {row}", row])
    book.save(out)
    return out.getvalue()


def test_the_texts_of_a_workbook_are_read_too() -> None:
    whole = workbook(200)
    assert rows_in(format_named("xlsx").check(), whole) == 199
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        member = max((each for each in archive.infolist() if "worksheets" not in each.filename), key=_packed)
    at = member.header_offset + 30 + len(member.filename) + member.compress_size // 2
    with pytest.raises(OdsTruncated):
        rows_in(format_named("xlsx").check(), whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])


def test_a_calendar_ends_whatever_it_begins() -> None:
    event = b"BEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\n"
    whole = b"BEGIN:VCALENDAR\r\n" + event * 200 + b"END:VCALENDAR\r\n"
    end = whole.index(b"END:", 1_000)
    for size in (1, 7, 4_096):
        assert rows_in(format_named("ical").check(), whole, size) is None
        with pytest.raises(OdsTruncated):
            rows_in(format_named("ical").check(), whole[:end] + whole[end + 6 :], size)


def test_a_directory_that_points_before_the_file_is_damage_on_disk_too(tmp_path: Path) -> None:
    # A file on disk answers such a place with the error of a failing disk.
    whole = workbook(200)
    for missing in (1, 50, len(whole) // 2):
        (tmp_path / "x.xlsx").write_bytes(whole[:40] + whole[40 + missing :])
        for name in ("xlsx", "shp"):
            with (tmp_path / "x.xlsx").open("rb") as file, pytest.raises(OdsTruncated):
                format_named(name).check().finish(file)


@pytest.mark.parametrize("encoding", ["x", "utf-32", "shift-jis", "zlib", "cp037"])
def test_xml_in_an_encoding_that_cannot_be_read_is_refused(encoding: str) -> None:
    with pytest.raises(OdsTruncated, match="encoding"):
        rows_in(format_named("kml").check(), f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode())
