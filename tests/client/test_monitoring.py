"""``client.monitoring``: the words of the client, at the portal's other source."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ods_provider import OdsClient
from ods_provider.core.connection import from_parts
from ods_provider.core.faces import AIRFLOW
from ods_provider.core.plans import records
from ods_provider.core.query import Query
from ods_provider.errors import OdsAuthError, OdsConfigError, OdsNotFound
from ods_provider.testing.portal import LocalPortal

LOG, STATISTICS = "ods-api-monitoring", "ods-datasets-monitoring"


@pytest.fixture
def client(ods_portal: LocalPortal) -> Iterator[OdsClient]:
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as made:
        yield made


def test_it_has_the_words_of_the_catalogue_and_of_records(client: OdsClient, ods_portal: LocalPortal) -> None:
    there = client.monitoring
    assert [row["dataset_id"] for row in there.datasets()] == [LOG, STATISTICS]
    assert there.dataset(STATISTICS).records_count == len(ods_portal.store.datasets)
    assert there.count(None) == 2
    found = {row["dataset_id"]: row for row in there.records(STATISTICS, order_by="dataset_id")}
    assert found["world-capitals"]["records_count"] == 110
    assert found["world-capitals"]["modified"].tzinfo is not None
    assert there.aggregate(STATISTICS, select="sum(reuse_count) as n") == [{"n": 0}]
    assert there.facets(STATISTICS, facet="publisher") == {"publisher": [("ods-provider", len(found))]}
    labels = b"".join(there.export(STATISTICS, format="csv", format_options={"use_labels": True}))
    assert b"API call count" in labels
    assert asyncio.run(there.arun(records.count(STATISTICS, Query()))) == len(found)
    assert {entry.path.split("/")[4] for entry in ods_portal.requests} == {"monitoring"}


def test_a_dataset_of_the_same_id_in_the_catalogue_is_another_one(client: OdsClient, ods_portal: LocalPortal) -> None:
    ods_portal.add_dataset(STATISTICS, {"published": "text"}, [{"published": "on purpose"}])
    ods_portal.set_quota(dataset_id=STATISTICS, limit=50, remaining=9)
    for _ in range(2):
        assert [field.name for field in client.schema(STATISTICS).fields] == ["published"]
        assert "api_call_count" in [field.name for field in client.monitoring.schema(STATISTICS).fields]
    assert len(ods_portal.requests) == 2, "each is described once"
    assert client.quota.datasets[STATISTICS].remaining == 8
    assert client.monitoring.quota is client.quota
    assert f"monitoring/{STATISTICS}" not in client.quota.datasets


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        (None, 401, 'an API key (.*) whose user has the right explore_monitoring \\("Browse analytics"\\)'),
        ("demo-reader-key", 403, 'explore_monitoring \\("Browse analytics"\\) is missing. An administrator'),
    ],
)
def test_who_lacks_the_right_is_told_which_and_who_gives_it(
    ods_portal: LocalPortal, key: str | None, status: int, said: str
) -> None:
    with OdsClient(ods_portal.url, api_key=key) as client, pytest.raises(OdsAuthError, match=said) as refused:
        client.monitoring.count(None)
    assert refused.value.status == status
    assert "OdsClient's argument api_key" in str(refused.value)
    there = from_parts(host=ods_portal.url, password=key, face=AIRFLOW)
    with OdsClient(there) as client, pytest.raises(OdsAuthError, match="the connection's password"):
        client.monitoring.count(None)


def test_a_dataset_that_is_looked_for_in_the_wrong_source_is_an_error_that_says_so(client: OdsClient) -> None:
    with pytest.raises(OdsNotFound, match=r"a dataset of the monitoring source: ask client\.monitoring"):
        client.count(LOG)
    with pytest.raises(OdsNotFound, match=f"has the datasets {LOG} and {STATISTICS}, as a rule"):
        client.monitoring.count("ods-api-monitorin")
    with pytest.raises(OdsConfigError, match=f"Pass '{LOG}', and ask client.monitoring"):
        client.count(f"https://data.example.org/api/explore/v2.1/monitoring/datasets/{LOG}/records")


def test_it_ends_with_its_client(ods_portal: LocalPortal) -> None:
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        there: Any = client.monitoring
        assert (there is client.monitoring, there.at("catalog") is client, there.at("monitoring") is there) == (
            True,
        ) * 3
        assert repr(there).endswith("key=sent).monitoring")
    with pytest.raises(OdsConfigError, match="the client is closed"):
        there.count(None)
