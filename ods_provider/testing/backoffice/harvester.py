"""One harvester, and what it finds: remote datasets are here too, each a description and its rows.

Source: Automation API v1.0, harvesters (types, status, counters, errors).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ods_provider.testing.backoffice.draft import Draft
from ods_provider.testing.backoffice.moments import moment, spelled

TYPES = (
    "arcgis", "arcgis_opendata", "ckan", "csw", "datagouv", "datajson", "ftp", "ftp_csv", "ftp_with_meta_csv", "junar",
    "omi_node", "ods", "quandl", "socrata", "wfs",
)  # fmt: skip
READY = ("new", "idle")


@dataclass
class Remote:
    """A dataset of another portal; ``error`` where it cannot be harvested."""

    dataset_id: str
    metadata: dict[str, dict[str, Any]]
    rows: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None


@dataclass
class Harvester:
    """One harvester.

    Attributes:
        ends_at: When its present status ends; None: it lasts until a step, or for good.
        fatal: Why its next run fails as a whole.
    """

    uid: str
    name: str
    type: str
    created_at: float
    settings: dict[str, Any] = field(default_factory=dict)
    status: str = "new"
    since: float = 0.0
    order: str | None = None
    ends_at: float | None = None
    remotes: list[Remote] = field(default_factory=list)
    attached: dict[str, str] = field(default_factory=dict)  # remote id to uid
    errors: dict[str, str] = field(default_factory=dict)
    fatal: str | None = None
    failed: str | None = None
    last_started_at: float | None = None
    last_success_at: float | None = None

    def as_json(self, made: list[Draft]) -> dict[str, Any]:
        """Return the harvester as the API shows it; secrets among its settings are not shown.

        Args:
            made: The datasets that it made and that are still there.
        """
        hidden = {name: None for name in self.settings if name in ("password", "api_key")}
        return {
            "uid": self.uid,
            "name": self.name,
            "type": self.type,
            "restrict_datasets_visibility": False,
            "delete_missing_datasets": False,
            "forced_metas": None,
            **self.settings,
            **hidden,
            "status": self.status,
            "remote_datasets_count": len(self.remotes),
            "harvested_datasets_count": len(self.attached),
            "published_datasets_count": sum(draft.status.is_published for draft in made),
            "attached_datasets_count": len(made),
            "has_error": self.failed is not None,
            "resource_errors_count": len(self.errors),
            "created_at": spelled(moment(self.created_at)),
            "last_started_at": self.last_started_at and spelled(moment(self.last_started_at)),
            "last_success_at": self.last_success_at and spelled(moment(self.last_success_at)),
        }

    def told_errors(self) -> dict[str, Any]:
        """Return what went wrong in the last run."""
        return {"harvester": self.failed, "resources": dict(self.errors)}


GARDENS: list[dict[str, Any]] = [
    {
        "dataset_id": "town-gardens",
        "metadata": {
            "default": {"title": "Gardens of the town", "language": "en", "keyword": ["garden"], "publisher": "Town"},
            "internal": {"license_id": "ccby40"},
        },
        "rows": [{"name": f"Garden {number}", "area_m2": number * 120} for number in range(1, 6)],
    },
    {
        "dataset_id": "town-benches",
        "metadata": {"default": {"title": "Benches of the town", "language": "en"}},
        "rows": [{"bench": number, "place": f"4{number}.5, 7.{number}"} for number in range(1, 8)],
    },
]
