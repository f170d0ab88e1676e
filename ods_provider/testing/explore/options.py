"""What a request asks of one format.

Source: Explore v2.1 export formats, own parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import QueryParams

from ods_provider.testing.errors import bad_parameter
from ods_provider.testing.querying import flag, number

PROJECTIONS = (4326, 3857)


def format_options(name: str, params: QueryParams, columns: Sequence[str], *, bom: bool) -> dict[str, Any]:
    """Return the options of a format.

    Args:
        name: The format.
        params: Query parameters.
        columns: The keys of the rows, which GPX options name.
        bom: Whether a CSV begins with a byte order mark unless said (since version 2.1).

    Raises:
        Refusal: 400, for a value that the format does not take.
    """
    if name == "csv":
        return {
            "delimiter": _delimiter(params.get("delimiter")),
            "list_separator": params.get("list_separator") or ",",
            "quote_all": flag(params, "quote_all", False),
            "with_bom": flag(params, "with_bom", bom),
        }
    if name == "parquet":
        compression = params.get("parquet_compression") or "snappy"
        if compression not in ("snappy", "zstd"):
            raise _unexpected("parquet_compression", compression, "one of snappy, zstd")
        return {"parquet_compression": compression}
    if name == "gpx":
        told = [field.strip() for field in (params.get("description_field_list") or "").split(",") if field.strip()]
        called = params.get("name_field")
        for option, given in [("name_field", called), *(("description_field_list", field) for field in told)]:
            if given and given not in columns:
                raise _unexpected(option, given, "a field of the export")
        return {
            "name_field": called,
            "description_field_list": told,
            "use_extension": flag(params, "use_extension", True),
        }
    return {}


def epsg(params: QueryParams) -> int:
    """Return the projection of a geographic file, 4326 unless said.

    Raises:
        Refusal: 400 for one that this portal cannot compute.
    """
    wanted = number(params, "epsg", 4326)
    if wanted not in PROJECTIONS:
        raise _unexpected("epsg", str(wanted), "one of " + ", ".join(map(str, PROJECTIONS)))
    return wanted


def _delimiter(given: str | None) -> str:
    chosen = {None: ";", "\\t": "\t"}.get(given, given)
    if chosen not in (";", ",", "\t", "|"):
        raise _unexpected("delimiter", str(given), "one of ; , \\t |")
    return str(chosen)


def _unexpected(name: str, value: str, expected: str) -> Exception:
    return bad_parameter(f"Invalid value for {name} API parameter: {value} was found but {expected} is expected.")
