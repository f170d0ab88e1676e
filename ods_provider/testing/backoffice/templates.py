"""The templates of metadata that this portal describes, their fields with their types, and its licences.

``visualization`` and ``asset_content_configuration`` are there without a description, as their fields are the vendor's.

Source: Automation API v1.0, metadata templates (types of templates and of fields).
"""

from __future__ import annotations

from typing import Any

LICENSES = {"ccby40": "CC BY 4.0", "cc0": "CC0 1.0", "odbl": "ODbL"}
_KINDS = {"default": "basic", "internal": "basic", "dcat": "interop", "custom": "extra"}
_FIELDS: dict[str, dict[str, str]] = {
    "default": {
        "title": "text",
        "description": "html",
        "keyword": "list",
        "theme": "list",
        "modified": "datetime",
        "modified_updates_on_metadata_change": "boolean",
        "modified_updates_on_data_change": "boolean",
        "language": "text",
        "timezone": "text",
        "geographic_reference": "list",
        "geographic_reference_auto": "boolean",
        "publisher": "text",
        "references": "text",
        "attributions": "list",
        "license": "text",
    },
    "internal": {"license_id": "enum", "theme_id": "enumlist", "draft": "boolean"},
    "dcat": {
        "created": "datetime",
        "issued": "date",
        "creator": "text",
        "contributor": "text",
        "contact_name": "text",
        "contact_email": "text",
        "accrualperiodicity": "uri_enum",
        "spatial": "text",
        "temporal": "text",
        "temporal_coverage_start": "datetime",
        "temporal_coverage_end": "datetime",
        "granularity": "text",
        "conforms_to": "text",
        "relation": "text",
    },
    "custom": {"tags": "list", "data-owner": "text", "inspected": "date", "trees-counted": "int"},
}


def templates() -> list[dict[str, Any]]:
    """Return the templates as the API shows them."""
    return [{"name": name, "title": name, "is_active": True, "type": _KINDS[name]} for name in _FIELDS]


def fields(template: str) -> list[dict[str, Any]] | None:
    """Return the fields of a template as the API shows them, None where it is not described."""
    known = _FIELDS.get("default" if template == "asset" else template)
    if known is None:
        return None
    return [
        {
            "name": name,
            "label": name.replace("_", " ").capitalize(),
            "type": type_,
            "requirement_level": "mandatory" if name == "title" else "optional",
        }
        for name, type_ in known.items()
    ]
