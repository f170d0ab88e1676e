"""Who sees a restricted dataset, and who works at one: ``client.automation.security``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.core.plans.automation import security
from ods_provider.core.plans.automation.security import Whom

Object = dict[str, Any]
Objects = list[Object]


class Rules:
    """Rules of datasets for users, or for groups. They show at the next publication at the latest.

    Args:
        office: Runs the plans.
        whom: ``users`` or ``groups``.
    """

    def __init__(self, office: Office, whom: Whom) -> None:
        self._office = office
        self._whom = whom

    def list(self, dataset: str) -> Objects:
        """Return the rules of a dataset: ``[{user | group, permissions, security}]``."""
        return self._office.on(dataset, lambda uid: security.rules(uid, self._whom))

    def get(self, dataset: str, name: str) -> Object:
        """Return the rule for one user (by username) or group (by uid)."""
        return self._office.on(dataset, lambda uid: security.rule(uid, self._whom, name))

    def set(
        self, dataset: str, name: str, *, permissions: Sequence[str], security: Mapping[str, Any] | None = None
    ) -> Object:
        """Make or replace the rule for one user or group, and return it.

        Args:
            dataset: Which.
            name: Username, or uid of the group.
            permissions: What it gives: ``explore_restricted_dataset``, ``edit_dataset``, ``publish_dataset``,
                ``manage_dataset``.
            security: What is seen: ``{is_data_visible, visible_fields, filter_query, …}``; all unless told.
        """
        return self._office.on(dataset, lambda uid: _set(uid, self._whom, name, permissions, security))

    def delete(self, dataset: str, name: str) -> None:
        """Delete the rule for one user or group."""
        self._office.on(dataset, lambda uid: security.rule_removed(uid, self._whom, name))


class Security:
    """Rules by whom they are for; whether a dataset is restricted at all is ``datasets.update(…, is_restricted=…)``.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self.users = Rules(office, "users")
        self.groups = Rules(office, "groups")


def _set(uid: str, whom: Whom, name: str, permissions: Sequence[str], seen: Mapping[str, Any] | None) -> Any:
    return security.rule_set(uid, whom, name, permissions=permissions, security=seen)
