"""An editor's client, its portal, and a clock that lets the portal go on where the client waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ods_provider import OdsClient
from ods_provider.client.automation import AutomationClient
from ods_provider.testing.portal import LocalPortal

CSV = "name;n\na;1\nb;2\n"


@dataclass
class Desk:
    """An editor at work.

    Attributes:
        slept: How long it waited, each time; the portal goes on by one step meanwhile.
    """

    portal: LocalPortal
    client: OdsClient
    slept: list[float] = field(default_factory=list)

    @property
    def automation(self) -> AutomationClient:
        return self.client.automation

    @property
    def office(self) -> Any:
        return self.portal.office

    def new(self, dataset_id: str = "mine", **given: Any) -> str:
        """The uid of a new dataset."""
        metadata = {"default": {"title": {"value": "Mine"}}}
        return self.automation.datasets.create(metadata, dataset_id=dataset_id, **given)["uid"]

    def file(self, tmp_path: Any, name: str = "a.csv", content: str | bytes = CSV) -> Any:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def resource(self, uid: str, path: Any, **given: Any) -> str:
        """The uid of a new resource that holds a file."""
        file = self.automation.resources.upload(uid, path)
        source = {"type": "uploaded_file", "file": {"uid": file["uid"]}}
        resource = {"type": "csvfile", "title": path.name, "params": {"separator": ";"}, "datasource": source} | given
        return self.automation.resources.create(uid, resource)["uid"]

    def calls(self, method: str, ending: str = "") -> list[str]:
        """Paths of the calls of one method that the portal saw, whether or not anybody heard the answer."""
        found = [entry.path for entry in self.portal.requests if entry.method == method]
        return [path for path in found if path.endswith(ending)]


@pytest.fixture
def desk(ods_portal: LocalPortal) -> Iterator[Desk]:
    with _at(ods_portal) as made:
        yield made


@pytest.fixture
def timed() -> Iterator[Desk]:
    """The same at a portal on whose clock a wait takes its time, and on no other."""
    waited: list[float] = []
    with LocalPortal(clock=lambda: time.time() + sum(waited)) as portal, _at(portal, waited.append) as made:
        yield made


@contextmanager
def _at(portal: LocalPortal, passes: Callable[[float], None] = lambda _: None) -> Iterator[Desk]:
    def sleep(seconds: float) -> None:
        passes(seconds)
        made.slept.append(seconds)
        portal.office.step()

    with OdsClient(portal.url, api_key=portal.api_key, sleep=sleep) as client:
        made = Desk(portal, client)
        yield made
