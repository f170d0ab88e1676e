"""A job whose parts are fetched by steps of their own; in a module, since each step's process loads it again."""

from __future__ import annotations

from apart import FORKED
from dagster import EnvVar, job, multiprocess_executor

from ods_provider.schedulers.dagster import OdsResource, ods_assemble_op, ods_download_op, ods_partition_op

NAMED = {"dataset_id": "synthetic-rows", "partition_by": "id", "parts": 4, "format": "jsonl"}
ODS = OdsResource(host=EnvVar("TEST_ODS_HOST"), api_key=EnvVar("TEST_ODS_KEY"), max_wait_s=0.5, max_retries=1)

name_parts, fetch, assemble = ods_partition_op(**NAMED), ods_download_op(), ods_assemble_op(min_rows=520)


@job(resource_defs={"ods": ODS}, executor_def=multiprocess_executor.configured({"max_concurrent": 3, **FORKED}))
def in_parts() -> None:
    """Each step is a process."""
    assemble(name_parts().map(fetch).collect())
