"""Metadata: ``client.automation.metadata``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.core.plans.automation import metadata

Object = dict[str, Any]
Objects = list[Object]


class Metadata:
    """Metadata of datasets, and their templates.

    Values are named ``template.field``, such as ``default.title`` or ``custom.data_owner``. Where portals spell one
    thing in two ways (``default`` or ``asset``, ``data-owner`` or ``data_owner``, the licence in ``default`` or
    ``internal``), either is understood.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def all(self, dataset: str) -> dict[str, dict[str, Object]]:
        """Return all metadata: template to field to ``{value, remote_value?, override_remote_value?}``."""
        return self._office.on(dataset, metadata.metadata)

    def template(self, dataset: str, name: str) -> dict[str, Object]:
        """Return one template: field to its value's object, empty where nothing of it is filled."""
        return self._office.on(dataset, lambda uid: metadata.template(uid, name))

    def get(self, dataset: str, name: str) -> Object:
        """Return one value's object: ``{value, remote_value?, override_remote_value?}``.

        Raises:
            OdsNotFound: The dataset has none.
        """
        return self._office.on(dataset, lambda uid: metadata.value(uid, name))

    def set(self, dataset: str, values: Mapping[str, Any], *, override: bool | None = None) -> list[str]:
        """Set values one by one, only those that differ, and return the names of those that did.

        They show in Explore after ``datasets.publish_metadata`` or ``publish``.

        Args:
            dataset: Which.
            values: ``{"default.title": "Trees", "dcat.created": "2024-01-01"}``.
            override: Of a harvested dataset, whether the values hold in place of its source's; False gives the source's
                back. None says true for values that the source fills too.
        """
        return self._office.on(dataset, lambda uid: metadata.changed(uid, values, override=override))

    def replace(self, dataset: str, values: Mapping[str, Any], *, template: str | None = None) -> Object:
        """Put values in place of all metadata, or of one template: what is left out is gone. ``set`` touches less.

        Args:
            dataset: Which.
            values: Template to field to ``{"value": …}``; of one template field to ``{"value": …}``.
            template: Which template; None replaces all.
        """
        return self._office.on(dataset, lambda uid: metadata.replaced(uid, values, template=template))

    def delete(self, dataset: str, name: str) -> None:
        """Take a value back; of a harvested dataset the source's holds again."""
        self._office.on(dataset, lambda uid: metadata.deleted(uid, name))

    def templates(self) -> Objects:
        """Return the portal's templates: ``[{name, title, is_active, type}]``."""
        return self._office.run(metadata.templates())

    def fields(self, template: str) -> Objects:
        """Return the fields of a template: ``[{name, label, type, choices, requirement_level}]``."""
        return self._office.run(metadata.template_fields(template))

    def suggest(self, name: str, query: str = "") -> list[Any]:
        """Return what the portal suggests for a value: ``[{value, label}]``.

        Licences and themes have ids of their own on every portal: ``suggest("internal.license_id", "CC BY")`` tells
        them.
        """
        template, _, field = name.partition(".")
        return self._office.run(metadata.suggested(template, field, query))
