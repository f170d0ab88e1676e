"""The main job: find, analyse, download, fetch media, push results back, wait for the update.

Copy it, change the parameters and the connection, and it is yours. It reads no ``{{ ds }}``, so that it runs the same
whether a person, a timetable or an asset event starts it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, task

from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor

with DAG(
    dag_id="ods_main_job",
    schedule=None,
    catchup=False,
    tags=["opendatasoft"],
    default_args={"ods_conn_id": "ods_default"},
    params={
        "cities": "doc-geonames-cities-5000",
        "photos": "landmark-photos",
        "readings": "live-readings",
        "folder": "/tmp/ods-main-job",  # noqa: S108  s3://my_conn@bucket/prefix works as well
    },
) as dag:
    # Dataset objects of the catalogue: id, schema, and when the data last changed.
    find = OdsSearchOperator(
        task_id="find",
        where='dataset_id IN ("{{ params.cities }}", "{{ params.photos }}", "{{ params.readings }}")',
    )

    # Aggregated on the portal: one call, whatever the size of the dataset.
    analyse = OdsAnalysisOperator(
        task_id="analyse",
        dataset_id="{{ params.cities }}",
        select="count(*) as cities, max(population) as largest",
        group_by="country_code",
        order_by="cities DESC",
        limit=10,
    )

    # A file appears under its name only when it holds exactly the rows that the portal counts.
    download_parquet = OdsDownloadOperator(
        task_id="download_parquet",
        dataset_id="{{ params.cities }}",
        path="{{ params.folder }}/cities.parquet",
        min_rows=1,
    )
    download_csv = OdsDownloadOperator(
        task_id="download_csv",
        dataset_id="{{ params.cities }}",
        path="{{ params.folder }}/cities.csv",
        format="csv",
        select="geoname_id, name, country_code, population, coordinates",
        order_by="population DESC",
    )

    fetch_attachments = OdsMediaOperator(
        task_id="fetch_attachments",
        dataset_id="{{ params.photos }}",
        path="{{ params.folder }}/attachments",
    )
    fetch_photos = OdsMediaOperator(
        task_id="fetch_photos",
        dataset_id="{{ params.photos }}",
        path="{{ params.folder }}/photos",
        kind="files",
        field="photo",
    )

    @task
    def readings(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Turn the analysis into records of the realtime dataset."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return [
            {
                "sensor_id": f"cities-{row['country_code']}",
                "at": now,
                "value": row["cities"],
                "note": f"largest: {row['largest']}",
            }
            for row in rows
        ]

    push = OdsPushOperator(
        task_id="push",
        dataset_id="{{ params.readings }}",
        resource_id="realtime",
        records=readings(analyse.output),  # type: ignore[arg-type]  # an XCom until it is rendered
    )

    # Compared with what `find` saw, so that an update is noticed however long the tasks between took.
    wait_for_update = OdsDatasetUpdateSensor(
        task_id="wait_for_update",
        dataset_id="{{ params.readings }}",
        since="{{ (ti.xcom_pull('find') | selectattr('dataset_id', 'eq', params.readings) | first)"
        ".metas.default.data_processed }}",
        poke_interval=5,
        timeout=600,
    )

    find >> analyse >> [download_parquet, download_csv] >> fetch_attachments >> fetch_photos >> push >> wait_for_update
