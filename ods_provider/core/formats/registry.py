"""Which formats there are, and how each is checked.

Source: Explore v2.1 export formats; design promise 1 (what is counted, what is only checked).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.check import Check, Untouched
from ods_provider.core.formats.container import IcalCheck, MagicCheck, XmlCheck, ZipCheck
from ods_provider.core.formats.delimited import CsvCheck
from ods_provider.core.formats.gzipped import GzipCheck
from ods_provider.core.formats.jsontext import JsonCheck, LinesCheck
from ods_provider.core.formats.tables import ParquetCheck, XlsxCheck
from ods_provider.core.given import truth, whole_number
from ods_provider.core.wire import Params


@dataclass(frozen=True, slots=True)
class Format:
    """One export format.

    Attributes:
        name: As in the URL.
        check: Makes a fresh check of one file.
        options: The format's own parameters, each with what is sent unless the user says otherwise (None: nothing).
        booleans: Those of them that are true or false.
        shared: The parameters that it shares with the others of its kind, none of them sent unless the user says so.
    """

    name: str
    check: Callable[[], Check] = Untouched
    options: Mapping[str, str | None] = field(default_factory=dict)
    booleans: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset({"use_labels", "compressed", "epsg"})

    def check_with(self, given: Mapping[str, Any] | None) -> Check:
        """Return a fresh check of one file that was made with a user's ``format_options``."""
        options = {**self.options, **(given or {})}
        check = CsvCheck(options["delimiter"] or ";") if self.check is CsvCheck else self.check()
        return GzipCheck(check) if truth("compressed", (given or {}).get("compressed") or False) else check

    def params(self, given: Mapping[str, Any] | None) -> Params:
        """Return the format's parameters from a user's ``format_options``.

        Raises:
            OdsConfigError: An option that the format does not know, or a value it cannot take.
        """
        chosen = dict(given or {})
        allowed = dict.fromkeys(self.shared) | dict(self.options)
        unknown = sorted(set(chosen) - set(allowed))
        if unknown:
            raise OdsConfigError(
                f"format {self.name} has no option {', '.join(unknown)}",
                where="argument format_options",
                advice=f"It knows {', '.join(sorted(allowed)) or 'none'}",
            )
        merged = {**allowed, **chosen}
        return tuple((name, self._text(name, value)) for name, value in merged.items() if value is not None)

    def _text(self, name: str, value: Any) -> str:
        if name in self.booleans or name in _SHARED_BOOLEANS:
            return "true" if truth(name, value) else "false"
        if name == "epsg":
            return str(whole_number("epsg", value))
        if name == "delimiter" and value not in (";", ",", "\t", "|"):
            raise OdsConfigError(
                f"delimiter={value!r} is not offered", where="argument format_options", advice="Use ; , | or a tab"
            )
        return value if isinstance(value, str) else ",".join(value) if isinstance(value, (list, tuple)) else str(value)


_SHARED_BOOLEANS = frozenset({"use_labels", "compressed"})

_FORMATS = {
    made.name: made
    for made in (
        Format(
            "csv",
            CsvCheck,
            # Comma and no BOM unless asked: what warehouses load. The portal's default is ";" with a BOM (Q38, Q39).
            {"delimiter": ",", "with_bom": "false", "list_separator": None, "quote_all": None},
            frozenset({"with_bom", "quote_all"}),
        ),
        Format("jsonl", LinesCheck),
        Format("json", lambda: JsonCheck("[")),
        Format("geojson", lambda: JsonCheck("{[")),
        Format("parquet", ParquetCheck, {"parquet_compression": None}),
        Format("xlsx", XlsxCheck),
        Format("shp", ZipCheck),
        Format("kml", XmlCheck),
        Format(
            "gpx",
            XmlCheck,
            dict.fromkeys(("name_field", "description_field_list", "use_extension")),
            frozenset({"use_extension"}),
        ),
        Format("rdfxml", XmlCheck),
        Format("fgb", lambda: MagicCheck(b"fgb\x03fgb")),
        Format("jsonld", lambda: JsonCheck(None)),
        Format("ical", IcalCheck),
        Format("n3"),
        Format("turtle"),
        Format("ov2"),
    )
}


_DCAT = {"include_exports": None, "use_labels_in_exports": None}
_DCAT_PROFILES = ("", "_ap_ch", "_ap_de", "_ap_se", "_ap_sp", "_ap_it", "_ap_vl", "_ap_benap")
_CATALOGUE_FORMATS = {
    made.name: made
    for made in (
        *(replace(_FORMATS[name], shared=frozenset()) for name in ("csv", "json", "xlsx")),
        Format("data.json", lambda: JsonCheck(None), shared=frozenset()),
        *(
            Format(f"dcat{profile}", XmlCheck, _DCAT, frozenset({"use_labels_in_exports"}), frozenset())
            for profile in _DCAT_PROFILES
        ),
        *(Format(name, XmlCheck, shared=frozenset()) for name in ("dublin_core", "rdf", "rss", "sitemap")),
        Format("ttl", shared=frozenset()),
    )
}


def format_named(name: Any, *, catalogue: bool = False) -> Format:
    """Return the format of that name, of a dataset's exports or the catalogue's.

    Raises:
        OdsConfigError: No portal offers it; the message lists those that exist.
    """
    text = str(name).strip().lower()
    known = _CATALOGUE_FORMATS if catalogue else _FORMATS
    if text not in known:
        raise OdsConfigError(
            f"there is no export format {text!r}" + (" of the catalogue" if catalogue else ""),
            where="argument format",
            advice=f"Use one of {', '.join(known)}",
        )
    return known[text]


def format_names(*, catalogue: bool = False) -> list[str]:
    """Return the names of all formats, of a dataset's exports or the catalogue's."""
    return list(_CATALOGUE_FORMATS if catalogue else _FORMATS)
