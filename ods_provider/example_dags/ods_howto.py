"""One task for each operator and sensor, and what goes with them: the documentation's examples, on ``ods portal``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, task

from ods_provider.assets import ods_asset
from ods_provider.hooks.ods import OdsHook
from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.assemble import OdsAssembleOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.load import OdsLoadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.partition import OdsPartitionOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.operators.sync import OdsSyncOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.sensors.quota import OdsQuotaResetSensor

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

    # [START parallel]
    # A portal sends some 64 KB/s a stream: sixteen of them at once, each a part that is kept once it is whole.
    fast = OdsDownloadOperator(
        task_id="fast",
        dataset_id="world-capitals",
        path="{{ params.folder }}/fast.parquet",
        parallel=16,
    )
    # [END parallel]

    # [START mapped]
    # The same by mapped tasks on any workers, which share the folder; it stays a folder of parts.
    parts = OdsPartitionOperator(
        task_id="parts",
        dataset_id="world-capitals",
        path="{{ params.folder }}/capitals",
        partition_by="population",
        parts=4,
    )
    part = OdsDownloadOperator.partial(task_id="part", retries=3, pool="default_pool").expand_kwargs(parts.output)
    whole = OdsAssembleOperator(task_id="whole", parts=part.output, min_rows=100)
    # [END mapped]

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

    # [START sync]
    @task
    def corrected() -> list[dict[str, Any]]:
        """Return all that the dataset shall hold: here what it holds, with values made whole."""
        with OdsHook().get_conn() as client:
            rows = list(client.records("live-readings"))
        return [{**row, "at": row["at"].isoformat(), "value": round(row["value"])} for row in rows]

    readings_corrected = corrected()
    # Only what differs is pushed, and what the records lack is deleted: never more than a tenth of what stands.
    in_step = OdsSyncOperator(
        task_id="in_step",
        dataset_id="live-readings",
        resource_id="realtime",
        records=readings_corrected,  # type: ignore[arg-type]  # an XCom until it is rendered
        max_delete="10%",
    )
    # [END sync]

    # [START load]
    # Straight into a table, with the portal's types. The destination is a connection id (Postgres, MySQL, Snowflake, …)
    # or a URL; whoever reads meanwhile sees the old rows or the new ones.
    table = OdsLoadOperator(
        task_id="table",
        dataset_id="world-capitals",
        table="capitals",
        destination="duckdb:///{{ params.folder }}/city.duckdb",
        if_unchanged="keep",
        min_rows=100,
    )

    # Only what is new: readings at or after the latest that was loaded, less an hour for those that come late.
    new_readings = OdsLoadOperator(
        task_id="new_readings",
        dataset_id="live-readings",
        table="readings",
        destination="duckdb:///{{ params.folder }}/city.duckdb",
        mode="merge",
        cursor="at",
        lag="1 hour",
    )
    # [END load]

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

    (
        enough_calls
        >> find
        >> [large_capitals, all_capitals, by_zone, facets, parquet, csv, fast, parts, attachments, photos]
    )
    # A download makes its folder, a database its file only, which has one writer at a time.
    parquet >> table >> new_readings
    [new_readings, push >> updated >> largest()] >> readings_corrected

# [START asset]
# The dataset is named once, and its host never: that stands in the connection.
capitals = ods_asset("world-capitals")

with DAG(dag_id="ods_on_update", schedule=[capitals.watcher()], catchup=False, tags=["opendatasoft"]) as on_update:
    # Runs whenever the publisher updates the dataset: no timetable, no polling task.
    OdsDownloadOperator(
        task_id="parquet",
        path="/tmp/ods-howto/updated.parquet",  # noqa: S108
        # Who waits for this file runs next, and reads rows, sha256 and the rest in the event's extra.
        outlets=[Asset("file:///tmp/ods-howto/updated.parquet")],
        **capitals.arguments,
    )
# [END asset]

with DAG(
    dag_id="ods_flaky",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["opendatasoft"],
    params={"folder": FOLDER},
) as flaky:
    # [START flaky]
    # A portal that is down for a night or two wakes nobody; a third night fails.
    nightly = OdsDownloadOperator(
        task_id="readings",
        dataset_id="live-readings",
        path="{{ params.folder }}/readings.parquet",
        retries=2,
        max_failures=2,
    )

    @task(trigger_rule="none_failed")
    def report() -> str:
        """Goes on with the rows of the last good night, unless the task above failed."""
        return "reported"

    nightly >> report()
    # [END flaky]
