"""What a load's user lacks is found before anything is fetched, and told by the name of the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab import Lab
from mariadb import mariadb
from mariadb_database import MariaDb

from ods_provider.core.errors import OdsTableError
from ods_provider.jobs.arguments import load_job, mirror_job
from ods_provider.testing.portal import LocalPortal


@pytest.fixture(scope="module")
def maria() -> Iterator[MariaDb]:
    with mariadb() as url:
        yield MariaDb(url)


@pytest.fixture
def portal() -> Iterator[LocalPortal]:
    with LocalPortal() as portal:
        portal.add_dataset("numbers", fields={"id": "int"}, rows=[{"id": 1}, {"id": 2}])
        yield portal


@pytest.fixture
def role(database: Any) -> Iterator[str]:
    name = "role_of_a_test"
    database.run(f"CREATE ROLE {name} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield name
    database.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


def refused(lab: Lab, portal: LocalPortal, url: str, said: str, **given: Any) -> None:
    asked = len(portal.requests)
    with pytest.raises(OdsTableError, match=said) as caught:
        lab.done(load_job(**{"dataset_id": "numbers", "table": "numbers", "destination": url} | given))
    assert not any("/exports/" in request.path for request in portal.requests[asked:])
    assert "_ods_" not in str(caught.value) or "_ods_loads" in said


def test_postgresql_is_asked_first(database: Any, role: str, portal: LocalPortal, tmp_path: Any) -> None:
    lab, theirs = Lab(portal.url, tmp_path), database.url.replace("://ods@", f"://{role}@")
    refused(lab, portal, database.url, "There is no such schema: nowhere.*create schema", table="nowhere.numbers")
    refused(lab, portal, theirs, r'the right CREATE on SCHEMA "public".*GRANT CREATE ON SCHEMA "public" TO')
    with pytest.raises(OdsTableError, match="There is no such schema: nowhere"):
        lab.done(mirror_job(to=database.url, schema="nowhere"))
    lab.done(load_job(dataset_id="numbers", table="numbers", destination=database.url))
    database.run(f"GRANT SELECT ON numbers, _ods_loads TO {role}")
    refused(lab, portal, theirs, r'INSERT, DELETE on "public"."numbers", INSERT, DELETE on "public"."_ods_loads"')
    database.run(f"GRANT INSERT, DELETE ON numbers, _ods_loads TO {role}")
    assert lab.done(load_job(dataset_id="numbers", table="numbers", destination=theirs))["rows"] == 2


def test_mariadb_is_tried_first_and_nothing_stays(maria: MariaDb, portal: LocalPortal, tmp_path: Any) -> None:
    maria.empty()
    lab, theirs = Lab(portal.url, tmp_path), maria.url.replace("loader:p%40ss", "looker:x")
    maria.run("CREATE OR REPLACE USER looker@'127.0.0.1' IDENTIFIED BY 'x'")
    for rights, lacking in (("SELECT", "DROP"), ("DROP", "CREATE"), ("CREATE", "INSERT"), ("INSERT", "UPDATE")):
        maria.run(f"GRANT {rights} ON city.* TO looker@'127.0.0.1'")
        refused(lab, portal, theirs, rf"{lacking} command denied.* for a load into numbers.*Grant the user")
    maria.run("GRANT ALL ON *.* TO looker@'127.0.0.1'")
    refused(lab, portal, theirs, "no such database.*nowhere", table="nowhere.numbers")
    assert maria.tables() == set()
    assert lab.done(load_job(dataset_id="numbers", table="numbers", destination=theirs))["rows"] == 2
