"""The monitoring source in Airflow: sensors, triggers, assets, and the archive of docs/recipes/monitoring.md."""

from __future__ import annotations

import asyncio
import copy
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.sdk.execution_time import macros
from airflow_task import Runs, context_of, run_task

from ods_provider.example_dags import ods_monitoring
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers.dataset import OdsDatasetEventTrigger, OdsDatasetUpdateTrigger
from ods_provider.triggers.together import together

LOG, STATISTICS = "ods-api-monitoring", "ods-datasets-monitoring"


def sensor(**more: Any) -> OdsDatasetUpdateSensor:
    return OdsDatasetUpdateSensor(task_id="updated", dataset_id=STATISTICS, **more)


def test_a_sensor_goes_on_with_a_trigger_that_looks_there_too(connect: Any, ods_portal: LocalPortal) -> None:
    seen = run_task(sensor(source="monitoring"))
    assert (seen["dataset_id"], seen["source"]) == (STATISTICS, "monitoring")
    with pytest.raises(TaskDeferred) as deferred:
        run_task(sensor(source="monitoring", since=seen))
    trigger: Any = deferred.value.trigger
    assert (trigger.source, trigger.serialize()[1]["source"]) == ("monitoring", "monitoring")
    trigger.first_at, trigger.poll_interval_s = None, 0.2
    ods_portal.touch("world-capitals")
    event = asyncio.run(anext(aiter(trigger.run())))
    assert event.payload["status"] == "updated"
    assert event.payload["result"]["source"] == "monitoring"
    assert {entry.path.split("/")[4] for entry in ods_portal.requests} == {"monitoring"}


def test_what_was_seen_of_a_namesake_in_the_catalogue_says_nothing(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.add_dataset(STATISTICS, {"published": "text"})
    here = run_task(sensor())
    assert "source" not in here
    there = sensor(source="monitoring")
    assert run_task(there, context_of(there, earlier=here))["source"] == "monitoring", "its first look"
    with pytest.raises(TaskDeferred):
        run_task(sensor(), context_of(sensor(), earlier=here))
    runs, task = Runs(), OdsSearchOperator(task_id="s", dataset_id=STATISTICS, source="{{ 'monitoring' }}", limit=1)
    assert runs.run(task, day=1)[0]["dataset_id"] in ods_portal.store.datasets


def test_triggers_of_two_sources_share_no_call(connect: Any, ods_portal: LocalPortal) -> None:
    ods_portal.add_dataset(STATISTICS, {"published": "text"}, [{"published": "on purpose"}])

    async def look() -> Any:
        async with AsyncExitStack() as stack:
            joined = [
                await stack.enter_async_context(together("ods_default", source))
                for source in ("catalog", "monitoring", "monitoring")
            ]
            assert joined[0] is not joined[1] is joined[2]
            wanted = (STATISTICS, STATISTICS, LOG)
            return await asyncio.gather(*(one.look(name) for one, name in zip(joined, wanted, strict=True)))

    catalog, monitoring, log = asyncio.run(look())
    assert (catalog.records_count, monitoring.records_count, log.dataset_id) == (1, len(ods_portal.store.datasets), LOG)
    asked = sorted(entry.path.removeprefix("/api/explore/v2.1") for entry in ods_portal.requests)
    assert asked == [f"/catalog/datasets/{STATISTICS}", "/monitoring/datasets"]


def test_a_trigger_of_the_catalogue_is_what_it_was() -> None:
    catalog = OdsDatasetEventTrigger(dataset_id=STATISTICS).serialize()[1]
    assert catalog == {"dataset_id": STATISTICS, "ods_conn_id": "ods_default", "what": "data", "poll_interval_s": 60.0}
    there = OdsDatasetEventTrigger(dataset_id=STATISTICS, source="monitoring").serialize()[1]
    assert there == catalog | {"source": "monitoring"}
    waiting = OdsDatasetUpdateTrigger(ods_conn_id="c", dataset_id="x", since=None).serialize()[1]
    assert "source" not in waiting


def test_an_asset_of_the_monitoring_source_has_a_form_of_its_own() -> None:
    uri = f"ods://data.example.org/monitoring/{LOG}"
    assert Asset(uri=f"ods://Data.Example.org/monitoring/{LOG}/").uri == uri
    assert Asset(uri=f"ods://data.example.org/{LOG}").uri != uri
    for wrong in ("ods://data.example.org/monitoring/a/b", "ods://data.example.org/other/a"):
        with pytest.raises(ValueError, match="more than one"):
            Asset(uri=wrong)


def test_a_task_without_the_right_fails_and_says_where_it_is_given(connect: Any, ods_portal: LocalPortal) -> None:
    connect(password=ods_portal.reader_key)
    task = OdsSearchOperator(task_id="t", source="monitoring")
    with pytest.raises(AirflowFailException, match=r"explore_monitoring.* is missing.*the connection's password"):
        run_task(task)
    task = OdsSearchOperator(task_id="t", dataset_id=LOG)
    with pytest.raises(AirflowFailException, match="pass source='monitoring'"):
        run_task(task)


# The archive


def night(tasks: list[OdsDownloadOperator], start: datetime, folder: Path) -> dict[str, dict[str, Any]]:
    made = {}
    for task in tasks:
        task.path = str(task.path).replace(ods_monitoring.FOLDER, str(folder))
        interval = {"data_interval_start": start, "data_interval_end": start + timedelta(days=1)}
        made[task.task_id] = run_task(task, context_of(task, macros=macros, **interval))
    return made


def archive() -> list[OdsDownloadOperator]:
    """The tasks of the example; rendered, they are those of one night."""
    return copy.deepcopy(list(ods_monitoring.dag.tasks))


@pytest.mark.at_length
def test_the_archive_keeps_each_call_once_and_nothing_of_who_made_it(
    connect: Any, ods_portal: LocalPortal, tmp_path: Path
) -> None:
    search = OdsSearchOperator(task_id="s", dataset_id="world-capitals", where="name = 'Paris'", limit=1)
    for _ in range(3):
        run_task(search)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = night(archive(), today, tmp_path)
    calls = first["calls"]["rows"] + first["calls_of_the_day_before"]["rows"]
    assert calls >= 3, "whether or not a day has ended since"
    assert first["datasets"]["rows"] == len(ods_portal.store.datasets)
    # The next night writes the same day once more, with what came late; no file holds a call of another day.
    second = night(archive(), today + timedelta(days=1), tmp_path)
    assert second["calls_of_the_day_before"]["path"] == first["calls"]["path"]
    files = sorted((tmp_path / "calls").glob("*.parquet"))
    assert [file.stem for file in files] == [f"{today + timedelta(days=days):%Y-%m-%d}" for days in (-1, 0, 1)]
    for file in files:
        days = duckdb.sql(f"SELECT DISTINCT strftime(timezone('UTC', timestamp), '%Y-%m-%d') FROM '{file}'").fetchall()
        assert {day for (day,) in days} <= {file.stem}
    kept = duckdb.sql(f"SELECT * FROM '{tmp_path}/calls/*.parquet'")
    distinct = duckdb.sql("SELECT count(*), count(DISTINCT timestamp) FROM kept").fetchall()
    assert distinct[0][0] == distinct[0][1] > calls
    personal = {"user_ip_addr", "user_id", "user_agent", "referer", "query_string", "query_text", "geo_coordinates"}
    assert not personal & set(kept.columns)
    assert {"timestamp", "dataset_id", "api"} <= set(kept.columns)
    assert b"127.0.0.1" not in b"".join(file.read_bytes() for file in files)
