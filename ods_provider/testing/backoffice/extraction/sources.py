"""Where a resource's bytes come from, and which extractor reads them.

Source: Automation API v1.0, datasources (uploaded_file, http, federated). An http source is fetched from this machine
only: the portal needs no network.
"""

from __future__ import annotations

import base64
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ods_provider.testing.backoffice.extraction import csvfile, jsonfile, parquet, workbook
from ods_provider.testing.backoffice.extraction.raw import Raw
from ods_provider.testing.backoffice.trouble import ExtractionError

_PATIENCE_S = 30.0
_LOCAL = ("127.0.0.1", "localhost")
LABELS = {
    "csvfile": "CSV File",
    "jsonfile": "JSON File",
    "geojson": "GeoJSON File",
    "xlsfile": "Excel File",
    "parquet": "Parquet File",
    "federated": "Federated dataset",
    "realtime": "Realtime",
}
_CSV = ("headers_first_row", "encoding", "separator", "first_row_no", "doublequote", "escapechar")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "csvfile": _CSV,
    "jsonfile": ("extract_filename", "json_root", "json_object"),
    "geojson": (),
    "xlsfile": ("sheet_no", "headers_first_row", "first_row_no"),
    "parquet": (),
}
# Names of which only some are certain; the others are our reading.
_ALIASES = {
    "csv": "csvfile", "json": "jsonfile", "jsondict": "jsonfile", "jsonl": "jsonfile", "xls": "xlsfile",
    "xlsx": "xlsfile", "xlsxfile": "xlsfile", "parquetfile": "parquet", "geojsonfile": "geojson",
}  # fmt: skip
_ENDINGS = {
    ".csv": "csvfile", ".tsv": "csvfile", ".txt": "csvfile", ".json": "jsonfile", ".jsonl": "jsonfile",
    ".ndjson": "jsonfile", ".geojson": "geojson", ".xlsx": "xlsfile", ".parquet": "parquet",
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One resource as it is when a run begins.

    Attributes:
        type: The extractor.
        path: The uploaded file, None where there is none.
        rows: Gives the records of a federated dataset.
    """

    type: str
    params: Mapping[str, Any]
    datasource: Mapping[str, Any]
    path: Path | None = None
    rows: Callable[[], Iterable[dict[str, Any]]] | None = None


def read(source: Source, scratch: Path, cursor: Any) -> Raw:
    """Return what a resource holds.

    Raises:
        ExtractionError: It cannot be had, or cannot be read.
    """
    if source.rows is not None:
        return jsonfile.written(source.rows(), scratch / "federated.jsonl", cursor)
    path = fetched(source, scratch)
    kind = extractor(source.type, path)
    if kind == "csvfile":
        return csvfile.read(path, source.params, scratch)
    if kind == "jsonfile":
        return jsonfile.read(path, source.params, scratch, cursor)
    if kind == "geojson":
        return jsonfile.geojson(path, scratch, cursor)
    if kind == "xlsfile":
        return workbook.read(path, source.params, scratch, cursor)
    if kind == "parquet":
        return parquet.read(path, cursor)
    raise ExtractionError(f"There is no extractor {source.type}")


def extractor(type_: str, path: Path | None = None) -> str:
    """Return the extractor that a resource's type means; ``file`` is told by what the file is."""
    if type_ == "file" and path is not None:
        return guess(path, path.name)
    return _ALIASES.get(type_, type_)


def guess(path: Path, filename: str) -> str:
    """Return the extractor for a file, by its first bytes and its name."""
    with path.open("rb") as file:
        head = file.read(65_536)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "xlsfile"
    begun = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if begun[:1] in (b"{", b"["):
        return "geojson" if b'"FeatureCollection"' in head else "jsonfile"
    return _ENDINGS.get(Path(filename).suffix.lower(), "csvfile")


def fetched(source: Source, scratch: Path) -> Path:
    """Return the file of a resource, fetched where it is not here.

    Raises:
        ExtractionError: It is gone, or its server does not give it.
    """
    if source.datasource.get("type") == "uploaded_file":
        if source.path is None or not source.path.exists():
            raise ExtractionError(f"File {(source.datasource.get('file') or {}).get('uid')} does not exist")
        return source.path
    if source.datasource.get("type") == "http":
        return _by_http(source.datasource, scratch)
    raise ExtractionError(f"A datasource of type {source.datasource.get('type')} cannot be reached")


def _by_http(datasource: Mapping[str, Any], scratch: Path) -> Path:
    connection = datasource.get("connection") or {}
    url = f"{str(connection.get('url') or '').rstrip('/')}/{str(datasource.get('relative_url') or '').lstrip('/')}"
    if urlsplit(url).scheme not in ("http", "https") or urlsplit(url).hostname not in _LOCAL:
        raise ExtractionError(f"{urlsplit(url).hostname} cannot be reached")
    request = urllib.request.Request(url)  # noqa: S310  checked above
    for header in [*(connection.get("headers") or []), *(datasource.get("headers") or [])]:
        request.add_header(header["name"], header["value"])
    auth = connection.get("auth") or {}
    if auth.get("type") == "basic_auth":
        shown = base64.b64encode(f"{auth.get('username')}:{auth.get('password')}".encode()).decode()
        request.add_header("Authorization", f"Basic {shown}")
    target = scratch / f"fetched{Path(urlsplit(url).path).suffix}"
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer, target.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file, 1 << 20)
    except urllib.error.HTTPError as error:
        error.close()  # its body is a file of its own
        raise ExtractionError(f"HTTP error {error.code} on {urlsplit(url).path}") from None
    except OSError as error:
        raise ExtractionError(f"{urlsplit(url).netloc} cannot be reached: {error}") from None
    return target
