"""A source looked at before it is published: previews, and guesses of what it is.

Source: Automation API v1.0, resources (preview, guess_extractors, guess_extractor_params), extractors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ods_provider.testing.automation.calls import Call, Entry
from ods_provider.testing.automation.resources import ALL, RESOURCE, checked, found_resource
from ods_provider.testing.backoffice.draft import Resource, uid
from ods_provider.testing.backoffice.extraction import csvfile, sources
from ods_provider.testing.backoffice.extraction.run import preview
from ods_provider.testing.backoffice.moments import moment
from ods_provider.testing.backoffice.trouble import ExtractionError, bad_request, not_found


def table() -> list[Entry]:
    """Return the calls."""
    return [
        Entry("POST", f"{ALL}preview/", "read", lambda call: _preview(call, checked(call))),
        Entry("POST", f"{ALL}guess_extractors/", "read", lambda call: _extractors(call, _guessable(call))),
        Entry("POST", f"{ALL}guess_extractor_params/", "read", lambda call: _params(call, _guessable(call))),
        Entry("GET", f"{RESOURCE}preview/", "read", lambda call: _preview(call, found_resource(call))),
        Entry("GET", f"{RESOURCE}guess_extractors/", "read", lambda call: _extractors(call, found_resource(call))),
        # Sic: the plural is in the description.
        Entry("GET", f"{RESOURCE}guess_extractors_params/", "read", lambda call: _params(call, found_resource(call))),
        Entry("GET", "/extractors/", "tools", lambda call: [_extractor(name) for name in sources.PARAMETERS]),
    ]


def _preview(call: Call, resource: Resource) -> Any:
    draft, works = call.draft, call.office.works
    source = works.source(draft, resource.type, resource.params, resource.datasource or {})
    recipe = replace(works.recipe(draft), sources=[source], processors=[], fields=[], base=None)
    try:
        with call.office.store.cursor() as cursor:
            columns, records = preview(recipe, cursor)
    except ExtractionError as error:
        raise bad_request(str(error)) from None
    fields = []
    for column in columns:
        notes = [{"name": name, "args": [value]} for name, value in column.annotations.items()]
        fields.append({"label": column.label, "name": column.name, "type": column.type, "annotations": notes})
    return {"fields": fields, "records": records}


def _guessable(call: Call) -> Resource:
    datasource = call.object().get("datasource")
    return Resource(uid("re"), "file", "", {}, datasource, moment(call.office.clock()))


def _guess(call: Call, resource: Resource) -> tuple[str, dict[str, Any]]:
    file_uid: Any = ((resource.datasource or {}).get("file") or {}).get("uid")
    file = call.draft.files.get(file_uid)
    if file is None:
        raise not_found("File")
    kind = sources.guess(file.path, file.filename)
    if kind == "xlsfile":
        return kind, {"sheet_no": 1, "headers_first_row": True, "first_row_no": 1}
    return kind, csvfile.guessed(file.path) if kind == "csvfile" else {}


def _extractors(call: Call, resource: Resource) -> Any:
    best, _ = _guess(call, resource)
    return [_extractor(best), *([] if best == "csvfile" else [_extractor("csvfile")])]


def _params(call: Call, resource: Resource) -> Any:
    kind, params = _guess(call, resource)
    return {"extractor": kind, "params": params}


def _extractor(name: str) -> dict[str, Any]:
    flags, numbers = ("headers_first_row", "doublequote", "extract_filename"), ("first_row_no", "sheet_no")
    return {
        "type": name,
        "label": sources.LABELS[name],
        "parameters": [
            {
                "type": "boolean" if one in flags else "int" if one in numbers else "string",
                "is_mandatory": False,
                "name": one,
                "label": one.replace("_", " ").capitalize(),
                "description": "",
            }
            for one in sources.PARAMETERS[name]
        ],
    }
