"""Metadata of a dataset: templates of fields, each with a value, and a remote one where it was harvested.

Source: Automation API v1.0, metadata (template, field, value, remote_value, override_remote_value).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ods_provider.testing.backoffice.trouble import invalid, not_found

_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
LISTS = frozenset({"keyword", "theme", "theme_id", "attributions", "tags", "geographic_reference"})


@dataclass
class Value:
    """One value; ``has_remote`` where the source of a harvested dataset has one too."""

    value: Any = None
    remote_value: Any = None
    has_remote: bool = False
    override: bool = False

    @property
    def shown(self) -> Any:
        """What holds: the own value where it overrides, or where there is no other."""
        return self.remote_value if self.has_remote and not self.override else self.value

    def as_json(self) -> dict[str, Any]:
        """Return the value as the API shows it."""
        made: dict[str, Any] = {"value": self.shown}
        if self.has_remote:
            made |= {"remote_value": self.remote_value, "override_remote_value": self.override}
        return made


class Metadata:
    """All templates of one dataset.

    Args:
        values: Template to field to value.
        standard: How this portal calls the standard template, ``default`` or ``asset``.
    """

    def __init__(self, values: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._templates: dict[str, dict[str, Value]] = {}
        for template, fields in (values or {}).items():
            for name, value in fields.items():
                self._field(template, name).value = value

    def get(self, template: str, name: str) -> Any:
        """Return what holds, None where nothing does."""
        value = self._templates.get(_own(template), {}).get(name)
        return value.shown if value else None

    def set_own(self, template: str, name: str, value: Any) -> None:
        """Set a value that the portal itself keeps, such as ``modified``."""
        found = self._field(template, name)
        found.value, found.override = value, found.has_remote

    def set_remote(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Set what the source of a harvested dataset says now; values of its own stay."""
        for template, fields in values.items():
            for name, value in fields.items():
                found = self._field(template, name)
                found.remote_value, found.has_remote = value, True

    def shown(self) -> dict[str, dict[str, Any]]:
        """Return what holds, by template and field."""
        return {
            template: {name: value.shown for name, value in fields.items()}
            for template, fields in self._templates.items()
        }

    # What the API does

    def as_json(self, standard: str = "default") -> dict[str, Any]:
        """Return everything; ``standard`` is how the portal calls its standard template."""
        return {
            standard if template == "default" else template: {name: value.as_json() for name, value in fields.items()}
            for template, fields in self._templates.items()
        }

    def template(self, template: str) -> dict[str, Any]:
        """Return one template; one that nobody has filled is empty."""
        return {name: value.as_json() for name, value in self._templates.get(_own(template), {}).items()}

    def field(self, template: str, name: str) -> dict[str, Any]:
        """Return one value.

        Raises:
            Refused: 404, it has none.
        """
        value = self._templates.get(_own(template), {}).get(name)
        if value is None:
            raise not_found("Metadata")
        return value.as_json()

    def replace(self, given: Any, *, overrides: bool) -> None:
        """Put these templates in place of all there are: what is left out is gone.

        Raises:
            Refused: 400, it has another shape.
        """
        checked = {template: _checked_template(template, fields) for template, fields in _checked(given).items()}
        # Fields that a source fills stay, without a value of their own.
        remote = {
            name for name, fields in self._templates.items() if any(value.has_remote for value in fields.values())
        }
        for template in {_own(template) for template in checked} | remote | self._templates.keys():
            spelled = next((name for name in checked if _own(name) == template), None)
            self._replace(template, checked[spelled] if spelled else {}, overrides=overrides)

    def replace_template(self, template: str, given: Any, *, overrides: bool) -> None:
        """Put these fields in place of all that a template has.

        Raises:
            Refused: 400, it has another shape.
        """
        self._replace(_own(template), _checked_template(template, given), overrides=overrides)

    def _replace(self, template: str, fields: Mapping[str, Any], *, overrides: bool) -> None:
        for name in list(self._templates.get(template, {})):
            if name not in fields:
                self._drop(template, name)
        for name, given in fields.items():
            self.set(template, name, given, overrides=overrides)

    def set(self, template: str, name: str, given: Any, *, overrides: bool) -> None:
        """Set one value: ``{"value": …, "override_remote_value": …}``.

        Args:
            template: Which template.
            name: Which of its fields.
            given: The value's object.
            overrides: Whether a value without a flag overrides a harvested one.

        Raises:
            Refused: 400, it has another shape, or a list is due.
        """
        if not isinstance(given, dict) or "value" not in given:
            raise invalid({name: ["An object with a value is required"]})
        if not _NAME.match(template) or not _NAME.match(name):
            raise invalid({name: ["This name is not valid"]})
        value, flag = given["value"], given.get("override_remote_value")
        if name in LISTS and value is not None and not isinstance(value, list):
            raise invalid({name: ["A list is required"]})
        found = self._field(template, name)
        found.value = deepcopy(value)
        if found.has_remote:
            found.override = overrides if flag is None else bool(flag)
        if (_own(template), name) == ("default", "license_id"):
            # The portal itself copies it to where it keeps it.
            self.set_own("internal", name, deepcopy(value))

    def delete(self, template: str, name: str) -> None:
        """Take the own value back, so that the remote one holds where there is one.

        Raises:
            Refused: 404, there is none.
        """
        self.field(template, name)
        self._drop(_own(template), name)

    def _drop(self, template: str, name: str) -> None:
        found = self._templates[template][name]
        if found.has_remote:
            found.value, found.override = None, False
        else:
            del self._templates[template][name]
            if not self._templates[template]:
                del self._templates[template]

    def _field(self, template: str, name: str) -> Value:
        return self._templates.setdefault(_own(template), {}).setdefault(name, Value())


def _own(template: str) -> str:
    # Two spellings of one template are in use.
    return "default" if template == "asset" else template


def _checked(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise invalid({"metadata": ["An object of templates is required"]})
    return given


def _checked_template(template: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise invalid({template: ["An object of fields is required"]})
    return given
