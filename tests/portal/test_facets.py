"""Facets: counts, the cap at 100 values, the facet() function, and refining."""

import pytest


def values(ask, path="/datasets/world-capitals/facets", **params):
    return {
        facet["name"]: [(value["value"], value["count"]) for value in facet["facets"]]
        for facet in ask.whole(path, **params)["facets"]
    }


def test_without_a_name_all_declared_facets_come(ask):
    assert list(values(ask)) == ["cou_name_en", "timezone"]


def test_a_facet_has_links_and_values_with_their_state(ask):
    found = ask.whole("/datasets/world-capitals/facets", facet="timezone")
    assert [link["rel"] for link in found["links"]] == ["self", "source"]
    assert found["facets"][0]["facets"][0] == {"name": "Europe", "count": 36, "state": "displayed", "value": "Europe"}


def test_at_most_100_values_come_without_a_sign(ask):
    assert len(values(ask, facet="cou_name_en")["cou_name_en"]) == 100
    assert len(values(ask, facet="cou_name_en", limit=110)["cou_name_en"]) == 100
    assert len(values(ask, facet='facet(name="cou_name_en", limit=110)')["cou_name_en"]) == 100


def test_values_are_sorted_by_count(ask):
    counts = [count for _, count in values(ask, facet="timezone")["timezone"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == 110


@pytest.mark.parametrize(
    ("call", "first"),
    [
        ('facet(name="timezone", sort=alphanum)', ("Africa", 23)),
        ('facet(name="timezone", sort=-alphanum)', ("Pacific", 2)),
        ('facet(name="timezone", sort="count")', ("Atlantic", 1)),
        ('facet(name="timezone", sort=-count)', ("Europe", 36)),
        ('facet(name="timezone", hierarchical=false, sort=alphanum)', ("Africa/Accra", 1)),
        ('facet(name="timezone", hierarchical=true, separator="/", limit=1)', ("Europe", 36)),
        ('facet(name="population", sort=num)', ("5197", 1)),
        ('facet(name="population", sort=-num)', ("18960744", 1)),
        ("facet(name='modification_date', sort=alphanum)", ("2010", 8)),
    ],
)
def test_the_facet_function_takes_options(ask, call, first):
    (found,) = values(ask, facet=call).values()
    assert found[0] == first


def test_several_facets_come_in_one_call(ask):
    assert list(values(ask, facet=["timezone", "country_code"])) == ["timezone", "country_code"]


def test_refining_narrows_and_opens_the_next_level(ask):
    assert ask.total(refine="timezone:Europe") == 36
    assert ask.total(refine="timezone:Europe/Paris") == 1
    opened = values(ask, facet="timezone", refine="timezone:Europe")["timezone"]
    assert len(opened) == 36
    assert ("Europe/Paris", 1) in opened


def test_a_date_facet_is_refined_by_its_path(ask):
    assert ask.total(refine="modification_date:2024") == 7
    assert ask.total(refine="modification_date:2024/09") == 2
    assert ask.total(refine="modification_date:2024/09/17") == 1
    assert values(ask, facet="modification_date", refine="modification_date:2024/09")["modification_date"] == [
        ("2024/09/17", 1),
        ("2024/09/21", 1),
    ]


def test_repeated_parameters_add_up_and_commas_do_not_part_them(ask):
    assert ask.total(refine=["timezone:Europe", "cou_name_en:France"]) == 1
    assert ask.total(refine=["timezone:Europe", "cou_name_en:Japan"]) == 0
    assert ask.total(refine=["timezone:Europe", "timezone:Asia"]) == 0
    assert ask.total(refine="cou_name_en:France,cou_name_en:Japan") == 0
    assert ask.total(exclude=["timezone:Europe", "timezone:Africa"]) == 110 - 36 - 23
    assert ask.total(refine="timezone:Europe", exclude="cou_name_en:France") == 35


def test_values_of_a_disjunctive_facet_are_alternatives(ask):
    assert ask.total(refine=["cou_name_en:France", "cou_name_en:Japan"]) == 2


def test_a_value_keeps_its_colons(ask):
    assert ask.total(refine="cou_name_en:a:b:c") == 0


def test_one_of_several_values_is_enough(ask):
    assert ask.total(refine="alternate_names:Roma") == 1
    assert ask.total(exclude="alternate_names:Roma") == 109
    assert ("Roma", 1) in values(ask, facet="alternate_names", where="name='Rome'")["alternate_names"]


def test_a_facet_that_there_is_not_is_refused(ask):
    for params in ({"facet": "nope"}, {"facet": "timezone", "refine": "nope:x"}, {"facet": "facet(sort=count)"}):
        status, code, _ = ask.refused("/datasets/world-capitals/facets", **params)
        assert (status, code) == (400, "ODSQLError")
    assert ask.refused(refine="nope:x")[:2] == (400, "ODSQLError")
    assert ask.refused(refine="nope")[:2] == (400, "ODSQLError")


def test_the_catalogue_has_facets_too(ask):
    found = values(ask, "/facets")
    assert {"publisher", "license", "theme", "keyword", "features", "language"} <= set(found)
    assert ("Places", 2) in found["theme"]
    narrowed = values(ask, "/facets", facet="keyword", refine="theme:Sensors")
    assert narrowed == {"keyword": [("realtime", 1)]}
    assert ask.whole("/datasets", refine="theme:Sensors", limit=0)["total_count"] == 2
