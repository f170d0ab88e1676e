"""Rows are counted however the bytes are cut, and a file that is not whole is never counted."""

import csv
import io
import json
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ods_provider.core.errors import OdsConfigError, OdsTruncated
from ods_provider.core.formats.check import Check
from ods_provider.core.formats.registry import format_named


def check_in_pieces(name: str, data: bytes, size: int) -> int | None:
    check: Check = format_named(name).check()
    for start in range(0, len(data), size):
        check.feed(data[start : start + size])
    return check.finish(io.BytesIO(data) if check.random_access else None)


CELLS = st.text(alphabet=st.sampled_from('ab,;"\n\r\\é城{}[]'), max_size=8)
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12)


@settings(deadline=None)
@given(ROWS, st.integers(1, 9), st.sampled_from(["\r\n", "\n"]), st.booleans())
def test_csv_records_are_counted_across_quotes_and_pieces(
    rows: list[list[str]], size: int, end: str, quote_all: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerows([["a", "b"], *rows])
    assert check_in_pieces("csv", text.getvalue().encode(), size) == len(rows)


@settings(deadline=None)
@given(ROWS, st.integers(1, 9))
def test_json_objects_are_counted_whatever_their_strings_hold(rows: list[list[str]], size: int) -> None:
    objects = [{"a": a, "nested": {"b": [b, {"c": [[1, 2], []]}]}} for a, b in rows]
    assert check_in_pieces("json", json.dumps(objects, ensure_ascii=False).encode(), size) == len(objects)
    lines = "".join(json.dumps(item) + "\n" for item in objects).encode()
    assert check_in_pieces("jsonl", lines, size) == len(objects)
    features = [{"type": "Feature", "geometry": {"coordinates": [[1, 2]]}, "properties": item} for item in objects]
    collection = {"type": "FeatureCollection", "crs": {"properties": {}}, "features": features}
    assert check_in_pieces("geojson", json.dumps(collection).encode(), size) == len(objects)


@settings(deadline=None)
@given(st.lists(st.text(alphabet='ab"\\[]{}', max_size=6), min_size=1, max_size=6), st.data())
def test_a_cut_json_array_is_noticed_wherever_it_is_cut(texts: list[str], data: st.DataObject) -> None:
    whole = json.dumps([{"t": text} for text in texts]).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(OdsTruncated):
        check_in_pieces("json", whole[:cut], 5)


def parquet(rows: int) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(rows))}), out)
    return out.getvalue()


def workbook(rows: int) -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in range(rows + 1):
        sheet.append(["<row>", row])
    book.save(out)
    return out.getvalue()


def test_a_csv_that_ends_inside_its_last_row_is_noticed() -> None:
    whole = b"name;n\r\nBern;121\r\n"
    assert check_in_pieces("csv", whole, 7) == 1
    assert check_in_pieces("csv", b"name;n", 7) == 0
    for cut in (len(whole) - 1, len(whole) - 5):
        with pytest.raises(OdsTruncated, match="inside a row"):
            check_in_pieces("csv", whole[:cut], 7)


@pytest.mark.parametrize("rows", [0, 1, 2_500])
@pytest.mark.parametrize(("name", "make"), [("parquet", parquet), ("xlsx", workbook)])
def test_tables_say_their_rows_and_a_cut_one_is_noticed(name: str, make: object, rows: int) -> None:
    data = make(rows)  # type: ignore[operator]
    assert check_in_pieces(name, data, 1000) == rows
    with pytest.raises(OdsTruncated):
        check_in_pieces(name, data[:-5], 1000)


def test_containers_without_rows_are_checked_to_their_end() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.shp", b"x" * 1000)
    cases = {
        "shp": out.getvalue(),
        "kml": b"<kml><Document/></kml>",
        "ical": b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "jsonld": b'{"@graph": [{"a": 1}]}',
    }
    for name, data in cases.items():
        assert check_in_pieces(name, data, 7) is None
        with pytest.raises(OdsTruncated):
            check_in_pieces(name, data[:-4], 7)


def test_options_are_checked_against_the_format() -> None:
    assert dict(format_named("csv").params(None)) == {"delimiter": ",", "with_bom": "false"}
    assert dict(format_named("csv").params({"delimiter": ";", "with_bom": "True"}))["with_bom"] == "true"
    for name, options in (("jsonl", {"delimiter": ";"}), ("csv", {"delimiter": "-"}), ("csv", {"quote_all": "x"})):
        with pytest.raises(OdsConfigError):
            format_named(name).params(options)
    with pytest.raises(OdsConfigError, match="no export format 'xls'"):
        format_named("xls")


@pytest.mark.parametrize(
    "name", ["csv", "json", "xlsx", "data.json", "dcat", "dcat_ap_vl", "rdf", "rss", "ttl", "sitemap"]
)
def test_the_catalogue_has_formats_of_its_own(name: str) -> None:
    assert format_named(name, catalogue=True).name == name


def test_every_format_knows_its_own_options_and_those_of_its_kind() -> None:
    gpx = format_named("gpx").params({"name_field": "n", "description_field_list": ["a", "b"], "use_extension": "no"})
    assert dict(gpx) == {"name_field": "n", "description_field_list": "a,b", "use_extension": "false"}
    assert dict(format_named("parquet").params({"parquet_compression": "zstd"})) == {"parquet_compression": "zstd"}
    assert dict(format_named("shp").params({"epsg": "2154", "compressed": "true", "use_labels": True})) == {
        "epsg": "2154",
        "compressed": "true",
        "use_labels": "true",
    }
    dcat = format_named("dcat", catalogue=True).params({"include_exports": ["csv", "json"]})
    assert dict(dcat) == {"include_exports": "csv,json"}
    with pytest.raises(OdsConfigError, match="whole number"):
        format_named("shp").params({"epsg": "lambert"})
    with pytest.raises(OdsConfigError, match="It knows none"):
        format_named("ttl", catalogue=True).params({"compressed": True})
