"""Files as a portal will read them, row by row: what it would bend or lose without a word is refused before.

Source: Q15 (64-bit integers); RFC 8259, 6 (no NaN) and 8.1 (no byte order mark).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Literal

from ods_provider.core.batches import Encode, encoder
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faithful import Unfaithful, faithful, is_flat
from ods_provider.core.strictjson import BOM
from ods_provider.sinks.destination import Destination
from ods_provider.sources.delimited import Bad, DelimitedText, Written, read_cells, read_delimited
from ods_provider.sources.documents import SHAPE, features, json_records
from ods_provider.sources.recordfiles import json_lines
from ods_provider.sources.workbooks import sheet_rows

Kind = Literal["csv", "jsonl", "json", "geojson", "xlsx"]
Record = Mapping[str, Any]
UNCHANGED = "nothing on the portal was changed"
JSON_PATHS = ("json_root", "json_object")
"""Parameters of the extractor that say where in a document its records are."""


class Reading:
    """How one file is read.

    Args:
        kind: What the portal gets.
        place: The file, for messages.
        text: How a CSV is written, where the user says so.
        params: Parameters of the extractor: where a table begins, and in which sheet.

    Attributes:
        named: Whether columns, or a record, were found: a table may have no row below its header.
    """

    def __init__(self, kind: Kind, place: Destination, text: DelimitedText, params: Mapping[str, Any]) -> None:
        self._kind, self._place = kind, place
        self._how = DelimitedText(text.delimiter or params.get("separator"), text.encoding or params.get("encoding"))
        self._headed = params.get("headers_first_row", True) is not False
        self._first = int(params.get("first_row_no") or 1)
        self._sheet_no = int(params.get("sheet_no") or 1)
        self._root, self._within = (str(params.get(name) or "") for name in JSON_PATHS)
        self._written: Written | None = None
        self.named = False

    def rows(self, file: Any) -> Iterator[Record]:
        """Yield the records of the file, whose bytes these are.

        Raises:
            OdsConfigError: It is broken, or holds what no portal can; the message has the place.
        """
        for row in self._all(file):
            self.named = True
            yield row

    def told(self) -> dict[str, Any]:
        """Return how it was found to be written, in the words of the portal's extractor."""
        begins = {"headers_first_row": self._headed, "first_row_no": self._first}
        if self._kind == "xlsx":
            return {"sheet_no": self._sheet_no, **begins}
        if self._kind != "csv":
            return {}
        found = self._written or Written(self._how.delimiter or ",", self._first)
        below = {"first_row_no": found.header_line} if self._first == 1 else {}
        return {"separator": found.delimiter, "encoding": self._how.encoding or "utf-8", **begins, **below}

    def _all(self, file: Any) -> Iterator[Record]:
        if self._kind == "csv":
            return self._cells(file)
        if self._kind == "xlsx":
            return self._sheet(file)
        if self._kind == "jsonl":
            return _exact(self._lines(file), self._bad)
        if self._kind == "geojson":
            return _exact(features(file, bad=self._bad), self._bad)
        return _exact(json_records(file, bad=self._bad, root=self._root, within=self._within), self._bad)

    def _lines(self, file: Any) -> Iterator[Record]:
        told = {"json_root": self._root, "json_object": self._within}
        for name, value in told.items():
            if value:
                raise self._bad(
                    f"{name} {value!r} leads into one document of JSON, and JSON lines are many, of which all but the "
                    f"first may be left out: have {name} empty, or write the file as one document"
                )
        return json_lines(file, self._bad)

    def _cells(self, file: Any) -> Iterator[Record]:
        if self._headed and self._first == 1:
            return read_delimited(file, self._how, bad=self._bad, seen=self._see)
        return read_cells(file, self._how, first_line=self._first, headed=self._headed, bad=self._bad)

    def _see(self, written: Written) -> None:
        self._written, self.named = written, True

    def _sheet(self, file: Any) -> Iterator[Record]:
        above = self._first - 1 + self._headed
        for number, row in enumerate(sheet_rows(file, sheet_no=self._sheet_no, bad=self._bad), start=1):
            self.named = True
            if number > above:
                yield row

    def _bad(self, what: str) -> OdsConfigError:
        how = "Correct the file" + (", or say its delimiter and encoding" if self._kind == "csv" else "")
        return OdsConfigError(what, where=self._place.url, advice=f"{how}; {UNCHANGED}")


def _is_sound(record: Record, encode: Encode) -> bool:
    """Return whether a record is plain, and has no half characters: nearly all are."""
    try:
        return type(record) is dict and is_flat(record) and bool(encode(record))
    except ValueError:
        return False


def unmarked(file: BinaryIO) -> BinaryIO:
    """Return a file of text behind its byte order mark, which no sender of JSON may write (RFC 8259)."""
    if file.read(len(BOM)) != BOM:
        file.seek(0)
    return file


def _exact(records: Iterator[Record], bad: Bad) -> Iterator[Record]:
    """Yield records whose values portals can hold; the last digits of shapes are no data, and not looked at."""
    encode = encoder()
    for number, record in enumerate(records):
        own = {name: value for name, value in record.items() if name != SHAPE} if SHAPE in record else record
        try:
            if not _is_sound(own, encode):
                faithful(own)
        except Unfaithful as error:
            raise bad(f"record {number}: {error.what} (field {error.field})") from None
        yield record
