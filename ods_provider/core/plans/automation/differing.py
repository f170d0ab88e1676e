"""One value of metadata: whether it differs from what the portal has, and how it is written.

Source: Automation API v1.0, metadata by field (value, remote_value, override_remote_value).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ods_provider.core.metavalues import fitted, same
from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import put
from ods_provider.core.plans.automation.placing import Place
from ods_provider.core.wire import Plan

_FLAG = "override_remote_value"


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not as it was asked for.

    Attributes:
        name: As it was typed.
        old: The value that holds.
        new: The value that will; of one that is taken back the source's, or None.
        pinned: Whether somebody set ``old`` in place of what the dataset's source says.
        place: Where it stands.
        body: What is sent; None where the value is taken back.
    """

    name: str
    old: Any
    new: Any
    pinned: bool
    place: Place = field(repr=False)
    body: Mapping[str, Any] | None = field(repr=False)


def difference(name: str, place: Place, given: Any, *, override: bool | None = None) -> Difference | None:
    """Return how a value differs from what is asked for, None where it does not.

    Args:
        name: As it was typed.
        place: Where it stands.
        given: What it shall be; None takes it back.
        override: Whether it holds in place of the source's; None says true for values that the source fills too, and
            finds no difference where the source says the same.

    Raises:
        OdsConfigError: It is no value for that field.
    """
    before = place.before
    old, pinned = before.get("value"), before.get(_FLAG) is True
    new, kind = fitted(name, given, place.type, old)
    if new is None:
        theirs = _FLAG in before and not pinned
        if old is None or theirs:
            return None
        return Difference(name, old, before.get("remote_value"), pinned, place, None)
    # Without the flag nobody knows what becomes of a value that a source fills.
    flag = {_FLAG: True if override is None else override} if override is not None or _FLAG in before else {}
    if same(old, new, kind) and (override is None or before.get(_FLAG) == override):
        return None
    return Difference(name, old, new, pinned, place, {"value": new, **flag})


def written(uid: str, change: Difference) -> Plan[None]:
    """Write a value. One call, which may be repeated."""
    at = ("datasets", uid, "metadata", *change.place.at)
    if change.body is None:
        yield from once.deleted(*at)
    else:
        yield from put(*at, json=change.body, what="metadata")
