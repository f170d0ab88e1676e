"""Assets: one spelling of each dataset, a dataset that is named once, and what events say of a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors
from airflow_task import context_of, run_task

from ods_provider.assets import ods_asset
from ods_provider.core.errors import OdsConfigError
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.job import OdsJobOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.sensors.looking import OdsLookingSensor


@pytest.mark.parametrize(
    "uri",
    [
        "ods://data.example.org/cities",
        "ODS://Data.Example.ORG/cities/",
        "ods://data.example.org:443/cities",
        "ods://data.example.org./cities",
        "ods://data%2Eexample.org/c%69ties",
    ],
)
def test_uris_that_mean_the_same_are_the_same(uri: str) -> None:
    assert Asset(uri=uri).uri == "ods://data.example.org/cities"


def test_what_differs_stays_apart() -> None:
    assert Asset(uri="ods://h:8080/Cities").uri == "ods://h:8080/Cities"
    assert Asset(uri="ods://my_conn@/cities").uri == "ods://my_conn@/cities"
    assert Asset(uri="ods://données.fr/x").uri == Asset(uri="ods://xn--donnes-eva.fr/x").uri


@pytest.mark.parametrize("uri", ["ods://key@h/x", "ods://h/a%2Fb", "ods://h:port/x", "ods://@/x", "ods://a%20b@/x"])
def test_a_uri_that_names_no_dataset_is_refused_without_its_key(uri: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Asset(uri=uri)


def test_a_dataset_is_named_once_and_its_host_never() -> None:
    cities = ods_asset("cities", ods_conn_id="portal")
    assert (cities.name, cities.uri) == ("ods://portal@/cities", "ods://portal@/cities")
    assert cities == ods_asset("cities", ods_conn_id="portal") != ods_asset("cities")
    (watcher,) = cities.watcher(poll_interval_s=5).watchers
    assert (
        watcher.trigger.serialize()[1] | {"dataset_id": "cities", "ods_conn_id": "portal"}
        == (watcher.trigger.serialize()[1])
    )
    with DAG("d", schedule=[cities]):
        read = OdsDownloadOperator(task_id="r", path="/x/c.csv", **cities.arguments)
        write = OdsPushOperator(task_id="w", resource_id="r", records=[], **cities.target)
    assert (read.dataset_id, read.ods_conn_id, read.inlets) == ("cities", "portal", [cities])
    assert (write.dataset_id, write.ods_conn_id, write.outlets) == ("cities", "portal", [cities])
    assert ods_asset("x", source="monitoring").arguments["source"] == "monitoring"


@pytest.mark.parametrize("bad", [{"dataset_id": ""}, {"source": "moon"}, {"ods_conn_id": "a b"}])
def test_a_bad_name_fails_where_the_dag_is_parsed(bad: dict[str, str]) -> None:
    with pytest.raises(OdsConfigError):
        ods_asset(**{"dataset_id": "cities"} | bad)


def test_declared_assets_hear_of_the_result(connect: Callable[..., None], ods_portal: Any, tmp_path: Path) -> None:
    files, capitals = AssetAlias("files"), Asset("capitals")
    task = OdsDownloadOperator(
        task_id="t", dataset_id="world-capitals", path=str(tmp_path / "c.parquet"), outlets=[capitals]
    )
    events = OutletEventAccessors()
    events[capitals].extra = {"rows": "the author's"}
    outcome = run_task(task, context_of(task, outlet_events=events))
    extra = events[capitals].extra
    assert extra["rows"] == "the author's"
    assert extra["sha256"] == outcome["sha256"]
    assert extra["moved"] is False
    assert {"size_bytes", "data_processed", "table", "dataset_id", "path"} <= set(extra)
    assert [each.uri for each in task.inlets] == [f"ods://127.0.0.1:{ods_portal.port}/world-capitals"]
    assert files not in task.outlets


def test_every_task_has_the_links_and_they_hold_no_key(
    connect: Callable[..., None], ods_portal: Any, tmp_path: Path
) -> None:
    names = {"Dataset on the portal", "API query", "File or table"}
    for base in (OdsJobOperator, OdsLookingSensor):
        assert {link.name for link in base.operator_extra_links} == names
    task = OdsDownloadOperator(task_id="t", dataset_id="world-capitals", path=str(tmp_path / "c.csv"))
    # Before it ran, and for a task whose connection is none.
    assert links_of(task)["API query"] == ""
    bad = OdsDownloadOperator(task_id="b", dataset_id="x", path="/x/c.csv", ods_conn_id="no_such")
    assert set(links_of(bad).values()) == {""}
    run_task(task, context_of(task))
    links = links_of(task)
    assert links["Dataset on the portal"] == f"{ods_portal.url}/explore/dataset/world-capitals/"
    assert "/world-capitals/exports/csv?" in links["API query"]
    assert links["File or table"] == ""
    assert ods_portal.api_key not in str(links)
    asked = len(ods_portal.requests)
    links_of(task)
    assert len(ods_portal.requests) == asked


def links_of(task: Any) -> dict[str, str]:
    return {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links}
