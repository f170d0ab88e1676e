"""ODSQL over a socket: every clause, predicate and function, the null rules, and what is refused."""

import pytest

PARIS = "geom'POINT(2.35 48.85)'"
BOX = "geom'POLYGON((2 48,3 48,3 49,2 49,2 48))'"


class TestWhere:
    @pytest.mark.parametrize(
        ("where", "count"),
        [
            ('"paris"', 1),
            ('"PÁRIS"', 1),
            ("'united kingdom'", 0),
            ("country_code = 'FR'", 1),
            ("country_code='FR' or country_code='DE'", 2),
            ("NOT country_code = 'FR'", 109),
            ("country_code != 'FR'", 109),
            ("not (country_code='FR' or country_code='DE') and population > 10000000", 5),
            ("country_code='FR' or country_code='DE' and population > 99999999", 1),
            ("population > 10000000", 5),
            ("population >= 13076300", 2),
            ("population < 5197", 0),
            ("population <= 5197", 1),
            ("population * 2 > 20000000 ", 5),
            ("population in [5197 TO 6794]", 2),
            ("population in [5197 TO 6794[", 1),
            ("population in ]5197..6794[", 0),
            ("population in ]5197..6794]", 1),
            ("country_code in ('FR', 'DE', 'XX')", 2),
            ('country_code IN ("FR")', 1),
            ("'Rome' in name", 1),
            ("'Roma' in alternate_names", 1),
            ("alternate_names = 'Roma'", 1),
            ("name like 'Par*'", 1),
            ("name LIKE 'lux*rg'", 1),
            ("name like 'paris'", 1),
            ("name: 'paris'", 1),
            ("country_code: 'FR'", 1),
            ("search('pariz')", 1),
            ("search(name, 'luxenburg')", 1),
            ("search(*, 'pariz')", 1),
            ("search(name, cou_name_en, 'germany')", 1),
            ("suggest(name, 'lux')", 1),
            ("suggest(name, 'ab add')", 1),
            ("startswith(name, 'Pa')", 2),
            ("startswith(name, 'pa')", 0),
            ("elevation is null", 110),
            ("elevation IS NOT NULL", 0),
            ("alternate_names is not null", 47),
            ("year(modification_date) = 2020", 7),
            ("length(name) = 4", 8),
            ("lower(name) = 'paris'", 1),
            ("upper(country_code) = 'FR'", 1),
            ("ifnull(elevation, 'none') = 'none'", 110),
            ("modification_date = date'2010-01-01'", 1),
            ("modification_date >= date'2020'", 35),
            ("modification_date >= date'2020/01/01' and modification_date < date'2021-01-01T00:00:00Z'", 7),
            ("modification_date in [date'2020' TO date'2021']", 7),
            ("modification_date < now()", 110),
            ("modification_date > now(years=-1)", 0),
            (f"within_distance(coordinates, {PARIS}, 300km)", 3),
            (f"within_distance(coordinates, {PARIS}, 300000 m)", 3),
            (f"within_distance(coordinates, {PARIS}, 186.5mi)", 3),
            (f"distance(coordinates, {PARIS}) < 300000", 3),
            ("in_bbox(coordinates, 48, 2, 49, 3)", 1),
            (f"intersects(coordinates, {BOX})", 1),
            (f"within(coordinates, {BOX})", 1),
            (f"disjoint(coordinates, {BOX})", 109),
            ('within(coordinates, geom\'{"type":"Polygon","coordinates":[[[2,48],[3,48],[3,49],[2,49],[2,48]]]}\')', 1),
            ("`name` = 'Paris'", 1),
            ("name='N\\'Djamena'", 1),
            ('name="N\'Djamena"', 1),
            ("NAME = 'Paris'", None),
        ],
    )
    def test_a_condition_keeps_the_rows_that_fulfil_it(self, ask, where, count):
        if count is None:
            assert ask.refused(where=where)[1:] == (
                "ODSQLError",
                "ODSQL query is malformed: Unknown field: NAME. Clause(s) containing the error(s): where.",
            )
        else:
            assert ask.total(where=where) == count

    def test_several_clauses_must_all_hold(self, ask):
        assert ask.total(where=["country_code in ('FR','DE')", "population > 3000000"]) == 1

    def test_a_comparison_with_null_is_false_and_its_negation_true(self, ask):
        assert ask.total(where="elevation = 'x'") == 0
        assert ask.total(where="elevation != 'x'") == 110
        assert ask.total(where="not elevation = 'x'") == 110
        assert ask.total(where="not elevation like 'x*'") == 110


class TestSelect:
    @pytest.mark.parametrize(
        ("select", "value"),
        [
            ("population", 2138551),
            ("population + 1", 2138552),
            ("population - 1", 2138550),
            ("population * 2", 4277102),
            ("-population", -2138551),
            ("population / 0", None),
            ("(population + 1) * 2", 4277104),
            ("length(name)", 5),
            ("lower(name)", "paris"),
            ("upper(name)", "PARIS"),
            ("year(modification_date)", 2024),
            ("month(modification_date)", 9),
            ("day(modification_date)", 17),
            ("date_format(modification_date, 'dd/MM/yyyy')", "17/09/2024"),
            ("date_format(modification_date, \"yyyy'-Q'\")", "2024-Q"),
            ("ifnull(elevation, name)", "Paris"),
            ("date'2020-01-02T03:04:05'", "2020-01-02T03:04:05+00:00"),
            ("'text'", "text"),
            ("5.5", 5.5),
            ("true", True),
            ("elevation", None),
            ("coordinates", {"lon": 2.349, "lat": 48.853}),
            ("modification_date", "2024-09-17"),
        ],
    )
    def test_an_expression_has_its_value(self, ask, select, value):
        assert ask.one(select, where="country_code='FR'") == value

    def test_a_column_without_alias_is_called_by_its_text(self, ask):
        (row,) = ask.rows(select="name, population*2, length( name ) , `country_code`", where="country_code='FR'")
        assert list(row) == ["name", "population*2", "length( name )", "country_code"]

    def test_star_and_patterns_choose_fields(self, ask):
        every = list(ask.rows(limit=1)[0])
        assert list(ask.rows(limit=1, select="*")[0]) == every
        assert list(ask.rows(limit=1, select="include(c*)")[0]) == ["country_code", "cou_name_en", "coordinates"]
        assert list(ask.rows(limit=1, select="exclude(coordinates)")[0]) == [
            name for name in every if name != "coordinates"
        ]
        assert list(ask.rows(limit=1, select="*, length(name) as letters")[0]) == [*every, "letters"]

    @pytest.mark.parametrize(
        ("select", "value"),
        [
            ("count(*)", 110),
            ("count(elevation)", 0),
            ("count(alternate_names)", 47),
            ("count(distinct country_code)", 110),
            ("sum(population)", 228619158),
            ("avg(population)", pytest.approx(2078355.98)),
            ("min(population)", 5197),
            ("max(population)", 18960744),
            ("max(modification_date)", "2024-12-04"),
            ("median(population)", 1089995),
            ("percentile(population, 100)", 18960744),
            ("percentile(population, 0.95)", pytest.approx(6851, abs=200)),
            ("sum(population) / count(*)", pytest.approx(2078355.98)),
        ],
    )
    def test_an_aggregate_sums_all_rows_up(self, ask, select, value):
        assert ask.one(select) == value

    def test_the_envelope_is_a_box_around_all_points(self, ask):
        for function in ("envelope", "bbox"):
            shape = ask.one(f"{function}(coordinates)")
            (ring,) = shape["geometry"]["coordinates"]
            assert len(ring) == 5
            assert min(lon for lon, _ in ring) == -99.128

    def test_null_is_shown(self, ask):
        assert ask.rows(select="name, elevation", limit=1) == [{"name": "Kābul", "elevation": None}]


class TestGroupBy:
    def test_groups_are_returned_under_their_names(self, ask):
        rows = ask.rows(
            select="count(*) as n, sum(population) as people", group_by="year(modification_date) as y", limit=100
        )
        assert sum(row["n"] for row in rows) == 110
        assert list(rows[0]) == ["y", "n", "people"]

    def test_a_key_without_alias_is_called_by_its_text(self, ask):
        assert list(ask.rows(group_by="year(modification_date)", limit=1)[0]) == ["year(modification_date)"]

    def test_an_alias_in_select_for_a_key_comes_back_null(self, ask):
        rows = ask.rows(
            select="year(modification_date) as y, count(*) as n", group_by="year(modification_date)", limit=2
        )
        assert rows[0]["y"] is None
        assert rows[0]["year(modification_date)"] == 2010

    def test_an_alias_is_declared_once(self, ask):
        _, code, message = ask.refused(select="year(modification_date) as y", group_by="year(modification_date) as y")
        assert code == "ODSQLError"
        assert "Alias 'y' is declared several times" in message

    def test_rows_without_a_value_are_a_group(self, ask):
        assert ask.rows(select="count(*) as n", group_by="elevation") == [{"elevation": None, "n": 110}]

    def test_each_of_several_values_counts(self, ask):
        rows = ask.rows(select="count(*) as n", group_by="alternate_names", order_by="n desc", limit=1)
        assert rows == [{"alternate_names": None, "n": 63}]

    @pytest.mark.parametrize(
        ("group_by", "counts"),
        [
            ("range(population, *, 100000, 1000000, *)", [10, 41, 59]),
            ("range(population, 100000, 1000000)", [69, 41]),
            ("range(population, 3)", [98, 10, 2]),
            ("range(modification_date, 1 year)", [8] * 5 + [7] * 10),
            ("range(modification_date, 1y)", [8] * 5 + [7] * 10),
        ],
    )
    def test_ranges_cut_a_field_into_pieces(self, ask, group_by, counts):
        rows = ask.rows(select="count(*) as n", group_by=group_by, limit=100)
        assert sorted(row["n"] for row in rows) == sorted(counts)

    def test_order_by_may_name_an_aggregate_a_key_or_an_alias(self, ask):
        by = {"select": "count(*) as n", "group_by": "year(modification_date) as y", "limit": 100}
        assert ask.rows(**by, order_by="y desc")[0]["y"] == 2024
        assert ask.rows(**by, order_by="n desc, y desc")[0]["y"] == 2014
        assert ask.rows(**by, order_by="count(*), y")[0] == {"y": 2015, "n": 7}

    def test_a_point_is_no_group(self, ask):
        assert "geo_cluster" in ask.refused(group_by="coordinates")[2]


class TestOrderBy:
    def test_null_is_last_in_both_directions(self, ask):
        for direction in ("asc", "desc"):
            rows = ask.rows(select="alternate_names", order_by=f"alternate_names {direction}", limit=100)
            assert rows[0]["alternate_names"] is not None
            assert rows[-1]["alternate_names"] is None

    def test_several_keys_and_directions(self, ask):
        assert ask.names(order_by="population DESC")[0] == "Beijing"
        first, second = ask.names(order_by="year(modification_date) desc, population desc")[:2]
        assert (first, second) == ("Bogotá", "Singapore")

    def test_random_with_a_seed_is_an_order_of_its_own(self, ask):
        first = ask.names(order_by="random(1)")
        assert first == ask.names(order_by="random(1)")
        assert first != ask.names(order_by="random(2)")


class TestRefusals:
    @pytest.mark.parametrize(
        ("params", "code", "why"),
        [
            ({"where": "bogus("}, "ODSQLSyntaxError", "unexpected ( at position 5 in bogus("),
            ({"where": "name ="}, "ODSQLSyntaxError", "unexpected end"),
            ({"where": "population > '5'"}, "IncompatibleTypesInComparisonFilter", ""),
            ({"where": "modification_date > '2020'"}, "IncompatibleTypesInComparisonFilter", ""),
            ({"where": "name > 'a'"}, "IncompatibleTypesInComparisonFilter", ""),
            (
                {"where": "modification_date in (date'2020', date'2021')"},
                "ODSQLSyntaxError",
                "unexpected date'2020' at position 22",
            ),
            ({"where": "date_format(modification_date, 'E') in ('x')"}, "ODSQLSyntaxError", "at position 0"),
            ({"where": "sum(population) > 1"}, "ODSQLError", ""),
            ({"where": "population"}, "ODSQLError", ""),
            ({"where": "name = date'soon'"}, "ODSQLError", "Invalid date"),
            ({"where": "intersects(coordinates, geom'POLYGON((')"}, "ODSQLError", "Invalid geometry"),
            ({"where": "within_distance(coordinates, geom'POINT(1 2)', 3 parsec)"}, "ODSQLSyntaxError", ""),
            ({"select": "nothing_such"}, "ODSQLError", "Unknown field: nothing_such."),
            ({"order_by": "datetime"}, "ODSQLError", "Unknown field: datetime."),
            ({"select": "sum(name)"}, "ODSQLError", "StatAggregation only supports numeric or date expression"),
            ({"select": "stddev(population)"}, "ODSQLSyntaxError", "unexpected ("),
            ({"select": "if(true,1,2)"}, "ODSQLSyntaxError", "unexpected ("),
            ({"select": "name, population as"}, "ODSQLSyntaxError", "unexpected end"),
            ({"order_by": "count(*)"}, "ODSQLError", ""),
            ({"group_by": "year(modification_date)", "order_by": "name"}, "ODSQLError", ""),
            ({"where": "name = 'a\nb'"}, "ODSQLSyntaxError", ""),
            ({"where": "name = 'a\\b'"}, "ODSQLSyntaxError", ""),
            ({"select": "data_visible"}, "ODSQLError", "Unknown field: data_visible"),
        ],
    )
    def test_a_query_is_refused_in_the_words_of_the_portal(self, ask, params, code, why):
        status, found, message = ask.refused(**params)
        assert status == 400
        assert found.startswith(code)
        assert why in message
        clause = next(iter(params)) if len(params) == 1 else "order_by"
        if found != "IncompatibleTypesInComparisonFilter":
            assert message.endswith(f"Clause(s) containing the error(s): {clause}.")

    @pytest.mark.parametrize(
        "text",
        [
            '\'; DROP TABLE "data world-capitals"; --',
            "x' OR '1'='1",
            "\\",
            "%",
            "{}",
            "?",
            "'' or 1=1",
            "\u2028",
            "a;b",
        ],
    )
    def test_what_stands_in_a_literal_stays_in_it(self, ask, text):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        assert ask.total(where=f'name = "{quoted}"') == 0
        assert ask.one(f'"{quoted}"') == text
        assert ask.total(refine=f"cou_name_en:{text}") == 0
        assert ask.total() == 110

    @pytest.mark.parametrize(
        "where",
        [
            "name = 'a'; select 1",
            "1=1) or (1=1",
            "name = 'a' union select 1",
            "true -- x y",
            "name = 'a' /* x */",
            'name" = 1',
        ],
    )
    def test_what_is_no_odsql_is_no_sql_either(self, ask, where):
        assert ask.refused(where=where)[:2] == (400, "ODSQLSyntaxError")

    def test_a_name_in_backquotes_is_a_name_only(self, ask):
        assert ask.refused(select='`name" FROM x --`')[1] == "ODSQLError"


class TestTechnicalFields:
    def test_a_row_comes_without_them_unless_asked(self, ask):
        assert not [name for name in ask.rows(limit=1)[0] if name.startswith("_")]
        (row,) = ask.rows(limit=1, include_app_metas="true", include_links="true", select="name")
        assert list(row) == ["_id", "_timestamp", "_size", "_links", "name"]
        assert len(row["_id"]) == 40
        assert ask(row["_links"][0]["href"].removeprefix(ask.portal.url)).json()["name"] == "Kābul"

    def test_they_may_be_named_in_a_query(self, ask):
        (row,) = ask.rows(select="datasetid, recordid as it, record_size", where="name='Paris'")
        assert row["datasetid"] == "world-capitals"
        assert ask.rows(where=f"recordid = '{row['it']}'", select="name") == [{"name": "Paris"}]
        assert row["record_size"] > 20


class TestGeoCluster:
    def test_points_that_lie_together_are_one_group(self, ask):
        rows = ask.rows(
            select="count(*) as n, sum(population) as people", group_by="geo_cluster(coordinates, 2) as c", limit=200
        )
        assert sum(row["n"] for row in rows) == 110
        assert all(row["c"]["count"] == row["n"] for row in rows)
        assert 10 < len(rows) < 100
        largest = max(rows, key=lambda row: row["n"])["c"]
        assert largest["cluster"]["type"] == "Feature"
        assert largest["cluster"]["geometry"]["type"] == "Polygon"
        assert set(largest["cluster_centroid"]) == {"lon", "lat"}

    def test_more_zoom_or_less_radius_makes_more_groups(self, ask):
        counts = [
            len(ask.rows(group_by=f"geo_cluster(coordinates, {arguments})", limit=200))
            for arguments in ("0", "3", "25", "3, 400", "3, 4")
        ]
        assert counts[0] < counts[1] < counts[2] == 110
        assert counts[3] < counts[1] < counts[4]

    def test_rows_without_a_place_are_a_group(self, ask):
        rows = ask.rows("all-types", select="count(*) as n", group_by="geo_cluster(place, 0) as c", limit=100)
        assert {"c": None, "n": 1} in rows

    @pytest.mark.parametrize(
        "call", ["coordinates, 26", "coordinates, -1", "coordinates, 1.5", "coordinates", "name, 3"]
    )
    def test_what_it_does_not_take_is_refused(self, ask, call):
        assert ask.refused(group_by=f"geo_cluster({call})")[:2] == (400, "ODSQLError")

    def test_it_stands_in_group_by_only(self, ask):
        assert ask.refused(select="geo_cluster(coordinates, 3)")[0] == 400


class TestNow:
    @pytest.mark.parametrize(
        ("argument", "value"),
        [
            ("year=2000, month=2, day=3, hour=4, minute=5, second=6, microsecond=0", "2000-02-03T04:05:06+00:00"),
            (
                "year=2001, month=1, day=1, hour=0, minute=0, second=0, microsecond=0, year=2002",
                "2002-01-01T00:00:00+00:00",
            ),
            (
                "year=2000, month=3, day=31, hour=0, minute=0, second=0, microsecond=0, months=-1",
                "2000-02-29T00:00:00+00:00",
            ),
            (
                "year=2000, month=2, day=29, hour=0, minute=0, second=0, microsecond=0, years=1",
                "2001-02-28T00:00:00+00:00",
            ),
            (
                "year=2000, month=1, day=31, hour=0, minute=0, second=0, microsecond=0, days=1",
                "2000-02-01T00:00:00+00:00",
            ),
            # 5 January 2000 was a Wednesday.
            (
                "year=2000, month=1, day=5, hour=0, minute=0, second=0, microsecond=0, weekday=0",
                "2000-01-03T00:00:00+00:00",
            ),
            (
                "year=2000, month=1, day=5, hour=0, minute=0, second=0, microsecond=0, mondays=+1",
                "2000-01-10T00:00:00+00:00",
            ),
            (
                "year=2000, month=1, day=5, hour=0, minute=0, second=0, microsecond=0, mondays=-1",
                "2000-01-03T00:00:00+00:00",
            ),
        ],
    )
    def test_names_in_the_singular_set_and_in_the_plural_add(self, ask, argument, value):
        assert ask.one(f"now({argument})") == value

    @pytest.mark.parametrize("argument", ["year=99999", "fortnights=1", "2000", "month=13"])
    def test_what_is_no_moment_is_refused(self, ask, argument):
        assert ask.refused(select=f"now({argument})")[:2] == (400, "ODSQLError")


def test_names_differ_by_case(ask):
    assert ask.rows(select="name as a, country_code as A", limit=1) == [{"a": "Kābul", "A": "AF"}]
    assert ask.export("json", select="name as a, country_code as A", limit=1).json() == [{"a": "Kābul", "A": "AF"}]
