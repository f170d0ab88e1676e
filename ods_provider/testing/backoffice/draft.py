"""A dataset as its editors see it: what it is made of, whether or not anything of it is published.

Source: Automation API v1.0, datasets, resources, security, schedules, versions.
"""

from __future__ import annotations

import random
import string
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ods_provider.testing.backoffice.extraction.kept import Base
from ods_provider.testing.backoffice.metadata import Metadata
from ods_provider.testing.backoffice.moments import spelled
from ods_provider.testing.backoffice.status import Status
from ods_provider.testing.backoffice.uploads import UploadedFile

DEFAULT_SECURITY = {"is_data_visible": True, "visible_fields": None, "filter_query": "", "api_calls_quota": None}
VERSIONED = ("metadata", "resources", "fields", "processors")
MOST_VERSIONS = 20


def uid(prefix: str) -> str:
    """Return a new uid such as ``re_qf2hyt``."""
    letters = string.ascii_lowercase + string.digits
    return f"{prefix}_{''.join(random.choice(letters) for _ in range(6))}"


@dataclass
class Resource:
    """One source of a dataset's records."""

    uid: str
    type: str
    title: str
    params: dict[str, Any]
    datasource: dict[str, Any] | None
    updated_at: datetime
    push_key: str | None = field(default=None, repr=False)
    enabled: bool = True

    @property
    def realtime(self) -> bool:
        """Whether records come by pushes."""
        return self.type.startswith("realtime") or (self.datasource or {}).get("type") == "realtime"


@dataclass
class HungFile:
    """An attachment, or a file that is offered as an export."""

    uid: str
    file: UploadedFile
    title: str
    description: str | None = None
    elsewhere: bool = False  # whether another host keeps it


@dataclass
class Version:
    """The configuration as it was at one moment."""

    uid: str
    created_at: datetime
    created_by: str
    kept: dict[str, Any] = field(repr=False)


@dataclass
class Draft:
    """One dataset of the back office.

    Attributes:
        uid: Never changes.
        shown_as: The id under which it is published, None while it is not.
        seeded: Whether its rows came with the portal and stay while it has no resource.
        harvester: The one that made it.
        base: Where its rows are when it has no file to read them from.
    """

    uid: str
    dataset_id: str
    created_at: datetime
    updated_at: datetime
    metadata: Metadata
    status: Status
    is_restricted: bool = False
    default_security: dict[str, Any] = field(default_factory=lambda: deepcopy(DEFAULT_SECURITY))
    resources: list[Resource] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)
    processors: list[dict[str, Any]] = field(default_factory=list)
    schedules: list[dict[str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[HungFile] = field(default_factory=list)
    alternative_exports: list[HungFile] = field(default_factory=list)
    files: dict[str, UploadedFile] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    created_by: str | None = None
    updated_by: str | None = None
    shown_as: str | None = None
    base: Base | None = None
    seeded: bool = False
    harvester: str | None = None

    def as_json(self, standard: str = "default") -> dict[str, Any]:
        """Return the dataset as the API shows it; ``standard`` names its standard template."""
        return {
            "uid": self.uid,
            "dataset_id": self.dataset_id,
            "is_published": self.status.is_published,
            "is_restricted": self.is_restricted,
            "default_security": self.default_security,
            "created_at": spelled(self.created_at),
            "updated_at": spelled(self.updated_at),
            "created_by": self.created_by and {"username": self.created_by},
            "updated_by": self.updated_by and {"username": self.updated_by},
            "metadata": self.metadata.as_json(standard),
            "asset_type": "federated_dataset" if self.harvester else "dataset",
        }

    @property
    def realtime(self) -> Resource | None:
        """The resource that takes pushes, None where there is none."""
        return next((resource for resource in self.resources if resource.realtime), None)

    def permits(self, username: str, permission: str) -> bool:
        """Return whether a rule of this dataset gives a user that permission."""
        return any(
            rule["user"]["username"] == username and permission in rule.get("permissions", []) for rule in self.users
        )

    def save_version(self, at: datetime, by: str) -> None:
        """Keep the configuration as it stands; the oldest of more than twenty goes."""
        kept = {name: deepcopy(getattr(self, name)) for name in VERSIONED}
        self.versions.append(Version(uid("ch"), at, by, kept))
        del self.versions[:-MOST_VERSIONS]

    def restore(self, version: Version) -> None:
        """Put the configuration back as it was then; data, security and schedules stay."""
        for name in VERSIONED:
            setattr(self, name, deepcopy(version.kept[name]))
