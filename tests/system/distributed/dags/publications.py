"""Fifty datasets that are published at once, and a task that wants a worker meanwhile."""

from datetime import timedelta

from airflow.sdk import DAG, task

from ods_provider.operators.publish import OdsPublishOperator

with DAG("publications", schedule=None, params={"datasets": []}, max_active_tasks=64):

    @task
    def datasets(params: dict[str, list[str]] | None = None) -> list[str]:
        """Return the ids that the run was given."""
        return (params or {})["datasets"]

    OdsPublishOperator.partial(
        task_id="publish", retries=2, retry_delay=timedelta(seconds=1), map_index_template="{{ task.dataset_id }}"
    ).expand(dataset_id=datasets())

with DAG("meanwhile", schedule=None):

    @task
    def work(number: int) -> int:
        """Take a worker's slot, and give it back."""
        return number

    work.expand(number=[1, 2, 3, 4])
