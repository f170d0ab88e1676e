"""Limits, windows and totals, in the words that live portals were heard to use."""

import pytest

RECORDS = "/datasets/world-capitals/records"
CODE = "InvalidRESTParameterError"


def test_ten_rows_come_unless_said_otherwise(ask):
    found = ask.whole(RECORDS)
    assert set(found) == {"total_count", "results"}
    assert (found["total_count"], len(found["results"])) == (110, 10)


def test_limit_0_gives_the_count_only(ask):
    assert ask.whole(RECORDS, limit=0) == {"total_count": 110, "results": []}


def test_limit_minus_1_is_a_page_and_not_all(ask):
    assert len(ask.rows(limit=-1)) == 100


@pytest.mark.parametrize("limit", [101, 99999, -2])
def test_a_limit_beyond_the_page_is_refused(ask, limit):
    words = f"Invalid value for limit API parameter: {limit} was found but -1 <= limit <= 100 is expected."
    assert ask.refused(limit=limit) == (400, CODE, words)


def test_the_window_ends_at_10_000(another):
    ask = another(synthetic_rows=10_050)
    assert ask.rows("synthetic-rows", offset=9_900, limit=100, select="id", order_by="id")[-1] == {"id": 9_999}
    words = "Invalid value for sum of offset + limit API parameter: 10001 was found but <= 10000 is expected."
    refused = ask.refused("/datasets/synthetic-rows/records", offset=9_901, limit=100)
    assert refused == (400, CODE, words)


@pytest.mark.parametrize(
    ("name", "value"), [("offset", "-1"), ("limit", "ten"), ("offset", "1.5"), ("timezone", "Mars")]
)
def test_a_parameter_that_makes_no_sense_is_named(ask, name, value):
    status, code, message = ask.refused(**{name: value})
    assert (status, code) == (400, CODE)
    assert message.startswith(f"Invalid value for {name} API parameter: {value}")


def test_the_catalogue_answers_500_at_its_window(ask):
    assert ask.get("/datasets", offset=9_900, limit=100).status_code == 200
    assert ask.refused("/datasets", offset=9_901, limit=100)[0] == 500


def test_a_page_beyond_the_end_is_empty(ask):
    assert ask.whole(RECORDS, offset=500) == {"total_count": 110, "results": []}


def test_a_scalar_aggregate_comes_as_often_as_rows_were_asked_for(ask):
    assert ask.rows(select="count(*)") == [{"count(*)": 110}] * 10
    assert ask.rows(select="count(*)", limit=1) == [{"count(*)": 110}]
    assert ask.rows(select="count(*)", where="country_code='FR'", limit=100) == [{"count(*)": 1}]


def test_groups_have_a_wider_window_and_no_sign_of_truncation(another):
    ask = another(synthetic_rows=20_010)
    groups = ask.whole("/datasets/synthetic-rows/records", group_by="id", select="count(*)", limit=20_000)
    assert len(groups["results"]) == groups["total_count"] == 20_000
    words = "Invalid value for sum of offset + limit API parameter: 60000 was found but <= 20000 is expected"
    assert ask.refused("/datasets/synthetic-rows/records", group_by="id", limit=60_000) == (400, CODE, words)
    assert len(ask.rows("synthetic-rows", group_by="id", select="count(*)")) == 10


def test_some_portals_allow_30_000_groups(another):
    ask = another(synthetic_rows=20_010, group_by_ceiling=30_000)
    assert len(ask.rows("synthetic-rows", group_by="id", limit=30_000)) == 20_010
    assert len(ask.rows("synthetic-rows", group_by="id", limit=-1)) == 20_010
    assert (
        "60000 was found but <= 30000"
        in ask.refused("/datasets/synthetic-rows/records", group_by="id", limit=60_000)[2]
    )


def test_the_grouped_export_has_no_ceiling(another):
    ask = another(synthetic_rows=20_010)
    assert len(ask.export("json", "synthetic-rows", group_by="id", select="count(*) as n").json()) == 20_010


def test_pages_with_an_order_neither_overlap_nor_leave_a_gap(ask):
    pages = [ask.rows(select="name", order_by="timezone", limit=25, offset=start) for start in range(0, 125, 25)]
    names = [row["name"] for page in pages for row in page]
    assert len(names) == len(set(names)) == 110
