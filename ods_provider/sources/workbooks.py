"""A sheet of a workbook (xlsx), row by row: which cells are filled, and with what.

Only what tells rows from each other is read. A text that stands in the workbook's table of texts is told by its number
there, a date by the number that Excel keeps: the portal reads the file itself.

Source: ECMA-376, SpreadsheetML (workbook, relationships, sheet data).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from ods_provider.sources.delimited import Bad

Cells = dict[str, str]
_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_ID_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_COLUMN = re.compile(r"[A-Z]{1,3}")
_PIECE = 262_144
_MOST_BYTES = 8_000_000  # of what lists the sheets


def sheet_rows(file: Any, *, sheet_no: int = 1, bad: Bad) -> Iterator[Cells]:
    """Yield the rows of a sheet that hold anything, the header among them: column (``A``) to what is in its cell.

    Args:
        file: The workbook, in which one can jump about.
        sheet_no: Which sheet, counted from 1.
        bad: Makes the error that says what is wrong with it.

    Raises:
        OdsConfigError: It is no workbook, has no such sheet, or is damaged.
    """
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_sheet(archive, sheet_no, bad)) as sheet:
            yield from _rows(sheet)
    except (zipfile.BadZipFile, expat.ExpatError, ET.ParseError, KeyError, EOFError, NotImplementedError):
        raise bad("the file is not a valid workbook") from None
    except zlib.error:
        raise bad("the workbook is damaged") from None


def _sheet(archive: zipfile.ZipFile, number: int, bad: Bad) -> str:
    """Return the name of the member that holds a sheet: their order is that of the book, not of their names."""
    sheets = [
        each.get(_ID) or each.get(_ID_STRICT) for each in _parsed(archive, _BOOK, bad).iter() if _is(each, "sheet")
    ]
    if not 1 <= number <= len(sheets):
        raise bad(f"the workbook has no sheet {number}: it has {len(sheets)}")
    links = {each.get("Id"): each.get("Target") for each in _parsed(archive, _LINKS, bad)}
    target = links.get(sheets[number - 1])
    if target is None:
        raise bad("the file is not a valid workbook")
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _parsed(archive: zipfile.ZipFile, name: str, bad: Bad) -> ET.Element:
    if archive.getinfo(name).file_size > _MOST_BYTES:
        raise bad("the file is not a valid workbook")
    text = archive.read(name)
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise bad("the file is not a valid workbook")
    return ET.fromstring(text)  # noqa: S314  bounded, and without entities


def _is(element: ET.Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name


class _Reader:
    """Takes the rows out of a sheet as it is parsed."""

    def __init__(self) -> None:
        self.rows: list[Cells] = []
        self._row: Cells = {}
        self._column = ""
        self._kind = ""
        self._text: list[str] | None = None
        self._value = ""

    def start(self, name: str, marks: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            self._row = {}
        elif name == "c":
            found = _COLUMN.match(marks.get("r", ""))
            self._column = found[0] if found else f"#{len(self._row)}"
            self._kind, self._value = marks.get("t", "n"), ""
        elif name in ("v", "t"):
            self._text = []

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in ("v", "t") and self._text is not None:
            self._value += "".join(self._text)
            self._text = None
        elif name == "c" and self._value:
            self._row[self._column] = f"{self._kind}:{self._value}" if self._kind in ("s", "b", "e") else self._value
        elif name == "row" and self._row:
            self.rows.append(self._row)

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)


def _rows(sheet: Any) -> Iterator[Cells]:
    parser, reader = expat.ParserCreate(), _Reader()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.data
    # Entities are no part of a sheet: what names some wants more than it says.
    parser.EntityDeclHandler = _refuse
    while piece := sheet.read(_PIECE):
        parser.Parse(piece, False)
        yield from reader.rows
        reader.rows.clear()
    parser.Parse(b"", True)
    yield from reader.rows


def _refuse(*_: Any) -> None:
    raise expat.ExpatError("entities")
