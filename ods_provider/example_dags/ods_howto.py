"""One task for each operator and sensor: the examples of the documentation, on the datasets of ``ods portal``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, task

from ods_provider.hooks.ods import OdsHook
from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.sensors.quota import OdsQuotaResetSensor
from ods_provider.triggers.dataset import OdsDatasetEventTrigger

FOLDER = "/tmp/ods-howto"  # noqa: S108  s3://my_conn@bucket/prefix works as well

with DAG(
    dag_id="ods_howto",
    schedule=None,
    catchup=False,
    tags=["opendatasoft"],
    params={"folder": FOLDER},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
) as dag:
    # [START quota]
    # Before work that needs many calls: go on only when so many are left.
    enough_calls = OdsQuotaResetSensor(task_id="enough_calls", min_remaining=200)
    # [END quota]

    # [START find]
    # Datasets of the catalogue that hold records, the largest first.
    find = OdsSearchOperator(
        task_id="find",
        where="has_records is true",
        order_by="records_count DESC",
        refine={"theme": "Places"},
        limit=20,
    )
    # [END find]

    # [START search]
    # Records of one dataset, as rows in XCom.
    large_capitals = OdsSearchOperator(
        task_id="large_capitals",
        dataset_id="world-capitals",
        select="name, country_code, population",
        where=["population > 5000000", "country_code != 'JP'"],
        order_by="population DESC",
    )

    # More than fits into XCom: as JSON lines in a file.
    all_capitals = OdsSearchOperator(
        task_id="all_capitals",
        dataset_id="world-capitals",
        path="{{ params.folder }}/capitals.jsonl",
    )
    # [END search]

    # [START analysis]
    # Groups, all of them, computed on the portal: one call.
    by_zone = OdsAnalysisOperator(
        task_id="by_zone",
        dataset_id="world-capitals",
        select="count(*) as capitals, sum(population) as people",
        group_by="timezone",
        order_by="people DESC",
    )

    # The values of facets, with how many rows each has.
    facets = OdsAnalysisOperator(task_id="facets", dataset_id="world-capitals", facet=["cou_name_en", "timezone"])
    # [END analysis]

    # [START download]
    # A typed file for the warehouse; nothing appears under this name unless every row is there.
    parquet = OdsDownloadOperator(
        task_id="parquet",
        dataset_id="world-capitals",
        path="{{ params.folder }}/capitals.parquet",
        min_rows=100,
    )

    # A query of it as CSV, in the spelling that a spreadsheet in France expects.
    csv = OdsDownloadOperator(
        task_id="csv",
        dataset_id="world-capitals",
        path="{{ params.folder }}/capitals.csv",
        format="csv",
        select="name, population, coordinates",
        order_by="name",
        format_options={"delimiter": ";", "with_bom": True},
    )
    # [END download]

    # [START media]
    # The attachments of a dataset.
    attachments = OdsMediaOperator(
        task_id="attachments",
        dataset_id="landmark-photos",
        path="{{ params.folder }}/attachments",
    )

    # The images of some of its records, eight at a time.
    photos = OdsMediaOperator(
        task_id="photos",
        dataset_id="landmark-photos",
        path="{{ params.folder }}/photos",
        kind="files",
        field="photo",
        where="taken_on >= date'2025-06'",
        parallel=8,
    )
    # [END media]

    # [START push]
    @task
    def readings(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Turn rows into records of the realtime dataset."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return [{"sensor_id": row["country_code"], "at": at, "value": row["population"]} for row in rows]

    # The push key of the resource stands in the connection, as push_api_key.
    push = OdsPushOperator(
        task_id="push",
        dataset_id="live-readings",
        resource_id="realtime",
        records=readings(large_capitals.output),  # type: ignore[arg-type]  # an XCom until it is rendered
    )
    # [END push]

    # [START sensor]
    # Succeeds when the dataset was updated since this task's last successful run, and at once in its first.
    updated = OdsDatasetUpdateSensor(
        task_id="updated",
        dataset_id="live-readings",
        poke_interval=60,
        timeout=6 * 3600,
    )
    # [END sensor]

    # [START client]
    @task
    def largest() -> str:
        """Ask in Python, with the same connection, retries and quotas."""
        with OdsHook().get_conn() as client:
            rows = client.records("world-capitals", select="name, population", order_by="population DESC", limit=3)
            return ", ".join(row["name"] for row in rows)

    # [END client]

    enough_calls >> find >> [large_capitals, all_capitals, by_zone, facets, parquet, csv, attachments, photos]
    push >> updated >> largest()

# [START asset]
capitals = Asset(
    name="world-capitals",
    uri="ods://127.0.0.1:8080/world-capitals",
    watchers=[AssetWatcher(name="republished", trigger=OdsDatasetEventTrigger(dataset_id="world-capitals"))],
)

with DAG(dag_id="ods_on_update", schedule=[capitals], catchup=False, tags=["opendatasoft"]) as on_update:
    # Runs whenever the publisher updates the dataset: no timetable, no polling task.
    OdsDownloadOperator(
        task_id="parquet",
        dataset_id="world-capitals",
        path="/tmp/ods-howto/updated.parquet",  # noqa: S108
    )
# [END asset]
