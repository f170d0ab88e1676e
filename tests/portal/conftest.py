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
