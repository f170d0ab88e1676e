from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.sinks.destination import destination
from ods_provider.sources.delimited import DelimitedText
from ods_provider.sources.recordfiles import read_records


def _read(path: Path) -> list[dict[str, object]]:
    return list(read_records(destination(path)))


def _written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_json_lines_may_hold_empty_lines_and_lack_the_last_break(tmp_path: Path) -> None:
    assert _read(_written(tmp_path / "a.jsonl", '{"a": 1}\n\n{"a": "ü"}')) == [{"a": 1}, {"a": "ü"}]


def test_json_is_an_array_or_one_object(tmp_path: Path) -> None:
    assert _read(_written(tmp_path / "a.json", '[{"a": 1}, {"a": 2}]')) == [{"a": 1}, {"a": 2}]
    assert _read(_written(tmp_path / "b.json", '{"a": 1}')) == [{"a": 1}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_in_every_delimiter_with_breaks_and_quotes_inside_cells(tmp_path: Path, delimiter: str) -> None:
    text = f'\ufeffa{delimiter}"b c"\r\n1{delimiter}"x\r\ny ""z"" {delimiter}"\r\n{delimiter}2\r\n'
    assert _read(_written(tmp_path / "a.csv", text)) == [
        {"a": "1", "b c": f'x\r\ny "z" {delimiter}'},
        {"a": None, "b c": "2"},
    ]


def test_a_csv_of_one_column_and_an_empty_one_are_read(tmp_path: Path) -> None:
    assert _read(_written(tmp_path / "a.csv", "a\n1\n2\n")) == [{"a": "1"}, {"a": "2"}]
    assert _read(_written(tmp_path / "b.csv", "")) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"a": 1}\n{"a":', "line 2 is not valid JSON"),
        ("a.jsonl", '{"a": 1}\n[1]', "line 2 is a list"),
        ("a.json", "[", "not valid JSON"),
        ("a.json", "[1]", "record 0 is an int"),
        ("a.json", '[{"a": 1, "b": {"c": 1, "c": 2}}]', "names 'c' twice"),
        ("a.jsonl", '{"a": 1}\n{"a": 1, "a": 2}', "line 2 names 'a' twice"),
        ("a.json", "[" * 100_000, "nested too deep"),
        ("a.jsonl", '{"a":' + "[" * 100_000, "line 1 is nested too deep"),
        ("a.csv", "a,b\n1,2\n1\n", "row 3 has 1 cell, the header 2: none stands below 'b'"),
        ("a.csv", b"a,b\n\xff\xfe,2\n", "not UTF-8"),
        ("a.parquet", "no parquet", "not valid Parquet"),
        ("a.txt", "", "ending in 'txt'"),
    ],
)
def test_what_is_no_record_is_numbered(tmp_path: Path, name: str, text: str | bytes, said: str) -> None:
    with pytest.raises(OdsConfigError, match=said):
        _read(_written(tmp_path / name, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OdsConfigError, match=r"there is no file .*absent\.jsonl"):
        _read(tmp_path / "absent.jsonl")


def test_geojson_is_a_document_as_json_is(tmp_path: Path) -> None:
    text = '{"type": "FeatureCollection", "features": []}'
    assert _read(_written(tmp_path / "a.geojson", text)) == [{"type": "FeatureCollection", "features": []}]


def test_two_columns_of_one_name_in_parquet_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(OdsConfigError, match="two columns called 'a'"):
        _read(tmp_path / "a.parquet")


def test_how_a_csv_is_written_is_said_of_a_csv_only(tmp_path: Path) -> None:
    place = destination(_written(tmp_path / "a.jsonl", "{}"))
    with pytest.raises(OdsConfigError, match=r"a \.jsonl is none"):
        list(read_records(place, text=DelimitedText(delimiter=";")))


@pytest.mark.parametrize("number", ["0.123456789012345678", "12345678901234567.5", "1234567890123456789.1", "1e-400"])
def test_a_number_of_more_digits_than_a_double_is_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(OdsConfigError, match=r"line 2: .* more digits than 64 bits"):
        _read(_written(tmp_path / "a.jsonl", f'{{"a": 1.5}}\n{{"a": [{{"b": {number}}}]}}\n'))
    with pytest.raises(OdsConfigError, match=r"the file: .* more digits than 64 bits"):
        _read(_written(tmp_path / "a.json", f'[{{"a": {number}}}]'))


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("0.10000000000000001", 0.1),  # as C prints it
        ("0.1000000000000000055511151231257827021181583404541015625", 0.1),  # as it is
        ("1.00000000000000000000", 1.0),
        ("100000000000000000000000.0", 1e23),
        ("4.9406564584124654e-324", 5e-324),
        ("-0.0", 0.0),
        ("0e5", 0.0),
    ],
)
def test_a_number_that_a_double_is_stays_it_however_it_is_spelled(tmp_path: Path, number: str, kept: float) -> None:
    assert _read(_written(tmp_path / "a.jsonl", f'{{"a": {number}}}')) == [{"a": kept}]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([0, 1], pa.timestamp("ns")), r"record 1, column 'a': Nanosecond resolution"),
        (pa.array([1000, 1], pa.time64("ns")), r"record 1, column 'a': Nanosecond resolution"),
        (pa.array([b"x", b"\xff"]).view(pa.string()), r"record 1, column 'a': .* can't decode byte 0xff"),
        (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), "'a' holds maps"),
        (pa.array([[{"b": [("k", 1)]}], None], pa.list_(pa.struct({"b": pa.map_(pa.string(), pa.int64())}))), "maps"),
    ],
)
def test_a_value_of_parquet_that_has_no_plain_form_is_refused_with_its_place(
    tmp_path: Path, column: pa.Array, said: str
) -> None:
    pq.write_table(pa.table({"n": [1, 2], "a": column}), tmp_path / "a.parquet")
    with pytest.raises(OdsConfigError, match=said):
        _read(tmp_path / "a.parquet")
