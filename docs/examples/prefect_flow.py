"""Find, analyse, download, fetch media, push, and wait for the next update: the main job as a Prefect flow.

Once:   python -c 'from ods_provider.schedulers.prefect import OdsCredentials; \
            OdsCredentials(host="data.example.org", api_key="…", push_api_key="…").save("ods-default")'
Then:   python docs/examples/prefect_flow.py
"""

from pathlib import Path

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.states import AwaitingRetry

from ods_provider.schedulers.prefect import (
    ods_analyse,
    ods_assemble,
    ods_await_update,
    ods_download,
    ods_load,
    ods_media,
    ods_partition,
    ods_push,
    ods_search,
)


# [START crashed]
def begin_again(flow, flow_run, state):
    """Run a flow run again whose process died, three times at most: files and pages that are here stay here."""
    if flow_run.run_count <= 3:
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(flow_run.id, AwaitingRetry(message="its process died"), force=True)


# [END crashed]


# [START flow]
@flow(name="open-data", on_crashed=[begin_again])
def open_data(folder: str, cities: str = "world-capitals", credentials: str = "ods-default"):
    log = get_run_logger()
    found = ods_search(where='search("capital")', limit=5, credentials=credentials)
    log.info("Datasets that fit: %s", ", ".join(row["dataset_id"] for row in found))

    largest = ods_analyse(
        cities,
        select="count(*) as cities, max(population) as largest",
        group_by="cou_name_en",
        order_by="largest desc",
        limit=3,
        credentials=credentials,
    )
    # What may pass is tried again; a wrong key or an unknown dataset fails at once, whatever `retries` says.
    patient = ods_download.with_options(retries=3, retry_delay_seconds=60)
    table = patient(cities, f"{folder}/cities.parquet", credentials=credentials)
    photos = ods_media("landmark-photos", f"{folder}/photos", kind="files", parallel=8, credentials=credentials)
    pushed = ods_push(
        "live-readings",
        "realtime",
        [{"sensor_id": row["cou_name_en"], "at": "2026-05-04T12:00:00Z", "value": row["largest"]} for row in largest],
        credentials=credentials,
    )
    # A deployment remembers what it saw last: its first run goes on at once, the next one waits for an update.
    seen = ods_await_update(cities, credentials=credentials, poll_interval_s=600)
    return {"rows": table["rows"], "files": photos["files"], "pushed": pushed["rows"], "seen": seen["data_processed"]}


# [END flow]


# [START parts]
@flow(retries=2, retry_delay_seconds=60)
def in_parts(dataset_id: str, path: str, credentials: str = "ods-default"):
    parts = ods_partition(dataset_id, path, parts=8, credentials=credentials)
    fetched = [ods_download.submit(**part, credentials=credentials) for part in parts]
    # Results, which raise what went wrong. Given the futures, Prefect leaves the task out and the flow ends well.
    return ods_assemble([each.result() for each in fetched], credentials=credentials)


# [END parts]


# [START load]
@flow(retries=2, retry_delay_seconds=60)
def warehouse(destination: str = "secret/warehouse", credentials: str = "ods-default"):
    # The block `warehouse`, of Prefect's type Secret, holds a URL: nobody reads its password among the parameters.
    how = {"destination": destination, "credentials": credentials}
    capitals = ods_load("world-capitals", "capitals", if_unchanged="keep", **how)
    readings = ods_load("live-readings", "readings", mode="merge", cursor="at", lag="1 hour", **how)
    return capitals["table_rows"], readings["table_rows"]


# [END load]

if __name__ == "__main__":
    open_data.serve(name="daily", cron="0 6 * * *", parameters={"folder": str(Path("data").absolute())})
