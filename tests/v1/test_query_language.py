"""The portal's own query language: each query keeps what a count of the rows in Python keeps."""

import pytest
from effort import effort
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from ods_provider.testing.search_v1.filters import rows_of
from ods_provider.testing.search_v1.parameters import Parameters
from ods_provider.testing.search_v1.refusal import V1Refusal

SEARCH = "/api/records/1.0/search/"


def folded(text):
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()


CASES = [
    ("", lambda row: True),
    ("*", lambda row: True),
    ("population >= 8000000", lambda row: row["population"] >= 8_000_000),
    ("population>8e6 AND NOT country_code==CN", lambda row: row["population"] > 8e6 and row["country_code"] != "CN"),
    ("population:[100000 TO 400000]", lambda row: 100_000 <= row["population"] <= 400_000),
    ("population:[* TO 100000]", lambda row: row["population"] <= 100_000),
    ("population:2138551", lambda row: row["population"] == 2_138_551),
    ("country_code==FR OR country_code==DE", lambda row: row["country_code"] in ("FR", "DE")),
    ("(country_code==FR OR country_code==DE) AND berlin", lambda row: row["country_code"] == "DE"),
    ("NOT (country_code==FR OR country_code==DE)", lambda row: row["country_code"] not in ("FR", "DE")),
    ('name:"San Jose"', lambda row: row["name"] == "San José"),
    ('cou_name_en:"united"', lambda row: "united" in row["cou_name_en"].lower()),
    ("modification_date>=2020", lambda row: row["modification_date"].year >= 2020),
    ("modification_date>2020", lambda row: row["modification_date"].year > 2020),
    ("modification_date<=2020/02", lambda row: f"{row['modification_date']:%Y-%m}" <= "2020-02"),
    ("modification_date:2020-02", lambda row: f"{row['modification_date']:%Y-%m}" == "2020-02"),
    ("modification_date:[2012 TO 2014/06]", lambda row: "2012" <= f"{row['modification_date']:%Y-%m}" <= "2014-06"),
    ("modification_date<#now(year=2020, month=1, day=1)", lambda row: row["modification_date"].year < 2020),
    ("modification_date>#now()", lambda row: False),
    ("#null(elevation)", lambda row: True),
    ("#null(alternate_names)", lambda row: not row["alternate_names"]),
    ('#exact(name, "Paris")', lambda row: row["name"] == "Paris"),
    ("#exact(alternate_names, 'Wien')", lambda row: "Wien" in (row["alternate_names"] or [])),
    ("#startswith(name, 'san')", lambda row: folded(row["name"]).startswith("san")),
    ('#search(name, "san")', lambda row: any(w.startswith("san") for w in folded(row["name"]).split())),
]  # fmt: skip


@pytest.mark.parametrize(("q", "keeps"), CASES, ids=[case[0] or "empty" for case in CASES])
def test_a_query_keeps_the_rows_that_it_describes(get, ods_portal, q, keeps):
    body = get(SEARCH, dataset="world-capitals", q=q, rows=200).json()
    expected = {row["geoname_id"] for row in ods_portal.rows("world-capitals") if keeps(row)}
    assert {record["fields"]["geoname_id"] for record in body["records"]} == expected
    assert body["nhits"] == len(expected)


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("paris", ["Paris"]),
        ("Vienn", ["Vienna"]),
        ('"Vienn"', []),
        ("Paris, France", ["Paris"]),
        ("wien OR praha", ["Prague", "Vienna"]),
        ("東京", ["Tokyo"]),
        ("N'Djamena", ["N'Djamena"]),
        ('#distance(coordinates, "48.85,2.35", 300000)', ["Brussels", "Luxembourg", "Paris"]),
        ('#polygon(coordinates, "(47,0),(47,7),(50,7),(50,0)") AND NOT luxembourg', ["Paris"]),
        ('#geometry(coordinates, "POLYGON((0 47, 5 47, 5 50, 0 50, 0 47))")', ["Paris"]),
    ],
)
def test_words_and_places_are_found(get, q, names):
    body = get(SEARCH, dataset="world-capitals", q=q, rows=50).json()
    assert sorted(record["fields"]["name"] for record in body["records"]) == names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("geofilter.distance", "48.85,2.35,100000"),
        ("geofilter.polygon", "(47,0),(47,5),(50,5),(50,0)"),
        ("geofilter.bbox", "47,0,50,5"),
    ],
)
def test_geofilters_take_the_latitude_first(get, name, value):
    body = get(SEARCH, dataset="world-capitals", **{name: value}).json()
    assert [record["fields"]["name"] for record in body["records"]] == ["Paris"]


@pytest.mark.parametrize(
    "q",
    [
        "(paris",
        'name:"paris',
        "nofield:1",
        "population:many",
        "name>5",
        "#nothing(x)",
        "#exact(name)",
        "population:#now()",
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_the_key_error(get, q):
    body = get(SEARCH, dataset="world-capitals", q=q, expect=400).json()
    assert list(body) == ["error"]


def test_a_time_without_an_offset_is_in_the_time_zone_of_the_call(get):
    # s-1 reads at 08:01 UTC, which is 09:01 in Paris.
    asked = {"dataset": "live-readings", "q": "at:2026-01-05T09:01"}
    assert get(SEARCH, **asked, timezone="Europe/Paris").json()["nhits"] == 1
    assert get(SEARCH, **asked).json()["nhits"] == 0


PIECES = [
    "paris",
    '"San Jose"',
    "population",
    "name",
    "modification_date",
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    "[",
    "]",
    "TO",
]
PIECES += [
    "TO",
    ":",
    "==",
    ">=",
    "<",
    "2020/02",
    "5",
    "*",
    "#now(years=-1)",
    "#null(name)",
    "#exact(name, 'x')",
    ",",
    "'",
    '"',
]


@settings(
    max_examples=effort(60, at_length=300),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(q=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=7).map(" ".join))
def test_whatever_is_written_is_answered_or_refused(ods_portal, q):
    state = ods_portal.store.datasets["world-capitals"]
    fields = {column.name: column.for_queries() for column in state.columns}
    with ods_portal.store.cursor() as cursor:
        try:
            found = rows_of(Parameters(QueryParams({"q": q})), fields, state.table).count(cursor)
        except V1Refusal as refusal:
            assert refusal.status == 400
        else:
            assert 0 <= found <= 110
