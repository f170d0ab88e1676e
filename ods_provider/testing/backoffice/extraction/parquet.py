"""Parquet: names and types are in the file.

Source: our reading; no document names the portal's extractor for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ods_provider.testing.backoffice.extraction.raw import Raw, named, selected
from ods_provider.testing.backoffice.trouble import ExtractionError
from ods_provider.testing.odsql.sql import iso
from ods_provider.testing.schema import literal, quoted

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")


def read(path: Path, cursor: Any) -> Raw:
    """Return the rows of a file.

    Raises:
        ExtractionError: It is no Parquet.
    """
    table = f"read_parquet({literal(str(path))})"
    try:
        found = cursor.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608  a quoted path
    except Exception as error:
        raise ExtractionError(f"The file is not valid Parquet: {str(error).splitlines()[0]}") from None
    told = [_told(quoted(name), kind) for name, kind, *_ in found]
    fields = named([row[0] for row in found], [natural for natural, _ in told])
    return Raw(selected(fields, [cell for _, cell in told], table), fields)


def _told(cell: str, kind: str) -> tuple[str, str]:
    if kind in _INTEGERS:
        return "int", f"{cell}::VARCHAR"
    if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        return "double", f"{cell}::VARCHAR"
    if kind in ("BOOLEAN", "DATE"):
        return kind.lower(), f"{cell}::VARCHAR"
    if kind.startswith("TIMESTAMP WITH"):
        moment = f"timezone('UTC', {cell})"
        return "datetime", f"{iso(moment)} || 'Z'"
    if kind.startswith("TIMESTAMP"):
        return "datetime", iso(f"{cell}::TIMESTAMP")
    if kind.startswith(("STRUCT", "MAP")) or kind.endswith("]"):
        return "nested", f"to_json({cell})::VARCHAR"
    return "text", f"nullif({cell}::VARCHAR, '')"
