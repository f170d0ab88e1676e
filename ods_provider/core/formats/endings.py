"""Which format the ending of a path names, and which it may hold: an ending that lies deceives whoever reads it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given, truth

GZIP = "gz"
DEFAULT_FORMAT = "parquet"
_PACKED = ("bz2", "xz", "zst", "br", "lz4", "7z")

# JSON lines are often called .json (Spark and BigQuery do), and a shapefile export is an archive.
_MAY_END = {
    "csv": ("csv",),
    "jsonl": ("jsonl", "ndjson", "json"),
    "json": ("json",),
    "data.json": ("json",),
    "geojson": ("geojson", "json"),
    "jsonld": ("jsonld", "json"),
    "parquet": ("parquet",),
    "xlsx": ("xlsx",),
    "xls": ("xls",),
    "shp": ("shp", "zip"),
    "fgb": ("fgb",),
    "kml": ("kml", "xml"),
    "gpx": ("gpx", "xml"),
    "ical": ("ics", "ical"),
    "n3": ("n3", "ttl"),
    "turtle": ("ttl", "turtle"),
    "ttl": ("ttl", "turtle"),
    "rdfxml": ("rdf", "rdfxml", "xml"),
    "rdf": ("rdf", "rdfxml", "xml"),
    "rss": ("rss", "xml"),
    "ov2": ("ov2",),
}
_XML = ("xml", "rdf", "dcat")  # dublin_core, sitemap, and the profiles of dcat
_SPEAKING = {ending for endings in _MAY_END.values() for ending in endings}
_MEANS = {"ndjson": "jsonl", "ics": "ical", "ttl": "turtle", "rdf": "rdfxml"}


def ending_of(path: Any) -> tuple[str, bool]:
    """Return the ending that says what a file holds, in small letters without the dot, and whether it is gzip besides.

    Args:
        path: A path, a URL, or an object with ``fs`` and ``path``. ``cities.csv.gz`` gives ``("csv", True)``.
    """
    name = _name(path)
    ending = _after_dot(name)
    if ending != GZIP:
        return ending, False
    return _after_dot(name[: -len(GZIP) - 1]), True


def format_for(path: Any, asked: str | None, offered: Collection[str], *, default: str | None) -> str:
    """Return the name of the format to write: the one that is asked for, else the one that the path's ending names.

    Args:
        path: File to write.
        asked: The format, None when nobody named one.
        offered: The names that there are.
        default: What a path without an ending gets; None insists on a name.

    Raises:
        OdsConfigError: The ending names no format, or says that the file holds another one.
    """
    ending, gzip = ending_of(path)
    if asked is None:
        if not ending and not gzip and default is not None:
            return default
        return _named_by(ending, offered, gzip=gzip)
    if asked in offered and _lies(ending, asked):
        raise OdsConfigError(
            f"format={asked!r} would be written to a file that ends in .{ending}",
            where="arguments format, path",
            advice=f"Call the file .{_may_end(asked)[0]}, or leave format out where the ending is right",
        )
    return asked


def expect_ending(path: Any, written: str) -> None:
    """Check that the path of a file which is always written in one format does not say another.

    Raises:
        OdsConfigError: It does.
    """
    ending, gzip = ending_of(path)
    if gzip or _lies(ending, written):
        raise OdsConfigError(
            f"{written} would be written to a file that ends in .{GZIP if gzip else ending}",
            where="argument path",
            advice=f"Call the file .{_may_end(written)[0]}; the download writes other formats",
        )


def packed_for(path: Any, options: Mapping[str, Any] | None, *, possible: bool) -> Mapping[str, Any] | None:
    """Return ``format_options`` with ``compressed`` as the path's ending says: ``.csv.gz`` is gzip, ``.csv`` is not.

    Args:
        path: File to write.
        options: What the user gave.
        possible: Whether these exports come as gzip at all.

    Raises:
        OdsConfigError: Ending and option contradict each other, or it is not possible.
    """
    ending, gzip = ending_of(path)
    said = (options or {}).get("compressed")
    wanted = truth("compressed", said) if is_given(said) else None
    if gzip and not possible:
        raise OdsConfigError(
            "these exports do not come as gzip", where="argument path", advice="Leave .gz out of the path"
        )
    if (gzip and wanted is False) or (wanted and not gzip and ending in _SPEAKING):
        raise OdsConfigError(
            f"compressed={wanted} would be written to a file that ends in .{GZIP if gzip else ending}",
            where="arguments format_options, path",
            advice="Call the file .gz exactly where it is compressed; that ending alone compresses it",
        )
    return {**(options or {}), "compressed": True} if gzip else options


def _named_by(ending: str, offered: Collection[str], *, gzip: bool) -> str:
    found = next((name for name in (ending, _MEANS.get(ending)) if name in offered), None)
    if found is not None:
        return found
    # Not a guess: xls is asked for often, and xlsx under that name opens nowhere without a warning.
    hint = "; Excel's is .xlsx" if ending == "xls" else ""
    raise OdsConfigError(
        f"the ending .{ending or GZIP} names no format{hint}"
        if ending or gzip
        else "the path does not say which format to write",
        where="argument format",
        advice=f"Known are {', '.join(offered)}; format writes one of them under any ending that says nothing",
    )


def file_name(stem: str, format: str | None, options: Mapping[str, Any] | None) -> str:
    """Return the name of a file that holds ``format``, Parquet where it is None, with the ending that says so."""
    packed = is_given((options or {}).get("compressed")) and truth("compressed", (options or {})["compressed"])
    return f"{stem}.{_may_end(format or DEFAULT_FORMAT)[0]}{f'.{GZIP}' * packed}"


def _may_end(format: str) -> tuple[str, ...]:
    return _MAY_END.get(format, _XML)


def _lies(ending: str, format: str) -> bool:
    return ending in _PACKED or (ending in _SPEAKING and ending not in _may_end(format))


def _name(path: Any) -> str:
    # Nothing is asked of a filesystem here: it may not be there, which is said where it is opened.
    text = getattr(path, "path", path)
    if isinstance(text, os.PathLike):
        text = os.fspath(text)
    return text.rpartition("/")[2] if isinstance(text, str) else ""


def _after_dot(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    # .csv alone is a hidden file without an ending.
    return ending.lower() if dot and stem else ""
