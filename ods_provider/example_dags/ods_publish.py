"""The DAGs of docs/publishing.md: a dataset comes, is worked on, and is published as another one, every night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.metadata import OdsMetadataOperator
from ods_provider.operators.publish import OdsPublishFileOperator, OdsPublishOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.sensors.publication import OdsPublicationSensor

FOLDER = "/tmp/ods-publish"  # noqa: S108  s3://my_conn@bucket/prefix works as well
DATASET = "large-cities"
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=10)}

# [START round]
with DAG(
    dag_id="ods_publish",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    params={"cities": "world-capitals", "folder": FOLDER},
) as dag:
    cities = OdsDownloadOperator(
        task_id="cities",
        dataset_id="{{ params.cities }}",
        path="{{ params.folder }}/all.parquet",
        if_unchanged="keep",
    )

    @task
    def large(outcome: dict[str, Any], params: dict[str, Any] | None = None) -> str:
        """Keep the large ones, and return where they lie."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        path = f"{(params or {})['folder']}/large.parquet"
        chosen = pq.read_table(outcome["path"], columns=["name", "country_code", "population"])
        pq.write_table(chosen.filter(pc.field("population") > 1_000_000), path)
        return path

    @task
    def dataset() -> None:
        """Make the dataset where there is none yet; it is found by its id."""
        from ods_provider.hooks.ods import OdsHook

        with OdsHook().get_conn() as client:
            datasets = client.automation.datasets
            if datasets.find(DATASET) is None:
                metadata = {"default": {"title": {"value": "Large cities"}, "language": {"value": "en"}}}
                datasets.create(metadata, dataset_id=DATASET, is_restricted=False)

    # Deferred while the portal works; what was published before stays until this is proven, or comes back.
    publish = OdsPublishFileOperator(
        task_id="publish",
        dataset_id=DATASET,
        path=large(cities.output),  # type: ignore[arg-type]  # an XCom until it is rendered
        min_rows=10,
        if_unchanged="keep",
    )

    read_back = OdsSearchOperator(task_id="read_back", dataset_id=DATASET, order_by="population desc", limit=3)

    dataset() >> publish >> read_back
# [END round]

# [START many]
with DAG(
    dag_id="ods_publish_many",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args=RETRIES,
) as many:
    # Ordered one after the other, and watched together: no worker is held, and fifty of them cost a handful of calls.
    for name in (DATASET,):
        order = OdsPublishOperator(task_id=f"order_{name}", dataset_id=name, action="publish_metadata", wait=False)
        ended = OdsPublicationSensor(
            task_id=f"ended_{name}",
            dataset_id=name,
            publication=f"{{{{ ti.xcom_pull('order_{name}')['publication'] }}}}",
            timeout=6 * 3600,
        )
        order >> ended
# [END many]

# [START coverage]
with DAG(
    dag_id="ods_publish_coverage",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args=RETRIES,
) as coverage:
    # One aggregate call each; where no end has moved nothing is written, and nothing is published.
    OdsMetadataOperator.partial(task_id="coverage").expand_kwargs(
        [
            {"dataset_id": "world-capitals", "coverage_of": "modification_date"},
            {"dataset_id": "live-readings", "coverage_of": "at"},
        ]
    )
# [END coverage]


# [START licence]
def licensed(row: dict[str, Any]) -> dict[str, Any]:
    """Return what is set of a dataset that the search found."""
    return {"dataset_id": row["dataset_id"], "metadata": {"internal.license_id": "odbl"}}


with DAG(
    dag_id="ods_publish_licence",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args=RETRIES,
) as licence:
    others = OdsSearchOperator(
        task_id="others", select="dataset_id", where="license is null or license != 'ODbL'", limit=1000
    )
    # One task a dataset: each is deferred while the portal publishes, and one that fails keeps no other.
    OdsMetadataOperator.partial(task_id="licence", max_active_tis_per_dag=8).expand_kwargs(others.output.map(licensed))
# [END licence]
