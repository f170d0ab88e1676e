"""On a real PostgreSQL: what a load may not do to a table that stands, and names that the server would cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_contract import Database
from lab import Lab

from ods_provider.errors import OdsConfigError
from ods_provider.jobs.arguments import load_job
from ods_provider.testing.portal import LocalPortal

FIELDS = {"id": {"type": "int", "annotations": {"id": True}}, "name": "text", "at": "geo_point_2d"}
ROWS = [{"id": number, "name": f"n{number}", "at": {"lon": 3.5 + number, "lat": 51.0}} for number in range(4)]


@pytest.fixture
def portal(ods_portal: LocalPortal) -> LocalPortal:
    return ods_portal


@pytest.fixture
def load(portal: LocalPortal, database: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Loads ``numbers`` into the table ``n``."""
    lab = Lab(portal.url, tmp_path)
    for name in ("numbers", "others"):
        portal.add_dataset(name, fields=FIELDS, rows=ROWS)

    def load(**given: Any) -> dict[str, Any]:
        job = load_job(**{"dataset_id": "numbers", "table": "n", "destination": database.url, **given})
        return dict(lab.done(job))

    return load


@pytest.mark.parametrize("longest", ["n" * 63, "é" * 31 + "n"])
def test_a_name_that_would_be_cut_is_refused_and_the_longest_one_is_taken_whole(
    portal: LocalPortal, load: Callable[..., Any], database: Database, longest: str
) -> None:
    for given in ({}, {"swap": "rename"}, {"swap": "lock"}, {"mode": "merge"}):
        assert load(table=longest, **given)["table_rows"] == 4
    asked = len(portal.requests)
    for table in (longest + "x", f"{longest}x.n", f"public.{longest}y"):
        with pytest.raises(OdsConfigError, match="64 bytes, and this database takes 63"):
            load(dataset_id="others", table=table)
    assert len(portal.requests) == asked
    assert database.tables() == {"_ods_loads", longest}
    database.run(f'CREATE SCHEMA "{longest}"')
    try:
        load(table=f"{longest}.n")
        assert database.run(f'SELECT count(*) FROM "{longest}".n') == [(4,)]
    finally:
        database.run(f'DROP SCHEMA "{longest}" CASCADE')


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ({"mode": "scd2"}, {}, "keeps history"),
        ({"mode": "scd2"}, {"mode": "merge", "table": "public.n"}, "keeps history"),
        ({"mode": "merge", "geo": "wkt"}, {"mode": "append", "geo": "lonlat"}, "geo='wkt'"),
        ({"table": "public.n"}, {"dataset_id": "others"}, "numbers of 127.0.0.1.*others of .*another dataset"),
    ],
)
def test_what_does_not_go_with_the_table_is_refused(
    portal: LocalPortal,
    load: Callable[..., Any],
    database: Database,
    first: dict[str, Any],
    then: dict[str, Any],
    said: str,
) -> None:
    load(**first)
    held = database.run("SELECT * FROM n ORDER BY id")
    with pytest.raises(OdsConfigError, match=said):
        load(**then)
    assert sum("/exports/" in request.path for request in portal.requests) == 1
    assert database.run("SELECT * FROM n ORDER BY id") == held
