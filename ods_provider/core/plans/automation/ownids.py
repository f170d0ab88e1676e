"""Ids of licences and themes, which are each portal's own: one that it does not list is told before it is written.

Source: Automation API v1.0, suggestions for a field of a metadata template; that ``value`` is the id: our reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsNotFound, OdsQueryError
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.plans.automation.differing import Difference
from ods_provider.core.plans.automation.metadata import suggested
from ods_provider.core.wire import Plan

_FIELDS = ("license_id", "theme_id")
# As many may be a page of more: nothing is concluded from that.
_PAGES = frozenset({10, 20, 25, 50, 100, 1000})
_SHOWN = 10


def expect_listed(change: Difference) -> Plan[None]:
    """Check that the portal lists the ids of licences and themes that a change brings. Two calls at most for each.

    A portal that lists none to this key, or not certainly all, is believed to know what it is given.

    Raises:
        OdsConfigError: It lists others; the message has them.
    """
    template, field = change.place.at
    if field not in _FIELDS or change.body is None:
        return
    for given in change.new if isinstance(change.new, list) else [change.new]:
        yield from _expect_listed(change.name, template, field, str(given))


def _expect_listed(name: str, template: str, field: str, given: str) -> Plan[None]:
    try:
        if given in _by_id((yield from suggested(template, field, given))):
            return
        told = yield from suggested(template, field)
    except (OdsNotFound, OdsQueryError):
        return
    except OdsAuthError as error:
        if error.status != 403:
            raise
        return
    known = _by_id(told)
    if not known or given in known or len(told) in _PAGES:
        return
    meant = [one for one, label in known.items() if label.casefold() == given.casefold()] or nearest(given, known)
    there = ", ".join(f"{one} ({label})" if label else one for one, label in [*known.items()][:_SHOWN])
    raise OdsConfigError(
        f"{name}: the portal lists no {given!r}",
        where="argument metadata",
        advice=f"Did you mean {listed(meant)}?" if meant else f"There is {there}",
    )


def _by_id(told: Any) -> dict[str, str]:
    found = [one for one in told if isinstance(one, Mapping) and one.get("value") is not None]
    return {str(one["value"]): str(one.get("label") or "") for one in found}
