"""Users and groups: read only, and made of who has a key.

Source: Automation API v1.0, users, groups, keys.
"""

from __future__ import annotations

from typing import Any

from ods_provider.testing.backoffice.moments import moment, spelled
from ods_provider.testing.keyring import ADMIN, Key, Keyring

GROUP = "publishers"


class People:
    """Who may work here.

    Args:
        keyring: The keys, each of a user.
        began: When the portal began, in seconds since the epoch.
    """

    def __init__(self, keyring: Keyring, began: float) -> None:
        self._keyring = keyring
        self._began = began

    def users(self) -> list[dict[str, Any]]:
        """Return every user with what a key of theirs may do."""
        names: dict[str, set[str]] = {}
        for key in self._keyring.all():
            names.setdefault(key.user, set()).update(key.permissions)
        return [
            {
                "username": name,
                "first_name": None,
                "last_name": None,
                "email": f"{name}@example.org",
                "is_active": True,
                "date_joined": spelled(moment(self._began)),
                "last_seen": None,
                "groups": [{"uid": GROUP}] if name == ADMIN else [],
                "permissions": sorted(permissions),
            }
            for name, permissions in names.items()
        ]

    def groups(self) -> list[dict[str, Any]]:
        """Return the one group there is."""
        return [
            {
                "uid": GROUP,
                "title": "Data publishers",
                "description": "Who may publish",
                "permissions": ["create_dataset", "edit_dataset", "publish_dataset"],
                "explore_limits": {"api_calls": {"limit": None, "unit": "day"}},
                "management_limits": None,
                "user_count": 1,
                "created_at": spelled(moment(self._began)),
            }
        ]

    def keys(self, username: str) -> list[dict[str, Any]]:
        """Return a user's keys, without what they read."""
        return [as_json(key) for key in self._keyring.all() if key.user == username]


def as_json(key: Key) -> dict[str, Any]:
    """Return a key as lists show it: the first letters only."""
    return {
        "uid": key.uid,
        "label": key.label,
        "permissions": sorted(key.permissions),
        "user": {"username": key.user},
        "is_revoked": key.revoked,
        "key": f"{key.secret[:2]}…",
    }
