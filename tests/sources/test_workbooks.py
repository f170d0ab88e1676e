"""A sheet's rows, as far as they tell rows from each other."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from ods_provider.core.errors import OdsConfigError
from ods_provider.sources.workbooks import sheet_rows


def bad(what: str) -> OdsConfigError:
    return OdsConfigError(what)


def written(*sheets: list[list[Any]], in_memory: bool = False) -> io.BytesIO:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"constant_memory": in_memory}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    made.seek(0)
    return made


@pytest.mark.parametrize("in_memory", [False, True])
def test_rows_that_hold_nothing_are_none(in_memory: bool) -> None:
    book = written([["a", "b"], ["x", 1], [], [None, ""], ["y", 2], ["y", 2]], [["other"]] * 9, in_memory=in_memory)
    header, first, second, third = sheet_rows(book, bad=bad)
    assert set(header) == set(first) == {"A", "B"}
    assert first["B"] == "1"
    assert second == third != first


def test_a_book_of_another_program_is_read_in_its_own_order() -> None:
    book = openpyxl.Workbook()
    book.active.append(["n"])
    later = book.create_sheet("Later", 0)
    for n in range(1000):
        later.append([n, n % 2 == 0, date(2026, 1, 1)])
    made = io.BytesIO()
    book.save(made)
    assert len(list(sheet_rows(made, bad=bad))) == 1000
    assert len(list(sheet_rows(made, sheet_no=2, bad=bad))) == 1
    with pytest.raises(OdsConfigError, match="no sheet 3: it has 2"):
        list(sheet_rows(made, sheet_no=3, bad=bad))


def _with(name: str, content: bytes) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(written([["a"], [1]])) as source, zipfile.ZipFile(made, "w") as target:
        for each in source.namelist():
            target.writestr(each, content if each == name else source.read(each))
    return made


BROKEN = {
    "no archive": io.BytesIO(b"name;n\n"),
    "cut": io.BytesIO(written([["a"]] * 500).getvalue()[:-100]),
    "no sheets": _with("xl/workbook.xml", b"<workbook/>"),
    "entities": _with("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'),
    "entities in a sheet": _with("xl/worksheets/sheet1.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
    "a sheet that ends too early": _with("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c><v>1</v></c>"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_no_whole_workbook_is_refused(what: str) -> None:
    with pytest.raises(OdsConfigError, match="workbook"):
        list(sheet_rows(BROKEN[what], bad=bad))


def test_a_member_that_was_changed_is_damage() -> None:
    content = bytearray(written([["a" * 40, n] for n in range(3000)]).getvalue())
    begins = content.index(b"xl/worksheets/sheet1.xml") + 200
    content[begins : begins + 40] = bytes(40)
    with pytest.raises(OdsConfigError, match="workbook"):
        list(sheet_rows(io.BytesIO(bytes(content)), bad=bad))
