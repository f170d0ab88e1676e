"""``client.automation``, by subject."""

from __future__ import annotations

from functools import cached_property

from ods_provider.client.automation.datasets import Datasets
from ods_provider.client.automation.files import AlternativeExports, Attachments, Images
from ods_provider.client.automation.harvesters import Harvesters
from ods_provider.client.automation.lists import Entries, Processors
from ods_provider.client.automation.metadata import Metadata
from ods_provider.client.automation.office import Office, Portal
from ods_provider.client.automation.people import Groups, Keys, Users
from ods_provider.client.automation.resources import Resources
from ods_provider.client.automation.security import Security


class AutomationClient:
    """The Automation API of a portal. The connection's API key needs the permissions of what it does.

    A dataset is named by its ``dataset_id`` or its uid (``da_…``) throughout. Values are the portal's JSON as dicts,
    with whatever keys it has, and without credentials. What adds something is sent once: after a lost answer the
    portal is looked at before it is sent again.

    Args:
        portal: The client, whose connections, rules and end it shares.
    """

    def __init__(self, portal: Portal) -> None:
        self._office = Office(portal)
        self._portal = portal

    def __repr__(self) -> str:
        return f"{self._portal!r}.automation"

    @cached_property
    def datasets(self) -> Datasets:
        """Datasets: list, make, change, publish, wait, versions."""
        return Datasets(self._office)

    @cached_property
    def metadata(self) -> Metadata:
        """Metadata: whole, by template, by field."""
        return Metadata(self._office)

    @cached_property
    def resources(self) -> Resources:
        """Resources, uploaded files, previews, push keys."""
        return Resources(self._office)

    @cached_property
    def fields(self) -> Entries:
        """Field configurations: names, types, labels, descriptions, annotations."""
        return Entries(self._office, "fields")

    @cached_property
    def processors(self) -> Processors:
        """Processors."""
        return Processors(self._office)

    @cached_property
    def schedules(self) -> Entries:
        """Schedules, at which remote sources are read again."""
        return Entries(self._office, "schedules")

    @cached_property
    def security(self) -> Security:
        """Rules for users and groups."""
        return Security(self._office)

    @cached_property
    def attachments(self) -> Attachments:
        """Attachments."""
        return Attachments(self._office)

    @cached_property
    def alternative_exports(self) -> AlternativeExports:
        """Files that are offered beside the exports."""
        return AlternativeExports(self._office)

    @cached_property
    def images(self) -> Images:
        """Images of the portal."""
        return Images(self._office)

    @cached_property
    def harvesters(self) -> Harvesters:
        """Harvesters."""
        return Harvesters(self._office)

    @cached_property
    def users(self) -> Users:
        """Users, to be read."""
        return Users(self._office)

    @cached_property
    def groups(self) -> Groups:
        """Groups, to be read."""
        return Groups(self._office)

    @cached_property
    def keys(self) -> Keys:
        """API keys, to be read."""
        return Keys(self._office)
