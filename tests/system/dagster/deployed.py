"""The code location that the daemon serves: what a user would write, with its arguments from the environment."""

from __future__ import annotations

import json
import os

from dagster import DefaultSensorStatus, Definitions, EnvVar, asset

from ods_provider.schedulers.dagster import (
    OdsResource,
    ods_dataset_asset,
    ods_dataset_sensor,
    ods_media_asset,
    ods_resume_sensor,
    ods_search_asset,
)

given = json.loads(os.environ["TEST_WORK"])
arguments = dict(given["arguments"])
sensors = []
if given["job"] == "watch":
    work, _ = ods_dataset_asset(arguments.pop("dataset_id"), name=given["name"], **arguments)
    on = DefaultSensorStatus.RUNNING
    sensors.append(ods_dataset_sensor(work, minimum_interval_seconds=2, default_status=on))
elif given["job"] == "media":
    work, _ = ods_media_asset(arguments.pop("dataset_id"), name=given["name"], **arguments)
else:
    work, _ = ods_search_asset(given["name"], **arguments)


@asset(deps=[work])
def behind() -> None:
    """Stands behind the work, and is made in the run in which the work is done."""


definitions = Definitions(
    assets=[work, behind],
    # The sensor that comes with the asset looks every 30 s: patience that a test has not.
    sensors=[*sensors, ods_resume_sensor(work, minimum_interval_seconds=3)],
    resources={
        "ods": OdsResource(
            host=os.environ["TEST_HOST"],
            api_key=EnvVar("TEST_API_KEY"),
            push_api_key=EnvVar("TEST_PUSH_KEY"),
            max_wait_s=1,
            timeout_s=given.get("timeout_s", 60),
        )
    },
)
