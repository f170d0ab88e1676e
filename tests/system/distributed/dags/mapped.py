"""Downloads whose parts are fetched by mapped tasks; one of them lacks a part."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from ods_provider.operators.assemble import OdsAssembleOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.partition import OdsPartitionOperator

FOLDER = {"folder": "/nowhere"}

with DAG("mapped", schedule=None, params=FOLDER):
    parts = OdsPartitionOperator(
        task_id="parts",
        dataset_id="odd-names",
        path="{{ params.folder }}/names",
        partition_by="name",
        parts=6,
        format="jsonl",
    )
    part = OdsDownloadOperator.partial(task_id="part", retries=2, retry_delay=timedelta(seconds=1)).expand_kwargs(
        parts.output
    )
    OdsAssembleOperator(task_id="whole", parts=part.output, min_rows=1)


def _without_one(context: Any) -> None:
    """Keep one part from being fetched, as a user's own hook may."""
    if context["task"].part["number"] == 1:
        raise (AirflowSkipException if context["params"]["how"] == "skip" else AirflowFailException)(
            "this part is not fetched"
        )


with DAG("lacking", schedule=None, params=FOLDER | {"how": "fail"}):
    few = OdsPartitionOperator(
        task_id="parts", dataset_id="more-names", path="{{ params.folder }}/names", partition_by="name", parts=2
    )
    lacking = OdsDownloadOperator.partial(task_id="part", pre_execute=_without_one).expand_kwargs(few.output)
    OdsAssembleOperator(task_id="whole", parts=lacking.output)
    OdsAssembleOperator(task_id="anyway", parts=lacking.output, trigger_rule="all_done")
