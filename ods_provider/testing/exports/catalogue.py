"""Exports of the catalogue: the datasets' descriptions in the vocabularies of harvesters.

Source: Explore v2.1 catalogue exports. The vocabularies are those of their standards (RSS 2.0, DCAT 2, Dublin Core,
Project Open Data 1.1, sitemaps.org); which metadata stands where in them is our reading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from starlette.datastructures import QueryParams

from ods_provider.testing.exports.places import xml_text
from ods_provider.testing.exports.text import enclosed
from ods_provider.testing.querying import flag

Dataset = dict[str, Any]
Lists = Iterator[list[Dataset]]

TABLES = ("csv", "json", "xlsx")  # made of the catalogue's table, as a dataset's are of its rows
JSON = ("application/json; charset=utf-8", "json", False)
_RDF = ("application/rdf+xml; charset=utf-8", "rdf", False)
_PROFILES = ("ch", "de", "se", "sp", "it", "vl", "benap")
FORMATS = {
    "data.json": JSON,
    "rdf": _RDF,
    "ttl": ("text/turtle; charset=utf-8", "ttl", False),
    "dublin_core": ("application/xml; charset=utf-8", "xml", False),
    "dcat": _RDF,
    **{f"dcat_ap_{profile}": _RDF for profile in _PROFILES},
    "rss": ("application/rss+xml; charset=utf-8", "xml", False),
    "sitemap": ("application/xml; charset=utf-8", "xml", False),
}
_NAMESPACES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#" '
    'xmlns:dct="http://purl.org/dc/terms/"'
)
_DEFAULT_EXPORTS = ("csv", "json")


def write(name: str, lists: Lists, base: str, params: QueryParams) -> Iterator[bytes]:
    """Yield the catalogue in the format ``name``."""
    if name == "json":
        return enclosed("[", ", ", "]", ([json.dumps(one, ensure_ascii=False) for one in some] for some in lists))
    if name == "data.json":
        head = '{"@type": "dcat:Catalog", "conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": ['
        return enclosed(head, ", ", "]}", ([json.dumps(_open_data(one, base)) for one in some] for some in lists))
    if name == "ttl":
        head = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n"
        return enclosed(head, "", "", ([_turtle(one, base) for one in some] for some in lists))
    before, each, after = _XML.get(name, _XML["dcat"])
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' + before.format(base=base)
    return enclosed(head, "", after, ([each(one, base, params) for one in some] for some in lists))


def _page(dataset: Dataset, base: str) -> str:
    return f"{base}/explore/dataset/{quote(dataset['dataset_id'])}/"


def _file(dataset: Dataset, base: str, format: str) -> str:
    return f"{base}/api/explore/v2.1/catalog/datasets/{quote(dataset['dataset_id'])}/exports/{format}"


def _many(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _element(name: str, values: Any) -> str:
    return "".join(f"<{name}>{xml_text(value)}</{name}>" for value in _many(values))


def _open_data(dataset: Dataset, base: str) -> dict[str, Any]:
    metas = dataset["metas"]["default"]
    files = [
        {"mediaType": kind, "downloadURL": _file(dataset, base, end)}
        for kind, end in (("text/csv", "csv"), ("application/json", "json"))
    ]
    return {
        "@type": "dcat:Dataset",
        "identifier": dataset["dataset_id"],
        "title": metas["title"],
        "description": metas["description"],
        "keyword": metas["keyword"] or [],
        "modified": metas["modified"],
        "license": metas["license_url"] or metas["license"],
        "landingPage": _page(dataset, base),
        "distribution": files,
    }


def _turtle(dataset: Dataset, base: str) -> str:
    metas = dataset["metas"]["default"]
    told = [
        ("dct:identifier", dataset["dataset_id"]),
        ("dct:title", metas["title"]),
        ("dct:modified", metas["modified"]),
    ]
    told += [("dcat:keyword", word) for word in _many(metas["keyword"])]
    lines = " ;\n".join(f"  {name} {json.dumps(value, ensure_ascii=False)}" for name, value in told)
    return f"<{_page(dataset, base)}> a dcat:Dataset ;\n{lines} .\n"


def _dcat(dataset: Dataset, base: str, params: QueryParams) -> str:
    metas = dataset["metas"]["default"]
    wanted = [name.strip() for name in (params.get("include_exports") or ",".join(_DEFAULT_EXPORTS)).split(",")]
    labels = "?use_labels=true" if flag(params, "use_labels_in_exports", True) else ""
    files = "".join(
        f"<dcat:distribution><dcat:Distribution><dct:title>{xml_text(name)}</dct:title><dcat:downloadURL rdf:resource="
        f'"{_file(dataset, base, quote(name))}{labels}"/></dcat:Distribution></dcat:distribution>'
        for name in wanted
    )
    return (
        f'<dcat:dataset><dcat:Dataset rdf:about="{_page(dataset, base)}">'
        + _element("dct:identifier", dataset["dataset_id"])
        + _element("dct:title", metas["title"])
        + _element("dct:description", metas["description"])
        + _element("dcat:theme", metas["theme"])
        + _element("dcat:keyword", metas["keyword"])
        + _element("dct:modified", metas["modified"])
        + f"{files}</dcat:Dataset></dcat:dataset>\n"
    )


def _dublin_core(dataset: Dataset, base: str, params: QueryParams) -> str:
    metas = dataset["metas"]["default"]
    told = {
        "identifier": dataset["dataset_id"],
        "title": metas["title"],
        "description": metas["description"],
        "subject": metas["keyword"],
        "publisher": metas["publisher"],
        "date": metas["modified"],
        "rights": metas["license"],
    }
    return "<record>" + "".join(_element(f"dc:{name}", value) for name, value in told.items()) + "</record>\n"


def _rss(dataset: Dataset, base: str, params: QueryParams) -> str:
    metas = dataset["metas"]["default"]
    page = _page(dataset, base)
    return (
        "<item>"
        + _element("title", metas["title"])
        + _element("link", page)
        + _element("description", metas["description"])
        + f'<guid isPermaLink="true">{page}</guid></item>\n'
    )


def _sitemap(dataset: Dataset, base: str, params: QueryParams) -> str:
    day = dataset["metas"]["default"]["modified"][:10]
    return f"<url><loc>{_page(dataset, base)}</loc><lastmod>{day}</lastmod></url>\n"


_RDF_HEAD = f'<rdf:RDF {_NAMESPACES}><dcat:Catalog rdf:about="{{base}}/">\n'
_XML: dict[str, tuple[str, Callable[[Dataset, str, QueryParams], str], str]] = {
    "dcat": (_RDF_HEAD, _dcat, "</dcat:Catalog></rdf:RDF>\n"),
    "dublin_core": (
        '<records xmlns:dc="http://purl.org/dc/elements/1.1/">\n',
        _dublin_core,
        "</records>\n",
    ),
    "rss": (
        '<rss version="2.0"><channel><title>Datasets</title><link>{base}/</link><description>Datasets</description>\n',
        _rss,
        "</channel></rss>\n",
    ),
    "sitemap": ('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n', _sitemap, "</urlset>\n"),
}
