"""``ods mirror``: its table, its JSON, and the exit codes that a script branches on."""

from __future__ import annotations

import pytest

TWO = ("--where", "dataset_id in ('world-capitals', 'all-types')")


@pytest.mark.at_length
def test_the_report_is_a_table_or_json_and_the_exit_code_says_what_is_left(ods, ods_portal):
    ods_portal.set_quota(limit=10, remaining=8)
    command = ("mirror", "--to", "portal", "--format", "csv", *TWO)
    some = ods(*command)
    assert some.code == 75
    assert "all-types" in some.out and "tomorrow" in some.out
    assert "1 done, 1 tomorrow; 12 rows, 6 calls." in some.err
    ods_portal.set_quota(limit=1000, remaining=1000)
    rest = ods(*command, "--json")
    assert (rest.code, rest.json["done"], rest.json["unchanged"], rest.json["calls"]) == (0, 1, 1, 6)
    nothing = ods(*command)
    assert (nothing.code, nothing.out) == (0, "")
    assert "2 unchanged; 0 rows, 1 call." in nothing.err
    ods_portal.touch("world-capitals", rows=1)
    ods_portal.fault("status", status=403, times=None, path="/world-capitals/exports")
    failed = ods(*command)
    assert failed.code == 1
    assert "OdsAuthError" in failed.out


def test_a_place_that_is_missing_or_no_good_is_wrong_usage(ods):
    assert ods("mirror").code == 2
    assert ods("mirror", "--to", "x.duckdb", "--format", "csv").code == 2
