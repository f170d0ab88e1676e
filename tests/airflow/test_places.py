"""How files, tables and datasets are called: in OpenLineage, as assets, and in a browser."""

from __future__ import annotations

import json

import pytest

from ods_provider.airflow.places import place_of
from ods_provider.jobs.ends import End, FileAt, PortalData, TableIn

PORTAL = "https://Data.Example.org:443"


@pytest.mark.parametrize(
    ("end", "namespace", "name", "uri"),
    [
        (PortalData("cities"), "ods://data.example.org", "cities", "ods://data.example.org/cities"),
        (PortalData("catalog/*"), "ods://data.example.org", "catalog/*", None),
        (FileAt("/data/a b.csv"), "file", "/data/a b.csv", "file:///data/a%20b.csv"),
        (FileAt("file:///data/c.csv"), "file", "/data/c.csv", "file:///data/c.csv"),
        (FileAt("s3://conn@lake/x/c.csv"), "s3://lake", "x/c.csv", "s3://lake/x/c.csv"),
        (
            TableIn("postgresql://me:pw-93@db/city", "open.cities"),
            "postgres://db:5432",
            "city.open.cities",
            "postgres://db:5432/city/open/cities",
        ),
        (
            TableIn("postgresql://db:6543/city", "cities"),
            "postgres://db:6543",
            "city.public.cities",
            "postgres://db:6543/city/public/cities",
        ),
        (TableIn("mariadb://db/city", "cities"), "mysql://db:3306", "city.cities", "mysql://db:3306/city/cities"),
        (
            TableIn("duckdb:////data/c.duckdb", "cities"),
            "duckdb:////data/c.duckdb",
            "cities",
            "duckdb:////data/c.duckdb/cities",
        ),
        (TableIn("s3://lake/tables/", "cities"), "s3://lake", "tables/cities", "s3://lake/tables/cities"),
        (TableIn("bigquery://p/d", "cities"), "bigquery", "p.d.cities", "bigquery://p/d/cities"),
    ],
)
def test_each_has_one_name(end: End, namespace: str, name: str, uri: str | None) -> None:
    place = place_of(end, PORTAL)
    assert (place.namespace, place.name, place.uri) == (namespace, name, uri)
    assert "pw-93" not in repr(place)


def test_a_connection_s_database_is_called_as_its_url_is(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"conn_type": "postgres", "host": "db", "schema": "city", "login": "me", "password": "pw-93"}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(parts))
    assert place_of(TableIn("warehouse", "open.cities"), PORTAL) == place_of(
        TableIn("postgresql://db/city", "open.cities"), PORTAL
    )


def test_stores_with_a_console_have_a_link() -> None:
    assert str(place_of(FileAt("s3://lake/x/c.csv"), PORTAL).link).endswith("/lake?prefix=x/c.csv")
    assert str(place_of(TableIn("bigquery://p/d", "c"), PORTAL).link).endswith("?p=p&d=d&t=c&page=table")
    assert place_of(FileAt("/x/c.csv"), PORTAL).link is None
