"""Field configurations: a list of steps that turn the fields of a source into those of the dataset, in order.

Source: Automation API v1.0, field configurations. A step that names no field of the dataset does nothing, silently: so
portals do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ods_provider.testing.backoffice.extraction.raw import RawField
from ods_provider.testing.schema import Column

TYPES = ("rename", "type", "description", "annotate", "order", "delete")


@dataclass
class Configured:
    """A field on its way: where it comes from, and what is known of it."""

    source: str
    name: str
    label: str
    type: str | None = None
    typed_by: str | None = None
    description: str | None = None
    annotations: dict[str, Any] = field(default_factory=dict)

    def column(self, inferred: str) -> Column:
        """Return the field of the dataset; ``inferred`` is its type unless one was given."""
        return Column(self.name, self.type or inferred, self.label, self.description, self.annotations)


def configured(fields: Iterable[RawField], steps: Iterable[Mapping[str, Any]]) -> list[Configured]:
    """Return the fields of the dataset."""
    made = [_begun(one) for one in fields]
    for step in steps:
        kind = step.get("type")
        if kind == "order":
            # Two spellings of one setting are in use.
            wanted = list(step.get("order") or step.get("args") or [])
            made.sort(key=lambda one: wanted.index(one.name) if one.name in wanted else len(wanted))
            continue
        named = step.get("from_name") if kind == "rename" else step.get("field")
        found = next((one for one in made if one.name == named), None)
        if found is None:
            continue
        if kind == "delete":
            made.remove(found)
        else:
            _apply(found, step, [one.name for one in made])
    return made


def _begun(one: RawField) -> Configured:
    if one.described is None:
        return Configured(one.name, one.name, one.label)
    told = one.described
    return Configured(one.name, one.name, told.label or one.label, told.type, None, told.description,
                      dict(told.annotations))  # fmt: skip


def _apply(found: Configured, step: Mapping[str, Any], taken: list[str]) -> None:
    kind = step["type"]
    if kind == "rename":
        to = step.get("to_name") or found.name
        if to == found.name or to not in taken:
            found.name = to
        found.label = step.get("field_label") or (found.label if to == step.get("from_name") else to)
    elif kind == "type":
        found.type, found.typed_by = step["type_param"], step.get("uid")
    elif kind == "description":
        found.description = step.get("description")
    elif kind == "annotate":
        args = step.get("args") or []
        found.annotations[step["annotation"]] = args[0] if args else True
