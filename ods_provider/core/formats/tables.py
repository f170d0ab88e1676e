"""Count the rows of files that say so themselves, and see that what they say is there: Parquet and Excel."""

from __future__ import annotations

import re
import threading
import zipfile
from typing import IO, Any

from ods_provider.core.formats.check import Verified, broken
from ods_provider.core.formats.container import opened

_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml\Z")
_PIECE = 1_048_576
_BUFFER = 262_144
_BATCH_ROWS = 8_192
# One after another: many streams may end at the same moment, and Arrow takes 10 MB for each file that it decodes.
_DECODING = threading.Lock()


class ParquetCheck:
    """Reads the footer, which stands at the end, and every page of every column: the footer proves nothing of them.

    One column after another, some thousand values at a time, within Arrow: nothing becomes a Python object. A file that
    a writer of another kind packed in a way that Arrow does not know is taken at its footer's word.
    """

    verified: Verified = "counted"
    random_access = True
    rows = None

    def feed(self, data: bytes) -> None:
        """Look at nothing: the footer comes last."""

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of rows that the footer states and every column holds."""
        # Imported late: 26 MB that only a Parquet download has to pay for.
        import pyarrow as pa
        import pyarrow.parquet as pq

        if file is None:
            broken("the Parquet file cannot be read back")
        with _DECODING:
            try:
                return self._decoded(pa, pq, file)
            finally:
                # Each thread has a heap of its own, which Arrow would keep for as long as the thread lives.
                pa.default_memory_pool().release_unused()

    @staticmethod
    def _decoded(pa: Any, pq: Any, file: IO[bytes]) -> int:
        try:
            # pre_buffer would bring whole row groups into memory: 122,880 rows, or all there are.
            whole = pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True)
            rows, columns = int(whole.metadata.num_rows), whole.schema_arrow.names
        except (pa.ArrowException, OSError, ValueError):
            broken("the Parquet file has no readable footer")
        for name in columns:
            try:
                pages = whole.iter_batches(batch_size=_BATCH_ROWS, columns=[name], use_threads=False)
                found = sum(page.num_rows for page in pages)
            except pa.ArrowNotImplementedError:
                continue
            except (pa.ArrowException, OSError, ValueError):
                broken(f"a column of the Parquet file is damaged: number {columns.index(name) + 1}")
            if found != rows:
                broken(f"a column of the Parquet file holds {found} rows where its footer states {rows}")
        return rows


class XlsxCheck:
    """Counts the rows of the sheets, less one header line each, and reads all else for its checksums."""

    verified: Verified = "counted"
    random_access = True
    rows = None

    def feed(self, data: bytes) -> None:
        """Look at nothing: the directory of the archive comes last."""

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of data rows."""
        with opened(file, "workbook") as archive:
            sheets = [name for name in archive.namelist() if _SHEET.match(name)]
            if not sheets:
                broken("the workbook holds no sheet")
            # The texts of the cells may stand in a member of their own.
            for name in set(archive.namelist()).difference(sheets):
                with archive.open(name) as member:
                    while member.read(_PIECE):
                        pass
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
