"""The DAG of docs/recipes/monitoring.md: how a portal is used, kept for longer than the portal keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.load import OdsLoadOperator

FOLDER = "/tmp/ods-monitoring"  # noqa: S108  s3://my_conn@bucket/prefix works as well

# [START files]
# Nothing that tells who called: no address, user, browser, place, or text that somebody searched for.
IMPERSONAL = (
    "timestamp, dataset_id, api, api_type, format, facet, custom_attributes, domain_id, "
    "size_res, nhits, exec_time, in_error, request_aborted, bot"
)
DAY = "{{ (data_interval_start - macros.timedelta(days=%d)) | ds }}"
NEXT_DAY = "{{ (data_interval_end - macros.timedelta(days=%d)) | ds }}"

with DAG(
    dag_id="ods_monitoring",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
) as dag:
    # The day that ended, and the day before once more: what came late is in the file that takes the older one's place.
    for days, task_id in ((0, "calls"), (1, "calls_of_the_day_before")):
        OdsDownloadOperator(
            task_id=task_id,
            source="monitoring",
            dataset_id="ods-api-monitoring",
            select=IMPERSONAL,
            # From midnight to midnight, the last one left out: no call lies in two days or in none.
            where=[f"timestamp >= date'{DAY % days}'", f"timestamp < date'{NEXT_DAY % days}'"],
            path=f"{FOLDER}/calls/{DAY % days}.parquet",
            # The log grows while it is read; the rows of this day are counted before and after.
            if_moved="accept",
        )

    # One row for each dataset; what a day brought is the difference of two files.
    OdsDownloadOperator(
        task_id="datasets",
        source="monitoring",
        dataset_id="ods-datasets-monitoring",
        path=FOLDER + "/datasets/{{ data_interval_start | ds }}.parquet",
    )
# [END files]

# [START tables]
ARCHIVE = "duckdb:////tmp/ods-monitoring.duckdb"

with DAG(
    dag_id="ods_monitoring_tables",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"source": "monitoring", "retries": 3, "retry_delay": timedelta(minutes=10)},
) as tables:
    # Calls since the last night, and those of the day before that came late: none is lost, none is there twice.
    calls_of_all_nights = OdsLoadOperator(
        task_id="calls_of_all_nights",
        dataset_id="ods-api-monitoring",
        select=IMPERSONAL,
        table="calls",
        destination=ARCHIVE,
        mode="append",
        cursor="timestamp",
        lag="1 day",
        # The log grows while it is read.
        if_moved="accept",
    )

    # The portal tells today's counters only. A row for each that was, with valid_from and valid_to.
    counters = OdsLoadOperator(
        task_id="counters",
        dataset_id="ods-datasets-monitoring",
        table="datasets",
        destination=ARCHIVE,
        mode="scd2",
        primary_key="dataset_id",
    )

    calls_of_all_nights >> counters
# [END tables]
