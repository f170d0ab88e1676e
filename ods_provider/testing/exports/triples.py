"""Exports as linked data: N3 (which is Turtle too), RDF/XML, JSON-LD. Every cell that has a value is a statement.

Source: Explore v2.1 export formats; addresses of resources and of properties are our reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ods_provider.testing.exports.export import Export
from ods_provider.testing.exports.places import plain_text, xml_name, xml_text
from ods_provider.testing.exports.text import enclosed

_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPES = {"int": "integer", "double": "double", "boolean": "boolean", "date": "date", "datetime": "dateTime"}


def _names(export: Export) -> tuple[str, str]:
    dataset = quote(export.dataset_id)
    return f"{export.base}/ld/resources/{dataset}/", f"{export.base}/ld/ontologies/{dataset}/"


def _numbered(export: Export, cursor: Any) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    number = 0
    for records in export.records(cursor):
        yield list(enumerate(records, start=number))
        number += len(records)


def _types(export: Export) -> dict[str, str | None]:
    # A date that is cut to its year or month is no xsd:date.
    return {column.key: None if column.precision else _TYPES.get(column.type) for column in export.named()}


def n3(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield one statement per line."""
    resources, properties = _names(export)
    types = _types(export)
    yield f"@prefix xsd: <{_XSD}> .\n".encode()
    for numbered in _numbered(export, cursor):
        lines = []
        for number, record in numbered:
            for name, value in _cells(record):
                literal = json.dumps(plain_text(value), ensure_ascii=False)
                kind = f"^^xsd:{types[name]}" if types[name] else ""
                lines.append(f"<{resources}{number}> <{properties}{quote(name, safe='')}> {literal}{kind} .\n")
        yield "".join(lines).encode()


def _cells(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield name, one


def rdfxml(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield RDF/XML: a description for each row."""
    resources, properties = _names(export)
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns:f="{properties}">'
    ).encode()
    for numbered in _numbered(export, cursor):
        made = []
        for number, record in numbered:
            cells = "".join(
                f"<f:{xml_name(name)}>{xml_text(value)}</f:{xml_name(name)}>" for name, value in _cells(record)
            )
            made.append(f'<rdf:Description rdf:about="{resources}{number}">{cells}</rdf:Description>\n')
        yield "".join(made).encode()
    yield b"</rdf:RDF>\n"


def jsonld(export: Export, cursor: Any) -> Iterator[bytes]:
    """Yield JSON-LD: a graph of one node for each row."""
    resources, properties = _names(export)
    nodes = (
        [json.dumps({"@id": f"{resources}{number}", **record}, ensure_ascii=False) for number, record in numbered]
        for numbered in _numbered(export, cursor)
    )
    return enclosed(f'{{"@context": {{"@vocab": "{properties}"}}, "@graph": [', ", ", "]}", nodes)
