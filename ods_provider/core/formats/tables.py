"""Count the rows of files that say so themselves: Parquet in its footer, Excel in its sheet."""

from __future__ import annotations

import re
import zipfile
from typing import IO

from ods_provider.core.formats.check import Verified, broken
from ods_provider.core.formats.container import opened

_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml\Z")
_PIECE = 1_048_576


class ParquetCheck:
    """Reads the footer, which stands at the end and is missing from a file that was cut."""

    verified: Verified = "counted"
    random_access = True

    def feed(self, data: bytes) -> None:
        """Look at nothing: the footer comes last."""

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of rows that the footer states."""
        # Imported late: 26 MB that only a Parquet download has to pay for.
        import pyarrow as pa
        import pyarrow.parquet as pq

        if file is None:
            broken("the Parquet file cannot be read back")
        try:
            return int(pq.read_metadata(file).num_rows)
        except (pa.ArrowException, OSError, ValueError):
            broken("the Parquet file has no readable footer")


class XlsxCheck:
    """Counts the rows of the sheets, less one header line each."""

    verified: Verified = "counted"
    random_access = True

    def feed(self, data: bytes) -> None:
        """Look at nothing: the directory of the archive comes last."""

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of data rows."""
        with opened(file, "workbook") as archive:
            sheets = [name for name in archive.namelist() if _SHEET.match(name)]
            if not sheets:
                broken("the workbook holds no sheet")
            return sum(max(0, _rows(archive, name) - 1) for name in sheets)


def _rows(archive: zipfile.ZipFile, name: str) -> int:
    # "<" is always escaped in cell texts, so that the tag is found wherever it stands and only there.
    found, carry = 0, b""
    with archive.open(name) as sheet:
        while piece := sheet.read(_PIECE):
            window = carry + piece
            matches = list(_ROW.finditer(window))
            found += len(matches)
            # A tag may straddle two pieces; what was counted is not carried over.
            carry = window[max(matches[-1].end() if matches else 0, len(window) - 12) :]
    return found
