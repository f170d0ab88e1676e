from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ods_provider.core.errors import OdsConfigError, OdsSinkError
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
        ("a.json", "[1]", "record 1 is a int"),
        ("a.json", '[{"a": 1, "b": {"c": 1, "c": 2}}]', "names 'c' twice"),
        ("a.jsonl", '{"a": 1}\n{"a": 1, "a": 2}', "line 2 names 'a' twice"),
        ("a.json", "[" * 100_000, "nested too deep"),
        ("a.jsonl", '{"a":' + "[" * 100_000, "line 1 is nested too deep"),
        ("a.csv", "a,b\n1,2\n1\n", "row 3 has 1 cells, the header 2"),
        ("a.csv", b"a,b\n\xff\xfe,2\n", "not UTF-8"),
        ("a.parquet", "no parquet", "not valid Parquet"),
        ("a.txt", "", "ending in 'txt'"),
    ],
)
def test_what_is_no_record_is_numbered(tmp_path: Path, name: str, text: str | bytes, said: str) -> None:
    with pytest.raises(OdsConfigError, match=said):
        _read(_written(tmp_path / name, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OdsSinkError, match=r"absent\.jsonl"):
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
