"""Where a value of metadata stands, however its name is typed, and what the portal says of it.

Portals differ in where the same thing stands (``default`` or ``asset``; a licence or a theme in ``default`` or in
``internal``) and in how names of templates of their own are written (``data-owner`` where people type ``data_owner``).
A name is read in every spelling and written where the portal shows it.

Source: Automation API v1.0, metadata, metadata templates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsNotFound
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.plans.automation.calls import Object, as_object
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.wire import Plan

STANDARD = ("default", "asset")
_BESIDE = {"license_id": ("default", "asset", "internal"), "theme_id": ("default", "asset", "internal")}
_OWN = "internal"  # where licence and theme stand by the vendor's description
# The vendor's own, which every dataset has, whether or not a portal describes them among its templates.
_EVERYWHERE = frozenset({*STANDARD, _OWN, "visualization", "asset_content_configuration"})
Whole = dict[str, dict[str, Object]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value goes.

    Attributes:
        at: Template and field, as the portal spells them.
        before: What is there: ``{value, remote_value?, override_remote_value?}``, empty where nothing is.
        type: The field's type as the portal describes it, None where that was not asked or is not told.
    """

    at: tuple[str, str]
    before: Mapping[str, Any]
    type: str | None = None


class Descriptions:
    """What the portal says of its templates; each is asked for once.

    Args:
        found: All metadata of the dataset, in the portal's spelling.

    Attributes:
        refused: Whether it says nothing to this key.
    """

    def __init__(self, found: Whole) -> None:
        self._found = found
        self._fields: dict[str, dict[str, Object] | None] = {}
        self.refused = False

    def fields(self, template: str) -> Plan[dict[str, Object] | None]:
        """Return the fields of a template by their names, None where it has no description. One call at first."""
        if template not in self._fields:
            self._fields[template] = yield from self._asked(template)
        return self._fields[template]

    def type_of(self, name: str, place: Place) -> Plan[str | None]:
        """Return the type that a field is described with, None where nobody says.

        Raises:
            OdsConfigError: There is no such template, or no such field of it; the message has the near ones.
        """
        template, field = place.at
        fields = yield from self.fields(template)
        if fields and field in fields:
            told = fields[field].get("type")
            return told if isinstance(told, str) else None
        if place.before:
            return None  # not described, and there
        if fields:
            raise _unknown(name, "field", field, {*fields, *self._found.get(template, {})}, of=f" of {template}")
        if self.refused or template in self._found or template in _EVERYWHERE:
            return None
        known = {str(each.get("name")) for each in (yield from every("metadata", "templates"))}
        if template not in known:
            raise _unknown(name, "template", template, known | self._found.keys() | _EVERYWHERE)
        return None

    def _asked(self, template: str) -> Plan[dict[str, Object] | None]:
        for each in (template, *(other for other in STANDARD if template in STANDARD and other != template)):
            try:
                told = yield from every("metadata", "templates", each, "fields")
            except OdsNotFound:
                continue
            except OdsAuthError as error:
                if error.status != 403:
                    raise  # a page to log in at, say: the next call would see no more of the portal
                self.refused = True
                return None
            return {str(field.get("name")): field for field in told}
        return None


def placed(name: str, found: Whole, descriptions: Descriptions) -> Plan[Place]:
    """Return where a value stands, or goes where the dataset has it not yet. At most one call.

    Raises:
        OdsConfigError: The name has no template.
    """
    at = located(found, *parted(name))
    if at is None:
        return Place((yield from _new_place(found, *parted(name), descriptions)), {})
    return Place(at, as_object(found[at[0]][at[1]], what=f"metadata {name}"))


def parted(name: str) -> tuple[str, str]:
    """Return the template and the field of a name.

    Raises:
        OdsConfigError: It has not both.
    """
    head, _, field = name.strip().partition(".")
    if not head or not field:
        raise OdsConfigError(
            f"{name!r} names no value",
            where="argument metadata",
            advice="Write it as default.title: where it stands, a dot, and the field",
        )
    return head, field


def spelled(found: Iterable[str], name: str) -> str:
    """Return how the portal calls a template."""
    there = set(found)
    if name in there or name not in STANDARD:
        return name
    return next((other for other in STANDARD if other in there), name)


def located(found: Whole, head: str, field: str) -> tuple[str, str] | None:
    """Return where a value stands, however it was typed; None where the dataset has none."""
    heads = STANDARD if head in STANDARD else (head,)
    if head in (*STANDARD, _OWN):
        heads = (*heads, *(each for each in _BESIDE.get(field, ()) if each not in heads))
    for at in heads:
        for each in _spellings(field):
            if each in found.get(at, {}):
                return at, each
    return None


def _spellings(field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((field, field.replace("_", "-"), field.replace("-", "_"))))


def _new_place(found: Whole, head: str, field: str, descriptions: Descriptions) -> Plan[tuple[str, str]]:
    """Return where a value goes that the dataset has not yet: as its template's description spells it."""
    if field in _BESIDE and head in (*STANDARD, _OWN):
        return _OWN, field
    if head in STANDARD:
        return spelled(found, head), field
    if len(_spellings(field)) == 1:
        return head, field
    known = yield from descriptions.fields(head)
    if not known and head == "custom":
        return head, field.replace("_", "-")
    return head, next((each for each in _spellings(field) if each in (known or ())), field)


def _unknown(name: str, what: str, given: str, known: Iterable[str], *, of: str = "") -> OdsConfigError:
    near = nearest(given, sorted(known))
    advice = f"Did you mean {listed(near)}?" if near else f"There are {', '.join(sorted(known)[:20])}"
    return OdsConfigError(f"{name}: there is no {what} {given!r}{of}", where="argument metadata", advice=advice)
