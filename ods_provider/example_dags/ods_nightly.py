"""The DAGs of docs/recipes/nightly.md: a dataset every night, and only when it changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor

FOLDER = "/tmp/ods-nightly"  # noqa: S108  s3://my_conn@bucket/prefix works as well
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=10)}

# [START waiting]
with DAG(
    dag_id="ods_nightly",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
) as dag:
    # Newer than what `download` loaded last? If not by eight in the evening, the run ends, and the next one goes on.
    updated = OdsDatasetUpdateSensor(
        task_id="updated",
        dataset_id="world-capitals",
        since_task="download",
        poke_interval=600,
        timeout=20 * 3600,
        soft_fail=True,
    )

    download = OdsDownloadOperator(
        task_id="download",
        dataset_id="world-capitals",
        path=f"{FOLDER}/capitals.parquet",
        if_unchanged="keep",
    )

    updated >> download
# [END waiting]

# [START looking]
with DAG(
    dag_id="ods_nightly_look",
    schedule="0 4 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
) as looking:
    # Two calls a night; a night without news ends here, and nothing below runs.
    parquet = OdsDownloadOperator(
        task_id="download",
        dataset_id="world-capitals",
        path=FOLDER + "/{{ dag_run.run_after | ds }}.parquet",
        if_unchanged="skip",
    )

    @task
    def load(outcome: dict[str, Any]) -> str:
        """Hand the file to the warehouse."""
        return f"COPY capitals FROM '{outcome['path']}'"

    load(parquet.output)  # type: ignore[arg-type]  # an XCom until it is rendered
# [END looking]
