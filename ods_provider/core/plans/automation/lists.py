"""Lists that hang on a dataset and are applied in their order: field configurations, processors, schedules.

Each is appended, and nothing moves an entry: whoever wants another order deletes and adds again. A label of one's own
tells apart what a program added.

Source: Automation API v1.0, fields, processors, schedules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import Object, alike, answered, as_object, call, get, of_kind, put
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.redact import sealed
from ods_provider.core.wire import Plan

_ORDERS = ("args", "order")
Kind = Literal["fields", "processors", "schedules", "attachments", "alternative_exports"]


def entries(uid: str, kind: Kind) -> Plan[list[Object]]:
    """Return a list of a dataset, in the order in which it is applied."""
    return every("datasets", uid, kind)


def entry(uid: str, kind: Kind, entry_uid: str) -> Plan[Object]:
    """Return one entry. One call."""
    return get("datasets", uid, kind, entry_uid, what=kind)


def add(uid: str, kind: Kind, given: Mapping[str, Any]) -> Plan[Object]:
    """Add an entry at the end of a list, and return it."""
    body = sealed(given)
    del given
    if kind == "fields" and body.get("type") == "order":
        body = _as_shown(body, (yield from entries(uid, kind)))

    def look() -> Plan[Mapping[Any, Object]]:
        there = yield from entries(uid, kind)
        return {each.get("uid"): each for each in there if of_kind(each, body)}

    made = yield from once.sent_once(
        lambda: answered(call("POST", "datasets", uid, kind, json=body, once=True)),
        look,
        exactly=lambda each: alike(each, body),
    )
    return as_object(made, "uid", what=kind)


def change(uid: str, kind: Kind, entry_uid: str, given: Mapping[str, Any]) -> Plan[Object]:
    """Put an entry in place of another, which keeps its uid and its place. One call."""
    return put("datasets", uid, kind, entry_uid, json=dict(given), what=kind)


def remove(uid: str, kind: Kind, entry_uid: str) -> Plan[None]:
    """Delete an entry. One call."""
    return once.deleted("datasets", uid, kind, entry_uid)


def processor_types() -> Plan[list[Object]]:
    """Return the processors that the portal knows: ``[{type, label, parameters}]``."""
    return every("processors")


def extractor_types() -> Plan[list[Object]]:
    """Return the extractors that the portal knows: ``[{type, label, parameters}]``."""
    return every("extractors")


def _as_shown(body: Object, there: list[Object]) -> Object:
    """Return an order of fields with its list under the name that this portal shows: descriptions have two."""
    shown = [name for each in there if each.get("type") == "order" for name in _ORDERS if name in each]
    wanted = shown[0] if shown else None
    typed = next((name for name in _ORDERS if name in body), None)
    if wanted is None or typed in (None, wanted):
        return body
    return {wanted if key == typed else key: value for key, value in body.items()}
