"""Who sees a restricted dataset, what of it, and who may work at it: rules for users and for groups.

Source: Automation API v1.0, security.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ods_provider.core.errors import OdsNotFound
from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import Object, answered, as_object, call, get, put
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.wire import Plan

Whom = Literal["users", "groups"]
_NAMED: Mapping[Whom, tuple[str, str]] = {"users": ("user", "username"), "groups": ("group", "uid")}
_WHAT = "security rule"


def rules(uid: str, whom: Whom) -> Plan[list[Object]]:
    """Return the rules of a dataset: ``[{user | group, permissions, security}]``."""
    return every("datasets", uid, "security", whom)


def rule(uid: str, whom: Whom, name: str) -> Plan[Object]:
    """Return the rule for one user or group. One call."""
    return get("datasets", uid, "security", whom, name, what=_WHAT)


def rule_set(
    uid: str, whom: Whom, name: str, *, permissions: Sequence[str], security: Mapping[str, Any] | None = None
) -> Plan[Object]:
    """Make or replace the rule for one user or group, and return it. Two calls.

    Args:
        uid: Which dataset.
        whom: ``users`` or ``groups``.
        name: Username, or uid of the group.
        permissions: What it gives: explore_restricted_dataset, edit_dataset, publish_dataset, manage_dataset.
        security: What is seen: ``{is_data_visible, visible_fields, filter_query, api_calls_quota}``; all of it unless
            told.
    """
    who, named = _NAMED[whom]
    body = {"permissions": list(permissions), **({"security": dict(security)} if security is not None else {})}
    own = {**body, who: {named: name}}
    there = yield from _found(uid, whom, name)
    if there:
        return (yield from put("datasets", uid, "security", whom, name, json=own, what=_WHAT))
    made = yield from once.sent_once(
        lambda: answered(call("POST", "datasets", uid, "security", whom, json=own, once=True)),
        lambda: _found(uid, whom, name),
        before=(),
    )
    return as_object(made, what=_WHAT)


def rule_removed(uid: str, whom: Whom, name: str) -> Plan[None]:
    """Delete the rule for one user or group. One call."""
    return once.deleted("datasets", uid, "security", whom, name)


def _found(uid: str, whom: Whom, name: str) -> Plan[dict[Any, Object]]:
    try:
        return {name: (yield from rule(uid, whom, name))}
    except OdsNotFound:
        return {}
