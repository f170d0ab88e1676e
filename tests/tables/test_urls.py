"""Which database a URL means, and that nobody sees its password."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.target import Target
from ods_provider.tables.urls import path_of, target_of

SECRET = "p%40ss%2Fw%3Frd"


@pytest.mark.parametrize(
    ("url", "kind", "label"),
    [
        ("duckdb:///city.duckdb", "duckdb", "duckdb:///city.duckdb"),
        ("sqlite:////data/x.db", "sqlite", "sqlite:////data/x.db"),
        ("city.duckdb", "duckdb", "duckdb:///city.duckdb"),
        ("/data/open data.SQLITE", "sqlite", "sqlite:////data/open data.SQLITE"),
        (r"C:\data\x.db", "sqlite", r"sqlite:///C:\data\x.db"),
        (f"postgresql://me:{SECRET}@db:5432/city?sslpassword={SECRET}", "postgresql", "postgresql://db:5432/city"),
        ("postgres://db/city", "postgresql", "postgres://db/city"),
        (f"postgresql+psycopg2://me:{SECRET}@db/city", "postgresql", "postgresql://db/city"),
        (f"mysql+pymysql://me:{SECRET}@db/city", "mysql", "mysql://db/city"),
        (f"mariadb://me:{SECRET}@db/city", "mysql", "mariadb://db/city"),
        (f"mssql://me:{SECRET}@db/city", "mssql", "mssql://db/city"),
        (f"snowflake://me:{SECRET}@account/city/public?warehouse=w", "snowflake", "snowflake://account/city/public"),
        ("bigquery://project/dataset", "bigquery", "bigquery://project/dataset"),
        (f"redshift://me:{SECRET}@host:5439/dev", "redshift", "redshift://host:5439/dev"),
        (f"databricks://token:{SECRET}@host?http_path=/sql", "databricks", "databricks://host"),
        (f"clickhouse://me:{SECRET}@host/city", "clickhouse", "clickhouse://host/city"),
        ("s3://lake/open", "filesystem", "s3://lake/open"),
        ("gs://lake/open", "filesystem", "gs://lake/open"),
        ("file:///data/lake", "filesystem", "file:///data/lake"),
        ("DUCKDB:///x", "duckdb", "duckdb:///x"),
        ("duckdb:///me@home.duckdb", "duckdb", "duckdb:///me@home.duckdb"),
    ],
)
def test_a_url_names_a_database_and_shows_no_password(url: str, kind: str, label: str) -> None:
    target = target_of(f" {url} ")
    assert (target.kind, target.label) == (kind, label)
    assert SECRET not in repr(target)
    assert SECRET not in str(target)


@pytest.mark.parametrize(
    "password", ["p@ss", "p@ss/word", "pass/w@rd", "p@ss?w", "p#a@ss", "p:a@@ss", "hunter#2", "1/2"]
)
@pytest.mark.parametrize("rest", ["db/city", "db:5432/city?sslpassword={}", "db", "db/x@y"])
def test_a_password_that_is_not_encoded_is_refused_and_not_shown(password: str, rest: str) -> None:
    for url in (
        f"postgresql://me:{password}@{rest.format(password)}",
        f"mysql://me:{password}@{rest.format(password)}",
    ):
        with pytest.raises(OdsConfigError, match="percent-encoded") as caught:
            target_of(url)
        text = str(caught.value).replace("user or password", "").replace("password may", "")
        assert not any(part in text for part in (password, "p@", "word", "w@rd", "hunter", "city", "1/2"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres:hunter@2secret/x@127.0.0.1/db",
        "postgresql://postgres:hunter?2secret@127.0.0.1/db",
        "postgresql://postgres:12?2secret=1&a=b@127.0.0.1/db",
        "postgresql://me:2secret",
        "mysql://me:100%2secret%@h/db",
        "mssql://me:[2secret@h/db",
        "snowflake://me:1?2secret=1@account/db",
    ],
)
def test_no_piece_of_a_password_is_told(url: str) -> None:
    with pytest.raises(OdsConfigError, match="%40 for @") as caught:
        target_of(url)
    assert "secret" not in str(caught.value) and "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40@[::1]:5432/db?user=me@azure&options=-c%20x",
        "postgresql://u@h1:5432,h2:5433/db?target_session_attrs=read-write",
        "postgresql:///db?host=/run/postgresql",
        "postgresql://h?dbname=db",
        "snowflake://u:p@account/db?adbc.snowflake.sql.client_option.tracing=off",
        "redshift://u@h/db?staging=s3://bucket/folder",
        "mssql://u:p@h/db?driver=ODBC Driver 18 for SQL Server&MultiSubnetFailover=yes",
        "s3://lake/city?format=iceberg&catalog=prod&region_name=eu",
    ],
)
def test_what_is_meant_so_is_taken(url: str) -> None:
    assert target_of(url).url.reveal() == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///lake?fromat=delta", "no option 'fromat'.*Did you mean 'format'"),
        ("mysql://h/d?foo=bar", "no option 'foo'.*Known are lock_timeout_s, ssl_ca"),
        ("duckdb:///x.duckdb?foo=bar", "no option 'foo'.*It takes none"),
        ("sqlite:///open%20data.db?timeout=5", "no option 'timeout'"),
        ("postgresql://h/d?sslmod=require", "Did you mean 'sslmode'"),
        ("bigquery://p/d?locaton=EU", "Did you mean 'location'"),
        ("postgresql://u@h", "names no database.*Write postgresql://host/database"),
        ("postgres://u@h/?sslmode=require", "names no database"),
    ],
)
def test_an_option_that_nobody_reads_is_refused(url: str, said: str) -> None:
    with pytest.raises(OdsConfigError, match=said):
        target_of(url)


def test_a_file_of_the_other_kind_is_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a")) as connection:
        connection.execute("CREATE TABLE t (x)")
    duckdb.connect(str(tmp_path / "b")).close()
    for url, said in ((f"duckdb:///{tmp_path}/a", "is SQLite.*sqlite:///"), (f"sqlite:///{tmp_path}/b", "is DuckDB")):
        with pytest.raises(OdsConfigError, match=said), engine_of(target_of(url), "t"):
            pass


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresqll://me:secret@db/city", "Did you mean 'postgresql'"),
        ("oracle://me:secret@db/city", "Known are"),
        ("postgresql:me:secret@db", "two slashes"),
        ("city", "ends in .db"),
        ("./lake", "for a folder of Parquet files, file:///lake"),
        ("", "ends in .db"),
        ("city.csv", "ends in .db"),
        ("me:secret@db.example/city", "There is no database|names no database"),
    ],
)
def test_what_names_no_database_is_refused_with_what_does(url: str, said: str) -> None:
    with pytest.raises(OdsConfigError, match=said) as caught:
        target_of(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb:///city.duckdb", "city.duckdb"),
        ("duckdb:////data/city.duckdb", "/data/city.duckdb"),
        ("sqlite:///open%20data.db", "open data.db"),
        ("a b%.db", "a b%.db"),
        ("/data/é?.duckdb", "/data/é?.duckdb"),
    ],
)
def test_a_file_lies_where_its_url_says(url: str, path: str) -> None:
    assert path_of(target_of(url)) == path


def test_a_kind_that_nothing_loads_into_is_refused() -> None:
    target = Target(kind="postgres", url=target_of("postgres://db/x").url, label="postgres://db/x")
    with pytest.raises(OdsConfigError, match="Did you mean 'postgresql'"):
        engine_of(target, "t")


def test_athena_asks_for_the_bucket_in_which_tables_lie() -> None:
    with pytest.raises(OdsConfigError, match=r"needs a bucket.*staging=s3://bucket/folder"):
        engine_of(target_of("athena://?region_name=eu-west-1&query_result_bucket=s3://results"), "t")


@pytest.mark.parametrize("url", ["clickhouse://h/d", "databricks://h/c", "athena://?staging=s3://b/t"])
def test_who_has_no_history_says_which_modes_there_are(url: str) -> None:
    assert engine_of(target_of(url), "t").can.modes == ("replace", "append", "merge")
