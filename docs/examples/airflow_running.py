"""How DAGs run in production: the examples of docs/airflow-running.md, on the datasets of ``ods portal``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, task

from ods_provider.assets import ods_asset
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.load import OdsLoadOperator
from ods_provider.operators.search import OdsSearchOperator

START = datetime(2026, 1, 1, tzinfo=UTC)
LAKE = "/tmp/ods-running"  # noqa: S108  s3://my_conn@bucket/prefix works as well
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=5)}

# [START intervals]
with DAG(
    dag_id="ods_days",
    # With "0 3 * * *" alone start and end of the interval would be the same moment.
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone="UTC"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
):
    OdsLoadOperator(
        task_id="day",
        dataset_id="live-readings",
        where="at >= date'{{ data_interval_start | ts }}' and at < date'{{ data_interval_end | ts }}'",
        table="readings",
        destination="warehouse",
        # A day that is loaded again changes nothing, or what was corrected meanwhile.
        mode="merge",
        primary_key=["sensor_id", "at"],
    )
# [END intervals]

# [START many]
with DAG(
    dag_id="ods_many",
    schedule="0 4 * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=23),
    default_args=RETRIES,
):
    # As many as Airflow maps at most: [core] max_map_length.
    found = OdsSearchOperator(
        task_id="found", select="dataset_id", where="has_records is true", order_by="dataset_id", limit=1024
    )

    each = OdsDownloadOperator.partial(
        task_id="each",
        path=LAKE + "/{{ task.dataset_id }}.parquet",
        if_unchanged="keep",
        pool="ods_portal",
    ).expand(dataset_id=found.output.map(lambda dataset: dataset["dataset_id"]))

    @task
    def new_files(outcomes: Any) -> list[str]:
        """Return the files that were written tonight."""
        return [outcome["path"] for outcome in outcomes if not outcome["unchanged"]]

    new_files(each.output)
# [END many]

# [START limits]
with DAG(
    dag_id="ods_limits",
    schedule="0 5 * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=60),  # the whole run, whatever its tasks may
):
    OdsDownloadOperator(
        task_id="whole",
        dataset_id="world-capitals",
        path=LAKE + "/capitals.parquet",
        parallel=4,
        pool="ods_portal",
        pool_slots=4,  # a slot for each stream
        execution_timeout=timedelta(hours=28),  # one try, its legs and its waits: longer than max_quota_wait_s
        retries=3,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=True,
        max_retry_delay=timedelta(hours=1),
    )
# [END limits]

# [START both]
capitals, photos = ods_asset("world-capitals"), ods_asset("landmark-photos")

with DAG(
    dag_id="ods_both",
    # Runs once both were updated since its last run; with | it would run at every update of either.
    schedule=capitals.watcher() & photos.watcher(),
    catchup=False,
    default_args=RETRIES,
):

    @task
    def what_moved(triggering_asset_events: Any = None) -> dict[str, list[str]]:
        """Return when each of them was updated: several events may have come to one run."""
        return {
            asset.uri: [(event.extra.get("payload") or event.extra)["data_processed"] for event in events]
            for asset, events in (triggering_asset_events or {}).items()
        }

    what_moved() >> OdsDownloadOperator(
        task_id="capitals",
        # No {{ ds }} here: the run has no date. When it was due, it always knows.
        path=LAKE + "/{{ dag_run.run_after | ds }}/capitals.parquet",
        **capitals.arguments,
    )
# [END both]
