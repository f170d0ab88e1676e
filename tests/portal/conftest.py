from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from ods_provider.testing.portal import LocalPortal

CATALOG = "/api/explore/v2.1/catalog"


class Ask:
    """A client of a few lines: what these tests send is seen here, and nothing of ours stands between."""

    def __init__(self, portal: LocalPortal) -> None:
        self.portal = portal
        self.session = requests.Session()

    def __call__(self, path: str = "", *, method: str = "GET", **sent: Any) -> requests.Response:
        return self.session.request(method, self.portal.url + path, timeout=20, **sent)

    def get(self, path: str, **params: Any) -> requests.Response:
        """Ask the catalogue's API."""
        return self(CATALOG + path, params=params)

    def whole(self, path: str, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, dataset: str = "world-capitals", **params: Any) -> list[dict[str, Any]]:
        return self.whole(f"/datasets/{dataset}/records", **params)["results"]

    def total(self, dataset: str = "world-capitals", **params: Any) -> int:
        found = self.whole(f"/datasets/{dataset}/records", limit=0, **params)
        assert found["results"] == []
        return found["total_count"]

    def names(self, **params: Any) -> list[str]:
        return [row["name"] for row in self.rows(select="name", limit=100, **params)]

    def one(self, select: str, **params: Any) -> Any:
        """The one value that a query gives."""
        (row,) = self.rows(select=f"{select} as it", limit=1, **params)
        return row["it"]

    def refused(self, path: str = "/datasets/world-capitals/records", **params: Any) -> tuple[int, str, str]:
        answer = self.get(path, **params)
        assert answer.status_code >= 400, answer.text
        body = answer.json()
        assert set(body) == {"error_code", "message"}
        return answer.status_code, body["error_code"], body["message"]

    def export(self, format: str, dataset: str = "world-capitals", **params: Any) -> requests.Response:
        answer = self.get(f"/datasets/{dataset}/exports/{format}", **params)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture
def ask(ods_portal: LocalPortal) -> Iterator[Ask]:
    asked = Ask(ods_portal)
    yield asked
    asked.session.close()


AUTOMATION = "/api/automation/v1.0"


class Edit:
    """An editor of a portal, in a few lines: calls of the Automation API, and a dataset of its own."""

    def __init__(self, ask: Ask, key: str = "demo-key") -> None:
        self.ask = ask
        self.office = ask.portal.office
        self._key = {"Authorization": f"Apikey {key}"}

    def call(self, method: str, path: str, **sent: Any) -> requests.Response:
        headers = {**self._key, **sent.pop("headers", {})}
        return self.ask(AUTOMATION + path, method=method, headers=headers, **sent)

    def done(self, method: str, path: str, status: int = 200, **sent: Any) -> Any:
        """The body of an answer, which must have this status."""
        answer = self.call(method, path, **sent)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, **sent: Any) -> tuple[int, str]:
        answer = self.call(method, path, **sent)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["error_code"]

    def of(self, dataset_id: str) -> str:
        """The address of a dataset."""
        (found,) = self.done("GET", "/datasets/", params={"dataset_id": dataset_id})["results"]
        return f"/datasets/{found['uid']}"

    def new(self, dataset_id: str = "mine", **given: Any) -> str:
        metadata = {"default": {"title": {"value": "Mine"}}}
        made = self.done("POST", "/datasets/", 201, json={"dataset_id": dataset_id, "metadata": metadata} | given)
        return f"/datasets/{made['uid']}"

    def upload(self, at: str, name: str, content: bytes | str) -> str:
        """The uid of an uploaded file."""
        uid: str = self.done("POST", f"{at}/resources/files/", 201, files={"file": (name, content)})["uid"]
        return uid

    def resource(self, at: str, name: str, content: bytes | str, type: str = "csvfile", **params: Any) -> str:
        """The uid of a new resource that holds a file."""
        datasource = {"type": "uploaded_file", "file": {"uid": self.upload(at, name, content)}}
        given = {"type": type, "title": name, "params": params, "datasource": datasource}
        uid: str = self.done("POST", f"{at}/resources/", 201, json=given)["uid"]
        return uid

    def publish(self, at: str, order: str = "publish") -> dict[str, Any]:
        """The status after an order was carried out."""
        self.done("POST", f"{at}/{order}/")
        self.office.settle()
        return self.status(at)

    def status(self, at: str) -> dict[str, Any]:
        told: dict[str, Any] = self.done("GET", f"{at}/status/")
        return told


@pytest.fixture
def edit(ask: Ask) -> Edit:
    return Edit(ask)


@pytest.fixture
def editor() -> Callable[[Ask], Edit]:
    """Makes an editor of another portal."""
    return Edit


@pytest.fixture
def another() -> Iterator[Callable[..., Ask]]:
    """Portals of other settings than the fixture's, and their clients."""
    started: list[Ask] = []

    def start(**settings: Any) -> Ask:
        portal = LocalPortal(**settings)
        portal.start()
        started.append(Ask(portal))
        return started[-1]

    yield start
    for asked in started:
        asked.session.close()
        asked.portal.stop()
