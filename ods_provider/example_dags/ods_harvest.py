"""The DAGs of docs/publishing.md that run a portal: an embargo that ends at a time, and a harvest every night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import DAG, Param

from ods_provider.operators.harvest import OdsHarvestOperator
from ods_provider.operators.visibility import OdsVisibilityOperator

RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=10)}

# [START embargo]
with DAG(
    dag_id="ods_embargo",
    schedule=None,  # triggered once for each embargo, with its dataset and its moment
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={
        "dataset": Param("world-capitals", type="string"),
        # With its zone: a moment without one is UTC.
        "at": Param("2026-03-01T09:00:00+01:00", type="string", format="date-time"),
    },
    default_args=RETRIES,
) as embargo:
    # Neither holds a worker while it waits.
    moment = DateTimeSensorAsync(task_id="moment", target_time="{{ params.at }}")
    public = OdsVisibilityOperator(task_id="public", dataset_id="{{ params.dataset }}", public=True)
    moment >> public
# [END embargo]

# [START harvest]
with DAG(
    dag_id="ods_harvest",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
) as harvest:
    # Fails with what the portal says of the first ten datasets, after all others are public.
    OdsHarvestOperator(task_id="gardens", harvester_id="town-gardens", max_errors=0, timeout=6 * 3600)
# [END harvest]
