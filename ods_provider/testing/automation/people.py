"""Users, groups and keys over the wire: to be read; keys may be made and revoked too, which setting up a client does.

Source: Automation API v1.0, users, groups, keys.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from ods_provider.testing.automation.calls import Call, Entry, page
from ods_provider.testing.backoffice.people import as_json
from ods_provider.testing.backoffice.trouble import Refused, invalid, not_found
from ods_provider.testing.keyring import Key


def table() -> list[Entry]:
    """Return the calls."""
    one = "/apikeys/{key_uid}/"
    return [
        Entry("GET", "/users/", "people", lambda call: page(call, _users(call), dict)),
        Entry("GET", "/users/{username}/", "people", _user),
        Entry("GET", "/groups/", "people", lambda call: page(call, call.office.people.groups(), dict)),
        Entry("GET", "/groups/{group_uid}/", "people", _group),
        Entry("GET", "/groups/{group_uid}/users/", "people", _members),
        Entry("GET", "/apikeys/", "own", lambda call: page(call, call.office.people.keys(call.user), dict)),
        Entry("POST", "/apikeys/", "own", _create),
        Entry("GET", one, "own", lambda call: as_json(_key(call))),
        Entry("PUT", one, "own", _update),
        Entry("POST", f"{one}revoke/", "own", _revoke),
    ]


def _users(call: Call) -> list[dict[str, Any]]:
    search = (call.asked("search") or "").lower()
    return [user for user in call.office.people.users() if search in user["username"].lower()]


def _user(call: Call) -> Any:
    name = call.named("username")
    for user in call.office.people.users():
        if user["username"] == name:
            return user
    gaps = "Unknown username: {username}"
    raise Refused(
        404, "not_found", gaps.format(username=name), error_key="UnknownUsernameException", raw_message=gaps,
        raw_params={"username": name},
    )  # fmt: skip


def _group(call: Call) -> dict[str, Any]:
    for group in call.office.people.groups():
        if group["uid"] == call.named("group_uid"):
            return group
    raise not_found("Group")


def _members(call: Call) -> Any:
    group = _group(call)
    members = [user for user in call.office.people.users() if {"uid": group["uid"]} in user["groups"]]
    return page(call, members, lambda user: {"username": user["username"]})


def _key(call: Call) -> Key:
    for key in call.office.keyring.all():
        if key.uid == call.named("key_uid") and key.user == call.user:
            return key
    raise not_found("API key")


def _create(call: Call) -> Any:
    given = call.object()
    wanted = given.get("permissions") or []
    if not isinstance(wanted, list) or not set(wanted) <= call.permissions:
        # A key never exceeds the rights of its user.
        raise invalid({"permissions": ["These are not all yours"]})
    made = call.office.keyring.add(
        secrets.token_hex(28), wanted, label=str(given.get("label") or ""), user=call.user,
        uid=f"ak_{secrets.token_hex(3)}",
    )  # fmt: skip
    return {**as_json(made), "key": made.secret}, 201


def _update(call: Call) -> Any:
    key, given = _key(call), call.object()
    if not {"permissions", "label"} & given.keys():
        message = "'permissions' or 'label' must be provided to update an API key"
        raise Refused(400, "bad_request", message, error_key="PermissionsOrLabelMissingFromAPIKeyUpdateException")
    permissions = frozenset(given.get("permissions", key.permissions)) & call.permissions
    changed = replace(key, label=str(given.get("label", key.label)), permissions=permissions)
    call.office.keyring.change(key.uid, changed)
    return as_json(changed)


def _revoke(call: Call) -> Any:
    changed = replace(_key(call), revoked=True)
    call.office.keyring.change(changed.uid, changed)
    return as_json(changed)
