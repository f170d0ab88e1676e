"""The DAG of docs/recipes/warehouse.md: tables of a warehouse that are the portal's, every night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from ods_provider.operators.load import OdsLoadOperator

# [START nightly]
WAREHOUSE = "warehouse"  # a connection: of type postgres, or any other that docs/load.md names

with DAG(
    dag_id="ods_warehouse",
    schedule="0 5 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
) as dag:
    # Small, and changed now and then: all of it, but only when it changed. New fields are an error, and say so.
    capitals = OdsLoadOperator(
        task_id="capitals",
        dataset_id="world-capitals",
        table="capitals",
        destination=WAREHOUSE,
        columns="freeze",
        min_rows=100,
        if_unchanged="keep",
    )

    # Large, and growing: what came since the last night, and what came late within three days.
    readings = OdsLoadOperator(
        task_id="readings",
        dataset_id="live-readings",
        table="readings",
        destination=WAREHOUSE,
        mode="merge",
        cursor="at",
        lag="3 days",
    )

    # What was, kept: a row for each state of a landmark, with valid_from and valid_to.
    landmarks = OdsLoadOperator(
        task_id="landmarks",
        dataset_id="landmark-photos",
        table="landmarks",
        destination=WAREHOUSE,
        mode="scd2",
        primary_key="title",
        delete_missing=True,
    )

    capitals >> readings >> landmarks
# [END nightly]
