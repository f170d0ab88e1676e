"""What dlt is given for each kind of database: its own objects are built, and no server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.engines.dltcredentials import destination_of, staging_of
from ods_provider.tables.engines.dltsession import shut_settings
from ods_provider.tables.urls import target_of


@pytest.fixture(autouse=True, scope="module")
def _shut() -> Iterator[None]:
    context = Container()[PluggableRunContext]
    before = context.providers  # of this whole process, in which other modules are tried too
    shut_settings()
    yield
    context.providers = before


def built(url: str, options: dict[str, Any] | None = None, secrets: dict[str, str] | None = None) -> Any:
    """Return what dlt resolves its destination's configuration to."""
    target = target_of(url)
    found = destination_of(target.kind, target.url.reveal(), options or {}, secrets or {})
    spec = found.spec()
    return found.configuration(spec._bind_dataset_name("city") if hasattr(spec, "_bind_dataset_name") else spec)


@pytest.mark.parametrize("password", ["p%40%2F%3A%20%23", ""])
def test_redshift_gets_user_password_and_settings_as_they_are(password: str) -> None:
    config = built(f"redshift://loader:{password}@cluster.example/city?sslmode=require")
    given = config.credentials
    assert (given.host, given.port, given.database, given.username) == ("cluster.example", 5439, "city", "loader")
    assert given.password == ("p@/: #" if password else "")
    assert given.query["sslmode"] == "require"
    assert "p@/" not in str(given)


def test_clickhouse_gets_its_two_ports() -> None:
    config = built("clickhouse://loader:secret@ch.example:9000/city?http_port=8123&secure=0")
    given = config.credentials
    assert (given.port, given.http_port, int(given.secure), given.database) == (9000, 8123, 0, "city")


def test_databricks_gets_its_warehouse_and_its_token() -> None:
    config = built("databricks://token:secret@dbc.example/main?http_path=/sql/1.0/warehouses/a")
    given = config.credentials
    assert (given.server_hostname, given.catalog) == ("dbc.example", "main")
    assert (given.http_path, given.access_token) == ("/sql/1.0/warehouses/a", "secret")


@pytest.mark.parametrize(
    ("url", "lacking"),
    [
        ("databricks://dbc.example", "http_path, catalog, access_token"),
        ("redshift://loader@cluster.example", "no database"),
        ("athena://?region_name=eu-west-1", "query_result_bucket"),
    ],
)
def test_what_is_missing_is_named(url: str, lacking: str) -> None:
    with pytest.raises(OdsConfigError, match=lacking):
        built(url)


def test_athena_gets_its_bucket_and_keys() -> None:
    secrets = {"aws_access_key_id": "id", "aws_secret_access_key": "secret"}
    config = built("athena://?region_name=eu-west-1&query_result_bucket=s3://results", secrets=secrets)
    assert config.query_result_bucket == "s3://results"
    assert config.credentials.region_name == "eu-west-1"
    assert config.credentials.aws_secret_access_key == "secret"


def test_rows_may_travel_by_a_bucket() -> None:
    staged = staging_of("redshift://h/d", {"staging": "s3://way"}, {"aws_access_key_id": "id"})
    assert staged.config_params["bucket_url"] == "s3://way"
    assert staging_of("redshift://h/d", {}, {}) is None


def test_sql_server_needs_its_driver_and_says_so_or_gets_it() -> None:
    url = "mssql://loader:secret@sql.example/City?driver=ODBC Driver 18 for SQL Server&TrustServerCertificate=yes"
    try:
        config = built(url)
    except ImportError as error:
        assert error.name == "pyodbc"
        return
    given = config.credentials
    assert (given.host, given.port, given.driver) == ("sql.example", 1433, "ODBC Driver 18 for SQL Server")
    assert given.query["TrustServerCertificate"] == "yes"
