"""Who works at a portal, to be read: ``client.automation.users``, ``.groups`` and ``.keys``."""

from __future__ import annotations

from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.core.plans.automation import people

Object = dict[str, Any]
Objects = list[Object]


class Users:
    """Users of the portal.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def list(self, *, search: str | None = None) -> Objects:
        """Return all users, or those that a text finds: ``[{username, email, permissions, groups, …}]``."""
        return self._office.run(people.users(search=search))

    def get(self, username: str) -> Object:
        """Return one."""
        return self._office.run(people.user(username))


class Groups:
    """Groups of users.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def list(self) -> Objects:
        """Return all groups: ``[{uid, title, permissions, …}]``."""
        return self._office.run(people.groups())

    def get(self, group: str) -> Object:
        """Return one, by its uid."""
        return self._office.run(people.group(group))

    def users(self, group: str) -> Objects:
        """Return the users of one: ``[{username}]``."""
        return self._office.run(people.members(group))


class Keys:
    """API keys of whom the connection's key belongs to.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def list(self) -> Objects:
        """Return what each may do, and never how it reads: ``[{uid, label, permissions, …}]``."""
        return self._office.run(people.keys())
