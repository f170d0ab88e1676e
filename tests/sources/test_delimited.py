"""The header of a CSV is read as CSV, its delimiter told by the rows that fit."""

from __future__ import annotations

import io
from typing import Any

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.sources.delimited import DelimitedText, read_delimited


def _read(text: str | bytes, **how: Any) -> list[dict[str, Any]]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_delimited(io.BytesIO(data), DelimitedText(**how), bad=OdsConfigError))


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ('"Loi, decret, arrete";Date\nx;2020\n', {"Loi, decret, arrete": "x", "Date": "2020"}),
        ("Puissance (kW, kVA);Date\n12;2020\n", {"Puissance (kW, kVA)": "12", "Date": "2020"}),
        ('"Date\nde mise";b\n1;2\n', {"Date\nde mise": "1", "b": "2"}),
        ("sep=;\r\na,x;b\r\n1,5;2,5\r\n", {"a,x": "1,5", "b": "2,5"}),
        ('"sep=\t"\na\tb\n1\t2\n', {"a": "1", "b": "2"}),
        ("\ufeffsep=|\na|b\n1|2\n", {"a": "1", "b": "2"}),
        ("a;b;\n1;2;\n", {"a": "1", "b": "2"}),
        ("a;b;;;\n1;2;;;\n", {"a": "1", "b": "2"}),
        ("a;b;\n1;2\n", {"a": "1", "b": "2"}),
        ("a;\n1;\n", {"a": "1"}),
        ("a;b\n1,5;2,5\n", {"a": "1,5", "b": "2,5"}),
        ("a,b\n1;x,2;y\n", {"a": "1;x", "b": "2;y"}),
        ('a\n"x,y;z"\n', {"a": "x,y;z"}),
        ("\n\na;b\n1;2\n", {"a": "1", "b": "2"}),
        ("a,b\r1,2\r", {"a": "1", "b": "2"}),
        ('a,b\n5" pipe,2\n', {"a": '5" pipe', "b": "2"}),
    ],
)
def test_a_row_comes_under_the_names_that_the_header_gives(text: str, record: dict[str, str]) -> None:
    assert _read(text) == [record]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,name,id\n1,a,2\n", "two columns 'id', at 1 and 3"),
        ("Puissance (kW, kVA);Date\n3,5;2020\n", ", and ; both may be its delimiter"),
        ("a;b,c\n", ", and ; both may be its delimiter"),
        ("a;b;\n1;2;3\n", "row 2 has 3 cells, the header 2: a value stands below no name"),
        ("a;;b\n1;2;3\n", "column 2 of the header has no name"),
        ("a; ;b\n1;2;3\n", "column 2 of the header has no name"),
        ("a;b\n1;2\n1;2;3\n", "row 3 has 3 cells, the header 2"),
        ("a;b;c\n1;2;3\n1;2\n", "row 3 has 2 cells, the header 3: none stands below 'c'"),
        ("a;b;c\n1;2;3\n1\n", "row 3 has 1 cell, the header 3: none stands below 'b'"),
        ("name\nZürich, Stadt\n", "the header is one column"),
        ('a,b\n1,"x\n2,3\n4,5\n', "row 2 is no CSV"),
        ('a,b\n1,"x"y\n', "row 2 is no CSV"),
    ],
)
def test_what_cannot_be_told_is_refused(text: str, said: str) -> None:
    with pytest.raises(OdsConfigError, match=said):
        _read(text)


def test_the_user_names_the_delimiter_of_a_tie_and_the_encoding() -> None:
    assert _read("Puissance (kW, kVA);Date\n3,5;2020\n", delimiter=";") == [
        {"Puissance (kW, kVA)": "3,5", "Date": "2020"}
    ]
    for mark in ("\t", r"\t", "tab"):
        assert _read("a\tb\n1\t2\n", delimiter=mark) == [{"a": "1", "b": "2"}]
    for encoding in ("cp1252", "latin-1", "utf-16", "utf-8-sig"):
        assert _read("é;b\n1;2\n".encode(encoding), encoding=encoding) == [{"é": "1", "b": "2"}]
    with pytest.raises(OdsConfigError, match=r"the file is not UTF-8"):
        _read("é;b\n1;2\n".encode("cp1252"))
    with pytest.raises(OdsConfigError, match=r"its first line says sep=;"):
        _read("sep=;\na;b\n1;2\n", delimiter=",")


@pytest.mark.parametrize("mark", ["", ";;", '"', "\n"])
def test_what_is_no_delimiter_is_refused(mark: str) -> None:
    with pytest.raises(OdsConfigError, match="is no delimiter"):
        DelimitedText(delimiter=mark)


@pytest.mark.parametrize("encoding", ["utf-9", "hex", "", "a\0b"])
def test_what_is_no_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(OdsConfigError, match="is no encoding"):
        DelimitedText(encoding=encoding)


def test_a_cell_that_goes_on_beyond_the_lines_that_decide_is_whole() -> None:
    long = "y\n" * 500
    assert _read(f'a;b\n1;2\n"{long}";3\n') == [{"a": "1", "b": "2"}, {"a": long, "b": "3"}]


def test_a_file_without_rows_has_no_records() -> None:
    assert _read("") == _read("a;b\n") == _read("\n\n") == []
