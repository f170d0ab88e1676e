"""DAGs of the system tests: the portal, and what it does meanwhile, is the tests' business."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetWatcher, task

from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.sensors.quota import OdsQuotaResetSensor
from ods_provider.triggers.dataset import OdsDatasetEventTrigger

CONNECTION = "{{ params.connection }}"
FOLDER = "{{ params.folder }}"
OFTEN = {"retries": 4, "retry_delay": timedelta(seconds=1)}
PARAMS = {"connection": "ods_default", "folder": "/nowhere"}

with DAG("search", schedule=None, params=PARAMS):
    OdsSearchOperator(task_id="rows", ods_conn_id=CONNECTION, dataset_id="world-capitals", select="name", **OFTEN)

with DAG("flaky", schedule=None, params=PARAMS):
    flaky = OdsSearchOperator(
        task_id="rows", ods_conn_id=CONNECTION, dataset_id="world-capitals", max_failures=1, retries=0
    )

    @task(trigger_rule="none_failed")
    def goes_on() -> str:
        """What follows and does with yesterday's rows."""
        return "done"

    flaky >> goes_on()

with DAG("flaky_each", schedule=None, params=PARAMS):
    # All of them are labelled alike, and the paths are others in every run.
    OdsDownloadOperator.partial(
        task_id="each",
        ods_conn_id=CONNECTION,
        path=FOLDER + "/{{ run_id }}/{{ task.dataset_id }}/data.csv",
        max_failures=1,
        retries=0,
    ).expand(dataset_id=["world-capitals", "landmark-photos"])

with DAG("media", schedule=None, params=PARAMS):
    OdsMediaOperator(
        task_id="photos", ods_conn_id=CONNECTION, dataset_id="landmark-photos", path=FOLDER, kind="files", **OFTEN
    )

with DAG("one_slot", schedule=None, params=PARAMS):
    OdsMediaOperator(
        task_id="photos",
        ods_conn_id=CONNECTION,
        dataset_id="landmark-photos",
        path=FOLDER,
        kind="files",
        pool="one_slot",
        priority_weight=10,
    )

    @task(pool="one_slot")
    def other() -> str:
        """Needs the one slot, too."""
        return "done"

    other()

with DAG("download", schedule=None, params=PARAMS):
    OdsDownloadOperator(
        task_id="file",
        ods_conn_id=CONNECTION,
        dataset_id="synthetic-rows",
        path=FOLDER + "/rows.csv",
        format="csv",
        **OFTEN,
    )

# The arguments as the scenarios name them.
ARGUMENTS = {"dataset_id": "", "path": "", "kind": "", "parallel": 4, "order_by": ""}

with DAG("same_job_media", schedule=None, params=PARAMS | ARGUMENTS):
    OdsMediaOperator(
        task_id="photos",
        ods_conn_id=CONNECTION,
        dataset_id="{{ params.dataset_id }}",
        path="{{ params.path }}",
        kind="{{ params.kind }}",
        parallel="{{ params.parallel }}",
        **OFTEN,
    )

with DAG("same_job_search", schedule=None, params=PARAMS | ARGUMENTS):
    OdsSearchOperator(
        task_id="rows",
        ods_conn_id=CONNECTION,
        dataset_id="{{ params.dataset_id }}",
        order_by="{{ params.order_by }}",
        path="{{ params.path }}",
        **OFTEN,
    )

with DAG("push", schedule=None, params=PARAMS):
    OdsPushOperator(
        task_id="push",
        ods_conn_id=CONNECTION,
        dataset_id="live-readings",
        resource_id="realtime",
        records=[{"sensor_id": "s-system", "at": "2026-05-01T00:00:00+00:00", "value": 1.0, "note": "东京"}],
        **OFTEN,
    )

with DAG("wait_for_update", schedule=None, params=PARAMS):
    OdsDatasetUpdateSensor(
        task_id="updated", ods_conn_id=CONNECTION, dataset_id="world-capitals", poke_interval=1, timeout=600
    )

with DAG("wait_rescheduled", schedule=None, params=PARAMS):
    OdsDatasetUpdateSensor(
        task_id="updated",
        ods_conn_id=CONNECTION,
        dataset_id="world-capitals",
        # Airflow runs a task twice that is due before its supervisor has seen it end, up to 5 s late, and later still
        # where the machine is busy.
        poke_interval=40,
        timeout=900,
        deferrable=False,
        mode="reschedule",
    )
    OdsMediaOperator(
        task_id="photos",
        ods_conn_id=CONNECTION,
        dataset_id="landmark-photos",
        path=FOLDER,
        kind="files",
        deferrable=False,
    )

with DAG("wait_for_quota", schedule=None, params=PARAMS):
    OdsQuotaResetSensor(task_id="quota", ods_conn_id=CONNECTION, min_remaining="50", poke_interval=5)

watched = Asset(
    name="watched-readings",
    uri="ods://data.example.org/live-readings",
    watchers=[
        AssetWatcher(
            name="readings",
            trigger=OdsDatasetEventTrigger(dataset_id="live-readings", ods_conn_id="ods_watched", poll_interval_s=1),
        )
    ],
)

with DAG("on_update", schedule=[watched], params=PARAMS):

    @task
    def told(triggering_asset_events=None) -> list[dict]:  # type: ignore[no-untyped-def,type-arg]
        """Return what the watcher told."""
        return [event.extra["payload"] for events in triggering_asset_events.values() for event in events]

    told() >> OdsSearchOperator(
        task_id="rows", ods_conn_id="ods_watched", dataset_id="live-readings", where='sensor_id = "s-touched"'
    )
