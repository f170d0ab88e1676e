"""The older Search API v1.0, for queries that exist in its words: on the datasets of ``ods portal``."""

from __future__ import annotations

from airflow.sdk import DAG

from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.search import OdsSearchOperator

FOLDER = "/tmp/ods-search-v1"  # noqa: S108  s3://my_conn@bucket/prefix works as well

with DAG(
    dag_id="ods_search_v1",
    schedule=None,
    catchup=False,
    tags=["opendatasoft"],
    params={"folder": FOLDER},
) as dag:
    # [START search]
    # Record objects, as that API sends them: {"datasetid", "recordid", "fields", "geometry", …}.
    large = OdsSearchOperator(
        task_id="large",
        dataset_id="world-capitals",
        v1={"q": "population > 5000000 AND NOT country_code==JP", "sort": "population", "fields": "name,population"},
    )

    # Without a dataset, dataset objects of the catalogue.
    found = OdsSearchOperator(task_id="found", v1={"q": "title:capitals", "refine": {"theme": "Places"}})
    # [END search]

    # [START analysis]
    # One row for each value of x: [{"x": "Europe/Paris", "capitals": 1, "largest": 2138551}, …].
    by_zone = OdsAnalysisOperator(
        task_id="by_zone",
        dataset_id="world-capitals",
        v1={
            "x": "timezone",
            "y": {"capitals": {"func": "COUNT"}, "largest": {"func": "MAX", "expr": "population"}},
        },
    )

    # Clusters of points, for a map.
    clusters = OdsAnalysisOperator(
        task_id="clusters",
        dataset_id="world-capitals",
        v1={"clusterprecision": 4, "y": {"people": {"func": "SUM", "expr": "population"}}},
    )
    # [END analysis]

    # [START download]
    # A file that holds as many rows as the same query counts, or no file.
    csv_file = OdsDownloadOperator(
        task_id="csv_file",
        dataset_id="world-capitals",
        path="{{ params.folder }}/capitals.csv",
        v1={"q": "modification_date >= 2015", "format": "csv"},
    )
    # [END download]

    # [START media]
    # The images of some records, listed by that API and fetched from its addresses.
    photos = OdsMediaOperator(
        task_id="photos",
        dataset_id="landmark-photos",
        path="{{ params.folder }}/photos",
        kind="files",
        v1={"q": "taken_on >= 2025-06", "rows": 10},
    )
    # [END media]

    large >> found >> by_zone >> clusters >> csv_file >> photos
