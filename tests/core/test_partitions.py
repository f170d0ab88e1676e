"""Where a field is cut, and what the planner makes of answers that do not add up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ods_provider.core import histogram
from ods_provider.core.cuts import CLAUSE_BYTES, bins, boundaries, nothing, quantiles, ranges, share
from ods_provider.core.errors import OdsConfigError, OdsQueryError, OdsQuotaExceeded
from ods_provider.core.plans.partitions import Partition, partition
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset, Field
from ods_provider.core.wire import Headers, Plan, Request, Response

COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=60)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


class TestBoundaries:
    @given(COUNTS, st.integers(1, 40))
    def test_they_rise_and_leave_rows_on_both_sides(self, counts: list[int], parts: int) -> None:
        made = boundaries([(number, rows) for number, rows in enumerate(counts)], parts)
        places = [start for start, _ in made]
        assert places == sorted(set(places)) and len(made) < parts
        for start, before in made:
            assert before == sum(counts[: int(start)])  # type: ignore[arg-type]
            assert 0 < before < sum(counts)

    @given(st.integers(1, 40), st.integers(2, 400))
    def test_equal_pieces_are_cut_evenly(self, parts: int, pieces: int) -> None:
        made = boundaries([(number, 1) for number in range(pieces)], parts)
        ends = [0, *(before for _, before in made), pieces]
        largest = max(after - before for before, after in pairwise(ends))
        assert largest <= pieces / parts + 1

    def test_one_heavy_piece_stands_alone(self) -> None:
        assert boundaries([("a", 10), ("b", 70), ("c", 20)], 4) == [("b", 10), ("c", 80)]  # type: ignore[list-item]


class TestQuantiles:
    def test_a_common_value_is_several_percentiles_and_one_boundary(self) -> None:
        made = quantiles(0, 9, [0, 0, 5, 5, 7], 60, whole=True)
        assert [start for start, _ in made] == [0, 5, 7]
        assert sum(rows for _, rows in made) == 60

    def test_whole_numbers_are_cut_between_each_other(self) -> None:
        assert [start for start, _ in quantiles(1, 9, [3.2, 6.0], 30, whole=True)][1:] == [4, 6]
        assert [start for start, _ in quantiles(1, 9, [3.2, 6.0], 30, whole=False)][1:] == [3.2, 6.0]

    def test_two_values_are_cut_at_the_larger_one(self) -> None:
        assert quantiles(0, 1, [0, 0, 0], 40, whole=True) == [(0, 39), (1, 1)]

    @pytest.mark.parametrize("value", [None, "5", True, float("inf"), 2.0**70])
    def test_what_is_no_number_of_64_bits_is_no_boundary(self, value: Any) -> None:
        assert [start for start, _ in quantiles(0, 9, [value, 5], 30, whole=True)][1:] == [5]


class TestRanges:
    def test_they_are_half_open_and_open_at_both_ends(self) -> None:
        made = ranges("population", [(1000, 10), (5000, 20)], 30)
        assert [piece.where for piece in made] == [
            "population < 1000",
            "population >= 1000 AND population < 5000",
            "population >= 5000",
        ]
        assert [piece.label for piece in made] == [
            "population below 1000",
            "population 1000 to 5000",
            "population from 5000",
        ]
        assert [piece.rows for piece in made] == [10, 10, 10]
        assert nothing("population", 3).where == "population IS NULL"
        assert nothing("population", 3).label == "no population"

    def test_moments_carry_their_offset_and_reserved_names_their_quotes(self) -> None:
        (first, last) = ranges("day", [(JANUARY, 1)], 2)
        assert first.where == "`day` < date'2026-01-01T00:00:00+00:00'"
        assert (first.label, last.label) == ("day below 2026-01-01", "day from 2026-01-01")
        assert ranges("at", [(JANUARY + timedelta(hours=5), 1)], 2)[1].label == "at from 2026-01-01T05:00:00Z"

    @pytest.mark.parametrize(
        ("parts", "held", "total", "made"), [(16, 100, 100, 16), (16, 50, 100, 8), (16, 1, 100, 1), (4, 3, 3, 3)]
    )
    def test_rows_without_a_value_take_their_share(self, parts: int, held: int, total: int, made: int) -> None:
        assert share(parts, held, total) == made


class TestBins:
    def test_the_largest_go_first_each_into_the_emptiest(self) -> None:
        made = bins("country", [("FR", 5), ("DE", 4), ("IT", 3), ("ES", 3), ("PT", 1)], 2)
        assert made is not None
        assert [piece.where for piece in made] == ['country IN ("FR", "IT")', 'country IN ("DE", "ES", "PT")']
        assert [piece.rows for piece in made] == [8, 8]
        assert [piece.label for piece in made] == ["country FR and IT", "country DE, ES and 1 more"]

    def test_one_value_is_an_equation_and_no_bin_is_empty(self) -> None:
        made = bins("country", [("FR", 5), ('D"E\\\t', 4)], 7)
        assert made is not None
        assert [piece.where for piece in made] == ['country = "FR"', 'country = "D\\"E\\\\\t"']

    def test_a_value_that_no_literal_can_name_is_refused(self) -> None:
        with pytest.raises(OdsConfigError, match="line break"):
            bins("country", [("FR", 5), ("two\nlines", 4)], 2)

    def test_clauses_stay_short_enough_for_a_url(self) -> None:
        values = [(f"城市 {number}", 1) for number in range(400)]
        assert bins("name", values, 2) is None
        made = bins("name", values, 8)
        assert made is not None
        assert max(len(quote_plus(piece.where)) for piece in made) <= CLAUSE_BYTES
        assert sum(piece.rows for piece in made) == 400


class TestHistograms:
    @pytest.mark.parametrize(
        ("days", "last", "units"),
        [
            (True, JANUARY + timedelta(days=1), 3),
            (False, JANUARY + timedelta(days=1), 5),
            (False, JANUARY + timedelta(minutes=10), 6),
            (False, JANUARY + timedelta(days=365), 3),
            (False, JANUARY + timedelta(days=365 * 20), 2),
            (False, datetime(9999, 12, 31, tzinfo=UTC), 1),
        ],
    )
    def test_they_are_as_fine_as_the_list_stays_short(self, days: bool, last: datetime, units: int) -> None:
        assert histogram.units(JANUARY, last, days=days) == histogram.UNITS[:units]

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2020", datetime(2020, 1, 1, tzinfo=UTC)),
            ("1984-12", datetime(1984, 12, 1, tzinfo=UTC)),
            ("1984-12-05", datetime(1984, 12, 5, tzinfo=UTC)),
            ("2026-01-01T02:00:00+02:00", JANUARY),
            ("2026-01-01T00:00:00Z", JANUARY),
            ("soon", None),
            (2020, None),
            (None, None),
        ],
    )
    def test_ends_are_read_however_dates_are_cut(self, text: Any, moment: datetime | None) -> None:
        assert histogram.moment(text, UTC) == moment

    def test_parts_of_a_moment_are_those_of_the_time_zone(self) -> None:
        rows = [{"ods_year": 2026, "ods_month": 3, "ods_rows": 2}, {"ods_year": None, "ods_month": None, "ods_rows": 9}]
        (span,) = histogram.spans(rows, ("year", "month"), ZoneInfo("Europe/Paris"))
        assert (span.start, span.end) == (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))

    def test_years_that_no_literal_names_are_left_to_the_ends(self) -> None:
        rows = [{"ods_year": year, "ods_rows": 1} for year in (0, 2020, 10_000)]
        assert [span.key for span in histogram.spans(rows, ("year",), UTC)] == [(2020,)]

    def test_a_time_zone_that_is_not_known_here_is_taken_for_utc(self) -> None:
        assert histogram.zone_of("Mars/Olympus", days=False) is UTC


# The plan, fed by hand

CITIES = Dataset(
    "cities",
    (
        Field("population", "int"),
        Field("tags", "text", annotations={"multivalued": ";"}),
        Field("place", "geo_point_2d"),
        Field("country", "text", annotations={"facet": True}),
    ),
)
SUMMARY = {"ods_least": 0, "ods_most": 99, "ods_held": 100, "ods_p1": 25, "ods_p2": 50, "ods_p3": 75}
GROUPS = [{"ods_value": value, "ods_rows": 25} for value in "ABCD"]
Answer = Callable[[dict[str, list[str]]], Any]


def fed(plan: Plan[Partition], portal: Answer) -> tuple[Partition, list[dict[str, list[str]]]]:
    """Run the plan over what ``portal`` answers: rows, a count, or an error to throw."""
    asked: list[dict[str, list[str]]] = []
    try:
        request = next(plan)
        while True:
            request = _step(plan, request, portal, asked)
    except StopIteration as end:
        return end.value, asked


def _step(plan: Plan[Partition], request: Request, portal: Answer, asked: list[dict[str, list[str]]]) -> Request:
    sent: dict[str, list[str]] = {}
    for name, value in request.params:
        sent.setdefault(name, []).append(value)
    asked.append(sent)
    given = portal(sent)
    if isinstance(given, Exception):
        return plan.throw(given)
    body = {"total_count": given, "results": []} if isinstance(given, int) else {"total_count": 1, "results": given}
    return plan.send(Response(200, Headers(), "https://h/x", body=json.dumps(body).encode()))


def portal(count: Answer, *, numbers: Any = (SUMMARY,), groups: Any = GROUPS) -> Answer:
    def answer(sent: dict[str, list[str]]) -> Any:
        if "group_by" in sent:
            return groups
        if "select" in sent:
            return numbers if isinstance(numbers, Exception) else list(numbers)
        return count(sent)

    return answer


def honest(sent: dict[str, list[str]]) -> int:
    clause = sent["where"][-1]
    return 0 if "NULL" in clause else 25 * max(1, clause.count('"') // 2)


def refusal(what: str = "Unknown field: population") -> OdsQueryError:
    return OdsQueryError(what, status=400, code="ODSQLError")


def test_numbers_are_cut_with_one_look_and_each_part_is_counted() -> None:
    query = Query.of(where=["a = 1 OR b = 2"], refine={"country": "A"}, order_by="x", select="population")
    made, asked = fed(partition(CITIES, query, parts=4, total=100), portal(honest))
    assert (made.field, made.calls, made.tried) == ("population", 6, ())
    assert [part.rows for part in made.parts] == [25, 25, 25, 25, 0]
    assert [part.label for part in made.parts] == [
        "population below 25",
        "population 25 to 50",
        "population 50 to 75",
        "population from 75",
        "no population",
    ]
    assert "percentile(population, 25) as ods_p1" in asked[0]["select"][0]
    for sent in asked:
        assert sent["where"][0] == "a = 1 OR b = 2" and sent["refine"] == ["country:A"] and "order_by" not in sent
    narrowed = made.query_of(query, made.parts[1])
    assert narrowed.where == ("a = 1 OR b = 2", "population >= 25 AND population < 50")
    assert (narrowed.order_by, narrowed.select) == ("x", "population")


@pytest.mark.parametrize(
    ("lie", "said"), [(-1, "96 rows, which is not the whole of 100"), (1, "rows, which is more than the whole of 100")]
)
def test_a_sum_that_is_not_the_whole_leads_to_another_field(lie: int, said: str) -> None:
    def counts(sent: dict[str, list[str]]) -> int:
        clause = sent["where"][-1]
        return honest(sent) + (lie if "population" in clause and "NULL" not in clause else 0)

    made, asked = fed(partition(CITIES, Query(), parts=4, total=100), portal(counts))
    assert made.field == "country"
    assert [part.where for part in made.parts][:2] == ['country = "A"', 'country = "B"']
    (sentence,) = made.tried
    assert sentence.startswith("population was not taken: ") and said in sentence
    assert made.calls == len(asked)


def test_a_gap_that_an_overlap_makes_up_for_is_found_where_counts_are_known() -> None:
    def counts(sent: dict[str, list[str]]) -> int:
        return honest(sent) + {'country = "A"': 1, 'country = "B"': -1}.get(sent["where"][-1], 0)

    made, _ = fed(partition(CITIES, Query(), parts=4, total=100, field="country"), portal(counts))
    assert made.field == "population"
    assert made.tried == ("country was not taken: country A are 26 rows, and 25 as groups",)


@pytest.mark.parametrize("where", ["look", "count"])
def test_a_field_that_the_portal_refuses_leads_to_another(where: str) -> None:
    def counts(sent: dict[str, list[str]]) -> Any:
        return refusal() if "population" in sent["where"][-1] else honest(sent)

    answers = portal(counts, numbers=refusal()) if where == "look" else portal(counts)
    made, _ = fed(partition(CITIES, Query(), parts=4, total=100), answers)
    assert made.field == "country"
    assert "refuses" in made.tried[0] and "Unknown field: population" in made.tried[0]


def test_other_errors_end_the_planning() -> None:
    spent = OdsQuotaExceeded("spent", status=429)
    with pytest.raises(OdsQuotaExceeded):
        fed(partition(CITIES, Query(), parts=4, total=100), portal(honest, numbers=spent))


def test_a_list_of_groups_at_its_cap_is_not_used() -> None:
    many = [{"ods_value": f"v{number}", "ods_rows": 1} for number in range(10_000)]
    answers = portal(honest, numbers=refusal(), groups=many)
    made, _ = fed(partition(CITIES, Query(), parts=4, total=20_000), answers)
    assert (made.field, [part.where for part in made.parts], made.calls) == (None, [None], 2)
    assert "10,000 groups or more" in made.tried[1]
    assert made.tried[-1] == "It is one stream, since no field that was looked at cuts it"


def test_a_lopsided_cut_is_taken_when_nothing_is_better() -> None:
    lopsided = {**SUMMARY, "ods_p1": 0, "ods_p2": 0}  # three quarters are 0

    def counts(sent: dict[str, list[str]]) -> int:
        return {"population < 75": 75, "population >= 75": 25}.get(sent["where"][-1], honest(sent))

    made, _ = fed(partition(CITIES, Query(), parts=4, total=100), portal(counts, numbers=[lopsided]))
    assert made.field == "country"
    assert made.tried == ("population was not taken: its largest part would hold about 75 of 100 rows",)
    one = [{"ods_value": "A", "ods_rows": 100}]
    made, _ = fed(partition(CITIES, Query(), parts=4, total=100), portal(counts, numbers=[lopsided], groups=one))
    assert (made.field, [part.rows for part in made.parts]) == ("population", [75, 25, 0])


@pytest.mark.parametrize(
    ("calls", "parts", "said"),
    [
        (11, 5, None),
        (10, 4, "There are 3 parts instead of 4, since 10 calls are left"),
        (7, 3, "There are 2 parts instead of 4, since 7 calls are left"),
        (6, 1, "population was not tried: 6 calls are left, which is too few for two parts"),
        (0, 1, "population was not tried: 0 calls are left, which is too few for two parts"),
    ],
)
def test_a_small_quota_gives_fewer_parts(calls: int, parts: int, said: str | None) -> None:
    def counts(sent: dict[str, list[str]]) -> int:
        clause = sent["where"][-1]
        return 0 if "NULL" in clause else 100 // (parts - 1) + (100 % (parts - 1) if ">=" not in clause else 0)

    made, asked = fed(partition(CITIES, Query(), parts=4, total=100, most_calls=calls), portal(counts))
    assert len(made.parts) == parts
    assert made.calls == len(asked)
    if parts > 1:
        assert made.calls + len(made.parts) <= calls
    assert (made.tried[0] if made.tried else None) == said


def test_a_proof_that_fails_counts_in_the_quota() -> None:
    made, asked = fed(
        partition(CITIES, Query(), parts=4, total=100, most_calls=11),
        portal(lambda sent: max(0, honest(sent) - ("population" in sent["where"][-1]))),
    )
    assert made.field is None and len(asked) + 1 <= 11
    assert "country was not tried" in made.tried[1]


@pytest.mark.parametrize(
    ("parts", "total", "query", "why"),
    [
        (1, 100, Query(), "no more was asked for"),
        (4, 1, Query(), "there is 1 row"),
        (4, 0, Query(), "there are no rows"),
        (4, 100, Query(group_by="country"), "the rows of one group may lie in several parts"),
    ],
)
def test_one_stream_needs_no_call_where_nothing_is_to_be_cut(parts: int, total: int, query: Query, why: str) -> None:
    made, asked = fed(partition(CITIES, query, parts=parts, total=total), portal(honest))
    assert (made.field, made.calls, asked) == (None, 0, [])
    assert made.tried == (f"It is one stream, since {why}",)
    (part,) = made.parts
    assert (part.number, part.where, part.rows, part.label) == (0, None, total, "all rows")
    assert made.query_of(query, part) == query


@pytest.mark.parametrize(("field", "why"), [("tags", "several values in a cell"), ("place", "type geo_point_2d")])
def test_a_field_that_cannot_be_cut_leads_to_another(field: str, why: str) -> None:
    made, _ = fed(partition(CITIES, Query(), parts=4, total=100, field=field), portal(honest))
    assert made.field == "population"
    assert made.tried[0].startswith(f"{field} was not taken: ") and why in made.tried[0]


def test_a_field_that_the_dataset_has_not_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(OdsConfigError, match=r"has no field 'populaton'.*Did you mean 'population'"):
        fed(partition(CITIES, Query(), parts=4, total=100, field="populaton"), portal(honest))
    with pytest.raises(OdsConfigError, match="Name a field of the dataset"):
        fed(partition(CITIES, Query(), parts=1, total=0, field="zzz"), portal(honest))


def test_no_more_than_four_fields_are_looked_at_and_texts_are_among_them() -> None:
    many = Dataset("many", (*(Field(f"n{number}", "int") for number in range(9)), Field("t", "text")))
    made, asked = fed(partition(many, Query(), parts=4, total=100), portal(honest, numbers=refusal()))
    assert (made.field, len(made.tried)) == ("t", 3)
    assert [sent["select"][0].partition(")")[0] for sent in asked[:3]] == ["min(n0", "min(n1", "min(n2"]


def test_no_more_parts_than_rows() -> None:
    two = {**SUMMARY, "ods_held": 2, "ods_p1": 50}
    made, _ = fed(
        partition(CITIES, Query(), parts=40, total=2),
        portal(lambda sent: 0 if "NULL" in sent["where"][-1] else 1, numbers=[two]),
    )
    assert [part.rows for part in made.parts] == [1, 1, 0]
