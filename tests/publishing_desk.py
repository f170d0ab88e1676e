"""A portal with a dataset of ours, and what publishes into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import API_KEY, Lab

from ods_provider import OdsClient
from ods_provider.jobs.publishfile import PublishFileJob
from ods_provider.testing.portal import LocalPortal

CSV = "name;n\na;1\nb;2\nc;3\n"


class Desk:
    """A portal with a dataset of ours, and files to publish."""

    def __init__(self, lab: Lab, portal: LocalPortal, folder: Path) -> None:
        self.lab, self.portal, self.folder = lab, portal, folder
        self.office: Any = portal.office
        with self.client() as client:
            metadata = {"default": {"title": {"value": "Mine"}}}
            self.uid = client.automation.datasets.create(metadata, dataset_id="mine", is_restricted=False)["uid"]

    def client(self) -> Any:
        return OdsClient(self.portal.url, api_key=API_KEY)

    def file(self, name: str = "a.csv", content: str | bytes = CSV) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def publish(self, path: Any = None, **given: Any) -> Any:
        given = {"lag_s": 1.5, "max_drop": None, **given}
        return self.lab.ended(PublishFileJob("mine", path, **given))

    def rows(self) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if not k.startswith("$")} for row in self.portal.rows("mine")]

    def resources(self) -> list[Any]:
        return self.office.drafts.find(self.uid).resources

    def posts(self, ending: str) -> int:
        # One that an earlier test gave up may come late, and finds nothing.
        posted = [call for call in self.portal.requests if call.method == "POST" and call.path.endswith(ending)]
        return sum(call.status != 404 for call in posted)
