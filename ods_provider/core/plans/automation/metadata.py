"""Metadata of a dataset: whole, by template, and by field, whichever way a portal spells them.

Where a value stands is found in ``placing``, whether it differs in ``differing``.

Source: Automation API v1.0, metadata.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ods_provider.core.errors import OdsNotFound
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import Object, answered, as_object, call, put
from ods_provider.core.plans.automation.differing import difference, written
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.plans.automation.placing import STANDARD, Descriptions, Whole, located, parted, placed, spelled
from ods_provider.core.wire import Plan

_WHAT = "metadata"
_SHOWN = 20  # names in a message


def metadata(uid: str) -> Plan[Whole]:
    """Return all metadata of a dataset, template to field to ``{value, remote_value?, override_remote_value?}``.

    One call. The standard template is ``default`` whatever the portal calls it. The last two keys are there where the
    dataset was
    harvested: what its source says, and whether ``value`` holds in its place.
    """
    found = yield from whole(uid)
    return {"default" if name in STANDARD else name: fields for name, fields in found.items()}


def template(uid: str, name: str) -> Plan[dict[str, Object]]:
    """Return one template of a dataset's metadata, empty where nothing of it is filled. One call, as a rule."""
    found = yield from metadata(uid)
    return found.get(spelled(found, name), {})


def value(uid: str, name: str) -> Plan[Object]:
    """Return one value: ``{value, remote_value?, override_remote_value?}``. One call.

    Args:
        uid: Which dataset.
        name: Template and field: ``default.title``.

    Raises:
        OdsNotFound: The dataset has none.
    """
    found = yield from whole(uid)
    at = located(found, *parted(name))
    if at is None:
        raise OdsNotFound(
            "The dataset has no such value",
            status=404,
            where=f"metadata {name} of {uid}",
            advice="Names are such as default.title; read all metadata for those that are there",
        )
    return as_object(found[at[0]][at[1]], "value", what=f"metadata {name}")


def values(uid: str, names: Collection[str] = ()) -> Plan[dict[str, Object]]:
    """Return values by ``template.field``: all, or those that are named. One call.

    Args:
        uid: Which dataset.
        names: ``default.title``, or ``default`` for all of a template.

    Raises:
        OdsNotFound: The dataset has none of that name; the message has the near ones.
    """
    found = yield from whole(uid)
    told = {
        (template, field): (f"{'default' if template in STANDARD else template}.{field}", value)
        for template, fields in found.items()
        for field, value in fields.items()
    }
    chosen = list(told)
    if names:
        chosen = [at for name in names for at in _named(name, found, [each for each, _ in told.values()], uid)]
    return {told[at][0]: as_object(told[at][1], "value", what=f"metadata {told[at][0]}") for at in chosen}


def _named(name: str, found: Whole, known: list[str], uid: str) -> list[tuple[str, str]]:
    if "." not in name:
        at = spelled(found, name)
        if at in found:
            return [(at, field) for field in found[at]]
        known = [*{each.partition(".")[0]: None for each in known}]
    elif (one := located(found, *parted(name))) is not None:
        return [one]
    near = nearest(name, known)
    raise OdsNotFound(
        "The dataset has no such value",
        status=404,
        where=f"metadata {name} of {uid}",
        advice=f"Did you mean {listed(near)}?" if near else f"It has {', '.join(known[:_SHOWN])}",
    )


def changed(uid: str, values: Mapping[str, Any], *, override: bool | None = None) -> Plan[list[str]]:
    """Set values field by field, only those that differ, and return the names of those that did.

    Nothing else is touched, unlike a replacement of all, which would undo what others write meanwhile. It shows in
    Explore after ``publish`` or ``publish_metadata``. One call, and one for each value that differs.

    Args:
        uid: Which dataset.
        values: ``{"default.title": "Trees", "dcat.created": "2024-01-01"}``; a list is made of one value where the
            portal wants one; None takes the value back.
        override: Of a harvested dataset, whether the values hold in place of its source's: False gives the source's
            back. None says true for values that the source fills too, and nothing of others.

    Raises:
        OdsConfigError: A name has no template.
    """
    found = yield from whole(uid)
    descriptions, done = Descriptions(found), []
    for name, given in values.items():
        place = yield from placed(name, found, descriptions)
        change = difference(name, place, given, override=override)
        if change is not None:
            yield from written(uid, change)
            done.append(name)
    return done


def replaced(uid: str, values: Mapping[str, Any], *, template: str | None = None) -> Plan[Object]:
    """Put values in place of all metadata, or of all of one template: what is left out is gone.

    Read, change and replace undoes what others wrote in between: ``changed`` does not. Two calls.

    Args:
        uid: Which dataset.
        values: Template to field to ``{"value": …}``, or of one template field to ``{"value": …}``.
        template: Which template; None replaces all.
    """
    found = yield from whole(uid)
    if template is not None:
        return (yield from put("datasets", uid, "metadata", spelled(found, template), json=dict(values), what=_WHAT))
    body = {spelled(found, name): fields for name, fields in values.items()}
    return (yield from put("datasets", uid, "metadata", json=body, what=_WHAT))


def deleted(uid: str, name: str) -> Plan[None]:
    """Take a value back; of a harvested dataset the source's holds again. Two calls.

    Raises:
        OdsNotFound: The dataset has none.
    """
    found = yield from whole(uid)
    at = located(found, *parted(name)) or parted(name)
    yield from once.deleted("datasets", uid, "metadata", *at)


def templates() -> Plan[list[Object]]:
    """Return the templates of the portal: ``[{name, title, is_active, type}]``."""
    return every("metadata", "templates")


def template_fields(name: str) -> Plan[list[Object]]:
    """Return the fields of a template: ``[{name, label, type, choices, requirement_level}]``."""
    return every("metadata", "templates", name, "fields")


def suggested(template: str, field: str, query: str = "") -> Plan[list[Any]]:
    """Return values that the portal suggests for a field: ``[{value, label}]``. One call.

    Licences and themes have ids of their own on every portal; this finds one by its name.
    """
    params = (("query", query),)
    told = yield from answered(
        call("GET", "metadata", "templates", template, "fields", field, "suggest", params=params)
    )
    results = told if isinstance(told, list) else as_object(told, "results", what="suggestions")["results"]
    return list(results) if isinstance(results, list) else []


def whole(uid: str) -> Plan[Whole]:
    """Return all metadata of a dataset in the portal's own spelling. One call."""
    found = as_object((yield from answered(call("GET", "datasets", uid, "metadata"))), what=_WHAT)
    return {name: as_object(fields, what=f"metadata {name}") for name, fields in found.items()}
