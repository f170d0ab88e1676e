"""A scheduler's connection, of every type that a load can go to, as the database that it leads to."""

from __future__ import annotations

from typing import Any

import pytest

from ods_provider.core.redact import Secret
from ods_provider.errors import OdsConfigError
from ods_provider.plugins.databases import Login, store_of, target_of
from ods_provider.tables.engines.lake import lake_of

PASSWORD = "p@ss/word:1#?%"
CODED = "p%40ss%2Fword%3A1%23%3F%25"


def login(type: str, **parts: Any) -> Login:
    given = {"host": None, "port": None, "login": None, "schema": None, "extra": {}, **parts}
    return Login("warehouse", type, password=Secret(given.pop("password", PASSWORD)), **given)


@pytest.mark.parametrize(
    ("type", "parts", "kind", "url"),
    [
        (
            "postgres",
            {"host": "db", "port": 5433, "login": "loader", "schema": "city", "extra": {"sslmode": "require"}},
            "postgresql",
            f"postgresql://loader:{CODED}@db:5433/city?sslmode=require",
        ),
        (
            "postgres",
            {"host": "::1", "schema": "c/d", "login": "a b"},
            "postgresql",
            f"postgresql://a%20b:{CODED}@[::1]/c%2Fd",
        ),
        ("postgres", {"host": "db", "schema": "c", "password": ""}, "postgresql", "postgresql://db/c"),
        ("mysql", {"host": "db", "schema": "c", "login": "l"}, "mysql", f"mysql://l:{CODED}@db/c"),
        (
            "mssql",
            {"host": "db", "schema": "c", "login": "l", "extra": {"driver": "ODBC"}},
            "mssql",
            f"mssql://l:{CODED}@db/c?driver=ODBC",
        ),
        ("redshift", {"host": "db", "schema": "c", "login": "l"}, "redshift", f"redshift://l:{CODED}@db/c"),
        ("sqlite", {"host": "/data/a b?.db"}, "sqlite", "sqlite:////data/a b%3F.db"),
        ("duckdb", {"host": "city.duckdb"}, "duckdb", "duckdb:///city.duckdb"),
        (
            "snowflake",
            {
                "login": "l",
                "schema": "raw",
                "extra": {"account": "acc", "database": "city", "extra__snowflake__role": "r"},
            },
            "snowflake",
            f"snowflake://l:{CODED}@acc/city/raw?role=r",
        ),
        ("google_cloud_platform", {"schema": "open", "extra": {"project": "p"}}, "bigquery", "bigquery://p/open"),
        ("databricks", {"host": "https://h.example/", "schema": "main"}, "databricks", "databricks://h.example/main"),
        (
            "clickhouse",
            {"host": "h", "port": 9000, "schema": "c", "login": "l", "extra": {"secure": 0, "http_port": 8123}},
            "clickhouse",
            f"clickhouse://l:{CODED}@h:9000/c?secure=0&http_port=8123",
        ),
        ("athena", {"extra": {"s3_staging_dir": "s3://results"}}, "athena", "athena://"),
    ],
)
def test_every_type_of_connection_becomes_its_database(type: str, parts: dict[str, Any], kind: str, url: str) -> None:
    given = login(type, **parts)
    target = target_of(given)
    assert (target.kind, target.url.reveal()) == (kind, url)
    for shown in (repr(target), repr(given), target.label, str(target)):
        assert PASSWORD not in shown and CODED not in shown


def test_what_only_a_driver_may_see_stays_a_secret() -> None:
    google = target_of(login("google_cloud_platform", extra={"project": "p", "keyfile_dict": {"private_key": "k3y"}}))
    bricks = target_of(login("databricks", host="h", extra={"http_path": "/sql/1"}))
    assert "k3y" in google.secrets["credentials_json"].reveal() and "k3y" not in repr(google)
    assert bricks.secrets["access_token"].reveal() == PASSWORD and bricks.options == {"http_path": "/sql/1"}
    extra = {"s3_staging_dir": "s3://results/", "region_name": "eu-west-1", "work_group": "w"}
    athena = target_of(login("athena", login="id", schema="city", extra=extra))
    assert athena.secrets["aws_secret_access_key"].reveal() == PASSWORD
    assert athena.options == {
        "query_result_bucket": "s3://results/",
        "staging": "s3://results/tables",
        "region_name": "eu-west-1",
        "athena_work_group": "w",
        "schema": "city",
    }
    lake = store_of(login("aws", login="id", extra={"region_name": "eu-west-1"}), "s3://lake/city")
    assert lake.label == "s3://lake/city" and lake.options == {"region_name": "eu-west-1"}
    assert lake.secrets["aws_secret_access_key"].reveal() == PASSWORD
    store = login("aws", login="id", extra={"region_name": "eu-west-1", "endpoint_url": "http://store"})
    iceberg = lake_of(store_of(store, "s3://lake/city?format=iceberg&catalog=prod"))
    assert (iceberg.url, iceberg.format, iceberg.settings["catalog"]) == ("s3://lake/city", "iceberg", "prod")
    assert iceberg.for_iceberg() == {
        "s3.access-key-id": "id",
        "s3.secret-access-key": PASSWORD,
        "s3.region": "eu-west-1",
        "s3.endpoint": "http://store",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (login("postgres", schema="c"), "names no host"),
        (login("postgres", host="h"), "names no database"),
        (login("snowflake", extra={"account": "a"}), "names no database"),
        (login("google_cloud_platform"), "names no project"),
        (login("athena"), "names no s3_staging_dir"),
        (login("postgre", host="h", schema="c"), "Perhaps 'postgres' is meant"),
        (login("http", host="h"), "Use one of"),
    ],
)
def test_what_is_missing_is_named(given: Login, said: str) -> None:
    with pytest.raises(OdsConfigError, match=said) as failed:
        target_of(given)
    assert "connection warehouse" in str(failed.value) and PASSWORD not in str(failed.value)
