"""Lists that hang on a dataset: field configurations, processors, schedules, rules of users and groups.

Source: Automation API v1.0, fields, processors, schedules, security; each is appended, and nothing moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ods_provider.testing.automation.calls import Call, Entry, page
from ods_provider.testing.automation.datasets import ONE
from ods_provider.testing.backoffice.draft import DEFAULT_SECURITY, uid
from ods_provider.testing.backoffice.extraction import configuring, processors
from ods_provider.testing.backoffice.extraction.casting import known
from ods_provider.testing.backoffice.trouble import Refused, invalid, not_found

RULES = ("explore_restricted_dataset", "edit_dataset", "publish_dataset", "manage_dataset")


@dataclass(frozen=True)
class Kept:
    """One list: where it is kept, what its items are called, and what is one."""

    path: str
    attribute: str
    right: str
    name: str
    made: Callable[[Mapping[str, Any], str | None], dict[str, Any]]
    uid_of: Callable[[Mapping[str, Any]], str]
    at_once: bool = False

    def entries(self) -> list[Entry]:
        """Return its calls."""
        one = f"{self.path}{{item_uid}}/"
        read = "security" if self.right == "security" else "read"
        return [
            Entry("GET", self.path, read, lambda call: page(call, self._items(call), deepcopy)),
            Entry("POST", self.path, self.right, self._create),
            Entry("GET", one, read, self._found),
            Entry("PUT", one, self.right, self._update),
            Entry("DELETE", one, self.right, self._delete),
        ]

    def _items(self, call: Call) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = getattr(call.draft, self.attribute)
        return items

    def _found(self, call: Call) -> dict[str, Any]:
        wanted = call.named("item_uid")
        for item in self._items(call):
            if self.uid_of(item) == wanted:
                return item
        raise not_found(self.name)

    def _create(self, call: Call) -> Any:
        made = self.made(call.object(), None)
        if any(self.uid_of(item) == self.uid_of(made) for item in self._items(call)):
            raise invalid({"user": ["There is a rule already"]})
        self._items(call).append(made)
        self._changed(call)
        return made, 201

    def _update(self, call: Call) -> Any:
        before = self._found(call)
        made = self.made(before | call.object(), self.uid_of(before))
        items = self._items(call)
        items[items.index(before)] = made
        self._changed(call)
        return made

    def _delete(self, call: Call) -> None:
        self._items(call).remove(self._found(call))
        self._changed(call)

    def _changed(self, call: Call) -> None:
        call.touched()
        if self.right == "security" and not call.office.switches.security_needs_publish:
            call.office.expose(call.draft)


def table() -> list[Entry]:
    """Return the calls."""
    kept = [
        Kept(f"{ONE}fields/", "fields", "write", "Field configuration", _field, _uid),
        Kept(f"{ONE}processors/", "processors", "write", "Processor", _processor, _uid),
        Kept(f"{ONE}schedules/", "schedules", "write", "Schedule", _schedule, _uid),
        Kept(f"{ONE}security/users/", "users", "security", "User", _user_rule, lambda rule: rule["user"]["username"]),
        Kept(f"{ONE}security/groups/", "groups", "security", "Group", _group_rule, lambda rule: rule["group"]["uid"]),
    ]
    entries = [entry for one in kept for entry in one.entries()]
    return [*entries, Entry("GET", "/processors/", "tools", _types)]


def _uid(item: Mapping[str, Any]) -> str:
    return str(item["uid"])


def _types(call: Call) -> Any:
    return [{"type": name, "label": name.replace("_", " ").capitalize(), "parameters": []} for name in processors.KNOWN]


def _field(given: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    kind = given.get("type")
    if kind not in configuring.TYPES:
        raise invalid({"type": [f"One of {', '.join(configuring.TYPES)} is required"]})
    needed = {
        "rename": ("from_name", "to_name"),
        "type": ("field", "type_param"),
        "description": ("field",),
        "annotate": ("field", "annotation"),
        "delete": ("field",),
    }.get(kind, ())
    missing = {name: ["This field is required"] for name in needed if not given.get(name)}
    if missing:
        raise invalid(missing)
    if kind == "type" and not known(given["type_param"]):
        raise invalid({"type_param": [f"{given['type_param']} is no type"]})
    return {"uid": own or uid("pr"), **_told(given)}


def _processor(given: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    if not isinstance(given.get("type"), str):
        raise invalid({"type": ["This field is required"]})
    return {"uid": own or uid("pr"), **_told(given)}


def _schedule(given: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    if len(str(given.get("cron_schedule") or "").split()) != 5:
        raise invalid({"cron_schedule": ["Five fields are required"]})
    return {"uid": own or uid("sc"), **_told(given)}


def _user_rule(given: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    return _rule(given, "user", "username")


def _group_rule(given: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    return _rule(given, "group", "uid")


def _rule(given: Mapping[str, Any], who: str, name: str) -> dict[str, Any]:
    if not isinstance(given.get(who), dict) or not given[who].get(name):
        raise invalid({who: ["This field is required"]})
    permissions = given.get("permissions") or []
    unknown = [one for one in permissions if one not in RULES]
    if unknown:
        raise Refused(400, "validation_error", "Invalid field value", detail={"permissions": [f"{unknown[0]}?"]})
    security = {**DEFAULT_SECURITY, **(given.get("security") or {})}
    return {who: {name: given[who][name]}, "permissions": list(permissions), "security": security}


def _told(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: deepcopy(value) for key, value in given.items() if key != "uid"}
