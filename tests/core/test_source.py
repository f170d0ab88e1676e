"""Where a dataset is kept is a part of its name, and the names of the catalogue's are what they always were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.plans import catalog, records
from ods_provider.core.plans.sources import within
from ods_provider.core.query import Query
from ods_provider.core.source import named, parted, source_named, source_told, telling_apart
from ods_provider.core.wire import Headers, Plan, Request, Response

LOG = "ods-api-monitoring"


@pytest.mark.parametrize(
    ("given", "source"),
    [(None, "catalog"), ("", "catalog"), ("None", "catalog"), ("Monitoring ", "monitoring"), ("catalog", "catalog")],
)
def test_what_is_not_given_is_the_catalogue(given: Any, source: str) -> None:
    assert source_named(given) == source


@pytest.mark.parametrize("given", ["catalogue", "v1", True, ["monitoring"]])
def test_there_are_two_sources(given: Any) -> None:
    with pytest.raises(OdsConfigError, match="argument source"):
        source_named(given)


def test_a_name_tells_the_source_and_comes_apart_again() -> None:
    assert named("catalog", LOG) == LOG
    assert named("catalog", None) is None
    assert named("monitoring", None) not in (None, named("monitoring", LOG), named("catalog", "monitoring"))
    for source in ("catalog", "monitoring"):
        assert parted(named(source, LOG)) == (source, LOG)
    assert parted("monitoring") == ("catalog", "monitoring")


def test_the_catalogue_changes_no_arguments_and_no_results() -> None:
    given = {"dataset_id": LOG, "limit": None}
    for same in ({}, {"source": "catalog"}, {"source": None}, {"source": ""}, {"source": " Catalog"}):
        assert telling_apart(given | same) == given
    assert fingerprint(**telling_apart(given | {"source": "monitoring"})) != fingerprint(**given)
    assert (source_told("catalog"), source_told("monitoring")) == ({}, {"source": "monitoring"})


def answered(plan: Plan[Any], *answers: Response | Exception) -> tuple[list[Request], Any]:
    """Run a plan on these answers; return what it asked and what it returned."""
    asked, left = [], iter(answers)
    try:
        request = next(plan)
        while True:
            asked.append(request)
            answer = next(left)
            request = plan.throw(answer) if isinstance(answer, Exception) else plan.send(answer)
    except StopIteration as end:
        return asked, end.value


def json_of(text: str) -> Response:
    return Response(200, Headers(), "http://portal/", text.encode())


def test_a_plan_asks_where_it_is_told_and_knows_nothing_of_it() -> None:
    page = json_of('{"total_count": 7, "results": []}')
    for dataset_id, path in ((LOG, f"datasets/{LOG}/records"), (None, "datasets")):
        (there,), count = answered(within("monitoring", records.count(dataset_id, Query())), page)
        (here,), _ = answered(within("catalog", records.count(dataset_id, Query())), page)
        assert (there.path, here.path, count) == (
            f"/api/explore/v2.1/monitoring/{path}",
            f"/api/explore/v2.1/catalog/{path}",
            7,
        )
        assert there.params == here.params
        assert (there.dataset_id, here.dataset_id) == (dataset_id and f"monitoring/{dataset_id}", dataset_id)


def test_a_plan_still_handles_the_error_of_its_own_call() -> None:
    def careful() -> Plan[str]:
        try:
            yield from catalog.dataset(LOG)
        except OdsNotFound:
            return "not there"
        return "there"

    assert answered(within("monitoring", careful()), OdsNotFound("no", status=404))[1] == "not there"
    with pytest.raises(OdsNotFound):
        answered(within("monitoring", catalog.dataset(LOG)), OdsNotFound("no", status=404))


def test_a_file_of_another_address_is_asked_for_there() -> None:
    def fetching() -> Iterator[Any]:
        return (yield Request("https://elsewhere.example.org/api/explore/v2.1/catalog/x", kind="file"))

    (asked,), _ = answered(within("monitoring", fetching()), json_of(""))  # type: ignore[arg-type]
    assert asked.path == "https://elsewhere.example.org/api/explore/v2.1/catalog/x"


def test_a_plan_that_is_given_up_is_closed() -> None:
    ended = []

    def open_() -> Plan[None]:
        try:
            yield Request("/api/explore/v2.1/catalog/datasets")
        finally:
            ended.append(True)

    plan = within("monitoring", open_())
    next(plan)
    plan.close()
    assert ended
