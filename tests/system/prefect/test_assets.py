"""What tasks read and wrote, as assets on a real server."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.request import Request, urlopen

import pytest
from prefect import flow
from prefect.assets import materialize

from ods_provider.schedulers.prefect import OdsCredentials, ods_download, ods_load, ods_push, ods_search

API_KEY, PUSH_KEY = "k3y-that-nobody-may-read", "pu5h-k3y-that-nobody-may-read"


@pytest.fixture(scope="module")
def portal():
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(api_key=API_KEY, push_key=PUSH_KEY) as portal:
        yield portal


@pytest.fixture
def credentials(server, portal) -> OdsCredentials:
    portal.reset()
    return OdsCredentials(host=portal.url, api_key=API_KEY, push_api_key=PUSH_KEY)


def events(server, about: str) -> list[dict[str, Any]]:
    """Return the asset events of one asset, once there are some; they arrive some seconds late."""
    body = json.dumps({"filter": {"event": {"prefix": ["prefect.asset"]}}, "limit": 50}).encode()
    until = time.monotonic() + 120
    while time.monotonic() < until:
        asked = Request(f"{server.url}/events/filter", body, {"Content-Type": "application/json"})
        with urlopen(asked, timeout=30) as answer:
            found = [
                each for each in json.load(answer)["events"] if each["resource"]["prefect.resource.id"].endswith(about)
            ]
        if found:
            return found
        time.sleep(1)
    raise AssertionError(f"nothing was told of {about}")


def related(event: dict[str, Any]) -> set[str]:
    return {each["prefect.resource.id"] for each in event["related"]}


def test_a_download_is_made_of_its_dataset_with_rows_and_no_key(server, credentials, portal, tmp_path):
    path = tmp_path / "cities é.csv"

    @flow
    def brings():
        return ods_download("world-capitals", path, format="csv", credentials=credentials)

    assert brings()["rows"] == 110
    (made,) = events(server, "/cities_é.csv")
    assert made["event"] == "prefect.asset.materialization.succeeded"
    assert made["resource"]["prefect.resource.name"] == f"file://{path}"
    assert (made["payload"]["rows"], made["payload"]["verified"]) == (110, "counted")
    host = portal.url.partition("://")[2]
    assert {f"ods://{host}/world-capitals", "ods-provider"} <= related(made)
    (read,) = {each["event"] for each in events(server, f"{host}/world-capitals")}
    assert read == "prefect.asset.referenced"
    assert API_KEY not in json.dumps(made)


def test_a_table_and_a_dataset_are_assets_too(server, credentials, portal, tmp_path):
    @flow
    def sends():
        ods_load("world-capitals", "capitals", f"duckdb:///{tmp_path}/city.duckdb", credentials=credentials)
        ods_push("live-readings", "realtime", [{"sensor_id": "a", "value": 1.0}], credentials=credentials)

    sends()
    assert events(server, f"{tmp_path}/city.duckdb/capitals")[0]["payload"]["rows"] == 110
    (pushed,) = events(server, f"{portal.url.partition('://')[2]}/live-readings")
    assert (pushed["event"], pushed["payload"]["rows"]) == ("prefect.asset.materialization.succeeded", 1)
    assert PUSH_KEY not in json.dumps(pushed)


def test_an_asset_that_the_caller_names_is_told_in_place_of_the_file(server, credentials, tmp_path):
    @flow
    def named():
        bring = ods_download.with_options(name="bring", task_run_name="bring")
        lake = materialize("lake://capitals-named")(bring.fn)
        lake("world-capitals", tmp_path / "named.csv", format="csv", credentials=credentials)

    named()
    (made,) = events(server, "lake://capitals-named")
    assert made["payload"]["rows"] == 110


def test_what_only_reads_makes_nothing(server, credentials, portal):
    @flow
    def reads_and_brings(path):
        ods_search("all-types", limit=1, credentials=credentials)
        ods_download("all-types", path, format="csv", credentials=credentials)

    reads_and_brings(server.home / "types.csv")
    assert len(events(server, "/types.csv")) == 1
    read = events(server, f"{portal.url.partition('://')[2]}/all-types")
    assert {each["event"] for each in read} == {"prefect.asset.referenced"}
