"""What is expected of the recorded answers of Search API v1.0."""

from __future__ import annotations

import csv
import io
from typing import Any

import replay as play
from recording import answering, body, claims, content, recorded, served

from ods_provider.core.formats.delimited import CsvCheck

RECORDS = {
    "v1-records-brussel-disabled_parkings.json": (973, 10),
    "v1-records-brussel-garages.json": (27, 10),
    "v1-records-eindhoven-1_parkings.json": (10_260, 10),
    "v1-records-eindhoven-2_permit_parkings.json": (726, 10),
    "v1-records-eindhoven-3_disabled_parkings.json": (180, 10),
    "v1-records-eindhoven-4_crossed_out_parkings.json": (130, 10),
    "v1-records-eindhoven-5_loading_parkings.json": (23, 10),
    "v1-records-eindhoven-6_charging_parkings.json": (18, 10),
    "v1-records-eindhoven-zero_results.json": (10_260, 0),  # emptied by hand: what it counts is not there
    "v1-records-liege-disabled_parkings.json": (1062, 10),
    "v1-records-liege-garages.json": (32, 10),
    "v1-records-namur-no_parking.json": (0, 0),
    "v1-records-namur-parking_pmr.json": (305, 10),
    "v1-records-odp-gent-bluebikes.json": (1, 1),
    "v1-records-odp-gent-garages.json": (12, 2),
    "v1-records-odp-gent-park_and_ride.json": (5, 2),
    "v1-records-odp-gent-partago.json": (116, 5),
    "v1-records-public-commodity-prices-at-public.json": (54, 10),
    "v1-records-resultats-ligue-1.json": (380, 10),
    "v1-records-velib-disponibilite.json": (1392, 10),
    "v1-records-velib-emplacement.json": (1393, 10),
}


@claims(*RECORDS)
def a_search_for_records_is_handed_on_without_the_nulls_that_v1_leaves_out(name: str) -> None:
    sent = content(name)
    named = sent["parameters"]["dataset"]
    dataset_id = named if isinstance(named, str) else named[0]
    with served(name) as client:
        found = client.v1.search_records(dataset_id, rows=10)
    assert found == sent
    assert (found["nhits"], len(found["records"])) == RECORDS[name]
    for record in found["records"]:
        assert record["datasetid"] == dataset_id
        assert len(record["recordid"]) == 40
        assert None not in record["fields"].values()
    if "resultats" in name:
        names = [record["fields"]["name"] for record in found["records"]]
        assert names == sorted(names), "sort=-name is ascending in v1"
    if "@" in dataset_id:
        assert found["records"][0]["fields"]["date"] == "1984-12"


DATASETS = {
    "v1-dataset-udata-empty.json": ("empty", 0, False),
    "v1-dataset-udata-inspire.json": ("inspire", 3, True),
    "v1-dataset-udata-test-a.json": ("test-a", 2, True),
    "v1-dataset-udata-test-b.json": ("test-b", 3, True),
    "v1-dataset-udata-test-c.json": ("test-c", 0, False),
    "v1-dataset-udata-test-shp-limit.json": ("test-shp-limit", 3, True),
    "v1-dataset-udata-with-attachments.json": ("with-attachments", 0, False),
}


@claims(*DATASETS)
def a_dataset_is_looked_up_whatever_its_metadata_look_like(name: str) -> None:
    dataset_id, fields, has_records = DATASETS[name]
    with served(name) as client:
        found = client.v1.dataset(dataset_id)
    assert found == content(name)
    assert (found["datasetid"], len(found["fields"]), found["has_records"]) == (dataset_id, fields, has_records)


@claims("v1-dataset-udata-no-data.json")
def a_search_for_datasets_is_handed_on(name: str) -> None:
    with served(name) as client:
        found = client.v1.search_datasets()
    assert found == content(name)
    assert found["nhits"] == len(found["datasets"]) == 2


@claims("doc-v1-record-lookup.json")
def a_record_is_looked_up_with_its_two_spellings_of_a_point(name: str) -> None:
    with served(name) as client:
        found = client.v1.record("doc-geonames-cities-5000", content(name)["recordid"])
    assert found == content(name)
    assert found["fields"]["geo_point_2d"] == found["geometry"]["coordinates"][::-1]


ANALYSES = {"doc-v1-analyze-count.json": 11, "doc-v1-analyze-max.json": 4, "doc-v1-analyze-expr.json": 4}


@claims(*ANALYSES)
def an_analysis_is_a_list_of_values_of_x(name: str) -> None:
    with served(name) as client:
        found = client.v1.analyze("doc-geonames-cities-5000", x="country_code", y={"n": {"func": "COUNT"}})
    assert found == content(name)
    assert len({row["x"] for row in found}) == ANALYSES[name]


@claims("doc-v1-geocluster.json")
def clusters_come_with_their_series(name: str) -> None:
    with served(name) as client:
        found = client.v1.geocluster("doc-geonames-cities-5000", clusterprecision=3, clusterdistance=50)
    assert found == content(name)
    assert [cluster["count"] for cluster in found["clusters"]] == [1, 5]


DOWNLOADS = {"v1-download-opendatasoft-offices.csv": 3, "v1-download-schneider-transport.csv": 18}


@claims(*DOWNLOADS)
def a_download_is_counted_by_records_not_by_lines(name: str) -> None:
    rows = DOWNLOADS[name]
    counted = play.answer(b'{"nhits": %d, "records": []}' % rows)
    with answering(counted, recorded(name, length=False)) as client:
        found: list[dict[str, Any]] = list(client.v1.download("d"))
    assert found == list(csv.DictReader(io.StringIO(body(name).decode(), newline=""), delimiter=";"))
    counter = CsvCheck()
    counter.feed(body(name))
    assert counter.finish(None) == rows == len(found)
