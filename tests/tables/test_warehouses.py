"""Snowflake and BigQuery as far as they go without a server: what the driver is given, and that each statement parses.

The connection is one that answers from a script; no statement was ever run by a warehouse here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pytest
import sqlglot
from engine_contract import CITIES, DAY, city, memory_of, reader

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.redact import Secret
from ods_provider.tables.engines.bigquery import BigQueryEngine
from ods_provider.tables.engines.snowflake import SnowflakeEngine
from ods_provider.tables.load import Load, TableName, Window
from ods_provider.tables.target import Target

KEY = "pa55-word"


class Warehouse:
    """A connection and its cursor: a table has ``standing`` columns, and once made ``made``."""

    def __init__(self, standing: list[tuple[Any, ...]], made: list[tuple[Any, ...]]) -> None:
        self.made = made
        self.standing, self.told, self.given, self.rows = standing, [], {}, 0
        self.rowcount = -1
        self.adbc_connection = self

    def connect(self, options: Mapping[str, str]) -> Self:
        self.given = dict(options)
        return self

    def cursor(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def execute(self, statement: str) -> None:
        self.told.append(statement)
        if statement.startswith(("CREATE TABLE `city`.`cities`", 'CREATE TABLE "cities"')):
            self.standing = self.made

    def fetchall(self) -> list[tuple[Any, ...]]:
        last = self.told[-1]
        if "INFORMATION_SCHEMA" in last.upper():
            return self.standing
        return [(0, 0)] if "_ods_rows" in last or "IS NULL" in last else [(self.rows,)]

    def adbc_ingest(self, table: str, rows: Any, mode: str, **more: Any) -> int:
        self.rows += rows.read_all().num_rows
        self.told.append(f"-- {mode} {more.get('db_schema_name')}.{table}")
        return -1

    def set_autocommit(self, on: bool) -> None:
        self.told.append("-- autocommit" if on else "-- transaction")

    def commit(self) -> None:
        self.told.append("-- commit")

    def rollback(self) -> None:
        self.told.append("-- rollback")

    def close(self) -> None: ...


def target(kind: str, url: str, options: dict[str, Any] | None = None, **secrets: str) -> Target:
    hidden = {name: Secret(value) for name, value in secrets.items()}
    return Target(kind, Secret(url), f"{kind}://somewhere", options or {}, hidden)


SNOWFLAKE = f"snowflake://city:{KEY}@xy12345.eu-west-1/CITY/PUBLIC?warehouse=LOADS&role=LOADER"


def test_snowflakes_driver_is_given_every_part_of_the_address() -> None:
    options = SnowflakeEngine(target("snowflake", SNOWFLAKE), "t").options()
    assert {name: value.reveal() for name, value in options.items()} == {
        "username": "city",
        "password": KEY,
        "adbc.snowflake.sql.account": "xy12345.eu-west-1",
        "adbc.snowflake.sql.db": "CITY",
        "adbc.snowflake.sql.schema": "PUBLIC",
        "adbc.snowflake.sql.warehouse": "LOADS",
        "adbc.snowflake.sql.role": "LOADER",
        "adbc.snowflake.sql.client_option.app_name": "ods-provider",
    }
    assert KEY not in repr(options)


@pytest.mark.parametrize(
    ("secrets", "kind"), [({"private_key": "-----BEGIN"}, "auth_jwt"), ({"token": "eyJ"}, "auth_oauth")]
)
def test_snowflakes_keys_and_tokens_choose_how_to_get_in(secrets: dict[str, str], kind: str) -> None:
    engine = SnowflakeEngine(target("snowflake", "snowflake://city@xy/CITY", **secrets), "t")
    assert engine.options()["adbc.snowflake.sql.auth_type"].reveal() == kind


def test_bigquerys_driver_is_given_project_dataset_and_credentials() -> None:
    url = "bigquery://my-project/city?location=EU"
    options = BigQueryEngine(target("bigquery", url, credentials_json='{"private_key": "k"}'), "t").options()
    assert {name: value.reveal() for name, value in options.items()} == {
        "adbc.bigquery.sql.project_id": "my-project",
        "adbc.bigquery.sql.dataset_id": "city",
        "adbc.bigquery.sql.location": "EU",
        "adbc.bigquery.sql.auth_type": "adbc.bigquery.sql.auth_type.json_credential_string",
        "adbc.bigquery.sql.auth_credentials": '{"private_key": "k"}',
    }
    with pytest.raises(OdsConfigError, match="names no dataset"):
        BigQueryEngine(target("bigquery", "bigquery://my-project"), "t").options()


STANDING = {
    "snowflake": [("id", "NUMBER(38, 0)", False, "BASE TABLE"), ("name", "TEXT", False, "BASE TABLE"),
                  ("at", "TIMESTAMP_TZ", False, "BASE TABLE"), ("valid_from", "TIMESTAMP_TZ", False, "BASE TABLE"),
                  ("valid_to", "TIMESTAMP_TZ", False, "BASE TABLE")],
    "bigquery": [("id", "INT64", False, "BASE TABLE"), ("name", "STRING", False, "BASE TABLE"),
                 ("at", "TIMESTAMP", False, "BASE TABLE"), ("valid_from", "TIMESTAMP", False, "BASE TABLE"),
                 ("valid_to", "TIMESTAMP", False, "BASE TABLE")],
}  # fmt: skip
LOADS = [
    Load(TableName("cities"), CITIES, comment="it's so"),
    Load(TableName("cities"), CITIES, mode="append", window=Window("at", DAY)),
    Load(TableName("cities"), CITIES, mode="merge", key=("id",), delete_missing=True),
    Load(TableName("cities"), CITIES, mode="scd2", key=("id",), delete_missing=True),
]


@pytest.mark.parametrize("load", LOADS, ids=[load.mode for load in LOADS])
@pytest.mark.parametrize("kind", ["snowflake", "bigquery"])
@pytest.mark.parametrize("stands", [True, False])
def test_every_statement_parses_and_rows_and_memory_are_one_transaction(kind: str, load: Load, stands: bool) -> None:
    warehouse = Warehouse(STANDING[kind] if stands else [], STANDING[kind])
    made = {"snowflake": (SnowflakeEngine, SNOWFLAKE), "bigquery": (BigQueryEngine, "bigquery://p/city")}
    engine_class, url = made[kind]
    with engine_class(target(kind, url), "t", connect=warehouse.connect) as engine:
        assert engine.stage(load, reader(CITIES, [city(1), city(2)])) == 2
        engine.commit(load, memory_of(load))
    for statement in warehouse.told:
        for one in statement.split(";\n"):
            if not one.startswith(("--", "BEGIN", "COMMIT")):
                sqlglot.parse_one(one.rstrip(";"), dialect=kind)
    told = warehouse.told
    if kind == "bigquery":
        (script,) = [each for each in told if each.startswith("BEGIN TRANSACTION")]
        assert script.endswith("COMMIT TRANSACTION;")
        assert "INSERT INTO `city`.`cities`" in script
        assert "INSERT INTO `city`.`_ods_loads`" in script
        assert not [word for word in ("CREATE", "ALTER", "DROP") if f"\n{word}" in script]
    else:
        inside = told[told.index("-- transaction") + 1 : told.index("-- commit")]
        rows = [at for at, each in enumerate(inside) if each.startswith(("DELETE", "UPDATE", "INSERT"))]
        assert len(rows) >= 3
        # A statement that makes or changes a table would end the transaction in the middle of it.
        made_after = [each for each in inside[rows[0] :] if each.startswith(("CREATE", "ALTER", "COMMENT", "DROP"))]
        assert made_after == []
        assert any('INTO "_ods_loads"' in each for each in inside)
    assert KEY not in "".join(told)
