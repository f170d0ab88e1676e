"""Users, groups and keys of a portal, to be read.

Source: Automation API v1.0, users, groups, keys.
"""

from __future__ import annotations

from typing import Any

from ods_provider.core.plans.automation.calls import Object, get
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.redact import MASK
from ods_provider.core.wire import Params, Plan


def users(*, search: str | None = None) -> Plan[list[Object]]:
    """Return the users of the portal, or those that a text finds."""
    params: Params = (("search", search),) if search else ()
    return every("users", params=params)


def user(username: str) -> Plan[Object]:
    """Return one user. One call."""
    return get("users", username, what="user")


def groups() -> Plan[list[Object]]:
    """Return the groups of the portal."""
    return every("groups")


def group(uid: str) -> Plan[Object]:
    """Return one group. One call."""
    return get("groups", uid, what="group")


def members(uid: str) -> Plan[list[Object]]:
    """Return the users of a group: ``[{username}]``."""
    return every("groups", uid, "users")


def keys() -> Plan[list[Object]]:
    """Return the keys of whom the connection's key belongs to: what each may do, and never how it reads."""
    found = yield from every("apikeys")
    # Under this name alone nothing is known as a credential: fields of data are called so too.
    return [_hidden(each) for each in found]


def _hidden(key: dict[str, Any]) -> Object:
    return key | {"key": MASK} if key.get("key") else key
