"""Metadata: whole, by template, by field; and the templates of the portal.

Source: Automation API v1.0, metadata.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ods_provider.testing.automation.calls import Call, Entry, page
from ods_provider.testing.automation.datasets import ONE
from ods_provider.testing.backoffice import templates
from ods_provider.testing.backoffice.trouble import not_found

ALL = f"{ONE}metadata/"
TEMPLATE = f"{ALL}{{template}}/"
FIELD = f"{TEMPLATE}{{field}}/"


def table() -> list[Entry]:
    """Return the calls."""
    return [
        Entry("GET", ALL, "read", lambda call: call.draft.metadata.as_json(call.office.switches.template)),
        Entry("PUT", ALL, "write", _replace),
        Entry("GET", TEMPLATE, "read", lambda call: call.draft.metadata.template(call.named("template"))),
        Entry("PUT", TEMPLATE, "write", _replace_template),
        Entry("GET", FIELD, "read", _field),
        Entry("PUT", FIELD, "write", _set),
        Entry("DELETE", FIELD, "write", _delete),
        Entry("GET", "/metadata/templates/", "tools", _templates),
        Entry("GET", "/metadata/templates/{template}/fields/", "tools", _fields),
        Entry("GET", "/metadata/templates/{template}/fields/{field}/suggest/", "tools", _suggest),
    ]


def _replace(call: Call) -> Any:
    made = deepcopy(call.draft.metadata)
    made.replace(call.given, overrides=call.office.switches.value_overrides)
    call.draft.metadata = made
    call.touched()
    return made.as_json(call.office.switches.template)


def _replace_template(call: Call) -> Any:
    made = deepcopy(call.draft.metadata)
    made.replace_template(call.named("template"), call.given, overrides=call.office.switches.value_overrides)
    call.draft.metadata = made
    call.touched()
    return made.template(call.named("template"))


def _field(call: Call) -> Any:
    return call.draft.metadata.field(call.named("template"), call.named("field"))


def _set(call: Call) -> Any:
    overrides = call.office.switches.value_overrides
    call.draft.metadata.set(call.named("template"), call.named("field"), call.given, overrides=overrides)
    call.touched()
    return _field(call)


def _delete(call: Call) -> None:
    call.draft.metadata.delete(call.named("template"), call.named("field"))
    call.touched()


def _templates(call: Call) -> Any:
    return page(call, templates.templates(), _itself)


def _fields(call: Call) -> Any:
    known = templates.fields(call.named("template"))
    if known is None:
        raise not_found("Template")
    return page(call, known, _itself)


def _itself(one: dict[str, Any]) -> dict[str, Any]:
    return one


def _suggest(call: Call) -> Any:
    query = (call.asked("query") or "").lower()
    known = templates.LICENSES if call.named("field") == "license_id" else {}
    return [{"value": key, "label": label} for key, label in known.items() if query in label.lower() or query in key]
