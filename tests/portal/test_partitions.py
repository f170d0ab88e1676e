"""Queries cut into parts by the planner and evaluated by the local portal: each row lies in exactly one part."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from effort import effort
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ods_provider.client import OdsClient
from ods_provider.core.plans import catalog
from ods_provider.core.plans.partitions import Partition, partition
from ods_provider.core.plans.records import count, export_rows
from ods_provider.core.query import Query
from ods_provider.testing.portal import LocalPortal

DST = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
NASTY = st.sampled_from(['"', "'", "\\", "\t", "\\t", '" OR ""="', "é", "城", "%", "*", " ", "`", "#&+", "\u2028"])
WORDS = st.lists(st.one_of(NASTY, st.text(string.ascii_letters, max_size=2)), max_size=4).map("".join)
BROKEN = st.sampled_from(["two\nlines", "a\r\nb", "\x07"])
BIG = st.one_of(st.integers(2**53 - 2, 2**53 + 4), st.integers(-(2**63), 2**63 - 1), st.just(-(2**63)))
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.one_of(
    st.sampled_from([datetime(2026, 1, 1, tzinfo=UTC), DST, AUTUMN, datetime(1, 1, 1, tzinfo=UTC)]),
    st.sampled_from([DST, AUTUMN]).flatmap(
        lambda start: st.integers(0, 300).map(lambda m: start + timedelta(minutes=m))
    ),
    st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC)),
)
DAYS = st.one_of(st.dates(date(2024, 2, 1), date(2024, 3, 31)), st.dates())
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.one_of(st.integers(-5, 5), BIG),
    "double": st.one_of(st.sampled_from([0.1, -0.0, 1e300, 1e-7, 2.0**60]), DOUBLES),
    "datetime": MOMENTS,
    "date": DAYS,
    "text": WORDS,
}
ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Pacific/Apia"])


# What comes first is what the examples hold most of.
SIZES = st.sampled_from([90, 40, 60, 90, 7, 40, 2, 1, 0])
PARTS = st.one_of(st.sampled_from([4, 16, 2, 7, 40, 31]), st.integers(1, 40))


@st.composite
def cells(draw: st.DrawFn, kind: str) -> st.SearchStrategy[Any]:
    """What one column holds: many values or few, one only, none at all; and nulls among them, or not."""
    how = draw(st.sampled_from(["many", "few", "many", "some null", "few", "one", "nothing"]))
    if how == "nothing":
        return st.none()
    least, most = {"one": (1, 1), "few": (3, 6)}.get(how, (20, 40))
    values = draw(st.lists(VALUES[kind], min_size=least, max_size=most))
    if kind == "text" and draw(st.integers(0, 4)) == 4:
        values.append(draw(BROKEN))
    return st.sampled_from([*values, *([None] * 8 if how == "some null" else [])])


@st.composite
def datasets(draw: st.DrawFn) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Fields of some types; beside them one that tells rows apart and cuts nothing, since equal rows would be one."""
    rows = draw(SIZES)
    kinds = draw(st.lists(st.sampled_from(["text", "int", "datetime", "double", "date"]), min_size=1, max_size=3))
    fields = {f"f{number}": kind for number, kind in enumerate(kinds)}
    each = {name: draw(cells(kind)) for name, kind in fields.items()}
    made = draw(st.lists(st.fixed_dictionaries(each), min_size=rows, max_size=rows))
    return {**fields, "number": "json_blob"}, [{**row, "number": number} for number, row in enumerate(made)]


class Bench:
    """A portal, a client, and what a partition holds when the portal evaluates it."""

    def __init__(self, portal: LocalPortal) -> None:
        self.portal = portal
        self.client = OdsClient(portal.url)

    def cut(self, dataset_id: str, query: Query = Query(), **how: Any) -> Partition:  # noqa: B008  it is frozen
        dataset = self.client.run(catalog.dataset(dataset_id))
        total = self.client.run(count(dataset_id, query))
        calls = len(self.portal.requests)
        made = self.client.run(partition(dataset, query, total=total, **how))
        assert made.calls == len(self.portal.requests) - calls
        assert made.total == total == sum(part.rows for part in made.parts)
        assert [part.number for part in made.parts] == list(range(len(made.parts)))
        return made

    def ids(self, dataset_id: str, query: Query) -> list[str]:
        narrow = Query(select="recordid", where=query.where, refine=query.refine, timezone=query.timezone)
        return [row["recordid"] for row in self.client.run(export_rows(dataset_id, narrow))]

    def expect_each_row_once(self, dataset_id: str, query: Query, made: Partition) -> None:
        whole = Counter(self.ids(dataset_id, query))
        found: Counter[str] = Counter()
        for part in made.parts:
            ids = self.ids(dataset_id, made.query_of(query, part))
            assert len(ids) == part.rows, part
            found.update(ids)
        assert found == whole


@pytest.fixture
def bench(ods_portal: LocalPortal) -> Iterator[Bench]:
    made = Bench(ods_portal)
    yield made
    made.client.close()


def examples(little: int) -> Any:
    return settings(
        max_examples=effort(little, at_length=10 * little),
        derandomize=not effort(False, at_length=True),
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


def test_every_row_lies_in_exactly_one_part_or_there_is_a_reason_for_one_stream(bench: Bench) -> None:
    @examples(30)
    @given(datasets(), PARTS, ZONES, st.booleans())
    def holds(dataset: tuple[dict[str, str], list[dict[str, Any]]], parts: int, zone: str, asked: bool) -> None:
        fields, rows = dataset
        bench.portal.add_dataset("random", fields, rows)
        query = Query(timezone=zone)
        made = bench.cut("random", query, parts=parts, field="f0" if asked else None)
        assert len(made.parts) <= parts + 1
        if made.field is None:
            assert len(made.parts) == 1 and made.tried and all(sentence[0] for sentence in made.tried)
        else:
            assert max(part.rows for part in made.parts) < made.total
        bench.expect_each_row_once("random", query, made)

    holds()


def moments(rows: int) -> list[dict[str, Any]]:
    """Most rows lie in one hour of a night in which the clock jumps; the others over years."""
    dense = [AUTUMN + timedelta(hours=2, seconds=number * 5) for number in range(rows - 20)]
    return [{"at": moment, "n": str(moment)} for moment in [*dense, *(DST.replace(year=2000 + n) for n in range(20))]]


def test_moments_are_looked_at_more_closely_where_they_are_dense(bench: Bench) -> None:
    bench.portal.add_dataset("dense", {"at": "datetime", "n": "json_blob"}, moments(300))
    query = Query(timezone="Europe/Paris")
    made = bench.cut("dense", query, parts=8)
    assert (made.field, len(made.parts)) == ("at", 9)
    assert made.calls <= 5 + len(made.parts)
    assert max(part.rows for part in made.parts) < 300 / 8 * 2
    assert all("+00:00'" in (part.where or "") for part in made.parts[:-1])
    bench.expect_each_row_once("dense", query, made)


@pytest.mark.parametrize("field", ["day", "month", "year", "at", "big", "ratio", "kind"])
def test_every_type_that_can_be_cut_is_cut(bench: Bench, field: str) -> None:
    made = bench.cut("all-types", parts=4, field=field)
    assert made.field == field and len(made.parts) >= 3, made.tried
    assert made.parts[-1].where is not None and made.parts[-1].where.endswith(" IS NULL")
    bench.expect_each_row_once("all-types", Query(), made)


def test_a_text_with_line_breaks_is_not_taken(bench: Bench) -> None:
    made = bench.cut("all-types", parts=4, field="words")
    assert made.field == "number"
    assert made.tried == ("words was not taken: the text holds a line break, which no literal can",)


def test_parts_lie_within_what_the_query_keeps(bench: Bench) -> None:
    query = Query.of(where=["population > 1000 OR elevation IS NULL", "NOT country_code = 'FR'"], exclude="name:Rome")
    made = bench.cut("world-capitals", query, parts=5, field="timezone")
    assert made.field == "timezone" and made.total == 108
    assert sum(part.rows for part in made.parts) == 108
    assert max(part.rows for part in made.parts) < 108 / 5 * 1.5


def test_numbers_beyond_2_to_the_53_lie_on_their_own_side(bench: Bench) -> None:
    rows = [{"big": 2**53 + number} for number in range(40)] + [{"big": -(2**63) + number} for number in range(40)]
    bench.portal.add_dataset("big", {"big": "int"}, rows)
    made = bench.cut("big", parts=8)
    assert made.field == "big" and len(made.parts) > 4
    bench.expect_each_row_once("big", Query(), made)


@pytest.mark.at_length
def test_many_parts_are_even(bench: Bench) -> None:
    rows = [{"value": (number * 7919) % 1009 / 7, "kind": f"k{number % 50}"} for number in range(1000)]
    bench.portal.add_dataset("even", {"value": "double", "kind": "text"}, rows)
    made = bench.cut("even", parts=32)
    assert (made.field, made.calls) == ("value", 34)
    assert max(part.rows for part in made.parts) <= 1000 / 32 + 2
