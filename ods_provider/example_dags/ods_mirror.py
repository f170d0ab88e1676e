"""The DAGs of docs/recipes/mirror.md: a whole portal every night, as files and as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from ods_provider.operators.mirror import ods_mirror

FOLDER = "/tmp/ods-mirror"  # noqa: S108  s3://my_conn@bucket/prefix works as well

# [START files]
with DAG(
    dag_id="ods_mirror",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
) as dag:
    # All that changed since the last run, as far as the quota goes; a tenth of it is left to others.
    ods_mirror(to=f"{FOLDER}/portal", format="parquet", where="records_count < 1000000", vanished="mark")
# [END files]

# [START tables]
with DAG(
    dag_id="ods_mirror_tables",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
) as tables:
    # A file takes one writer; PostgreSQL takes several.
    ods_mirror(to=f"duckdb:///{FOLDER}/city.duckdb", refine={"publisher": "ods-provider"}, parallel=1)
# [END tables]
