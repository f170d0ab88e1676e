"""A wait, and tasks enough for two workers."""

from airflow.sdk import DAG

from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.search import OdsSearchOperator

with DAG("wait", schedule=None, params={"folder": "/nowhere"}):
    OdsMediaOperator(
        task_id="photos", dataset_id="landmark-photos", path="{{ params.folder }}", kind="files", parallel=1
    )

with DAG("many", schedule=None):
    for number in range(6):
        OdsSearchOperator(task_id=f"rows_{number}", dataset_id="world-capitals", select="name")
