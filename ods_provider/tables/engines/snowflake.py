"""Snowflake, by its ADBC driver: rows go in by its bulk load into a temporary table."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl, unquote, urlsplit

from ods_provider.core.redact import Secret
from ods_provider.tables.applying import Standing, apply, changes
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.warehouse import WarehouseEngine
from ods_provider.tables.load import Load, Loaded, Memory, TableName
from ods_provider.tables.statements import Statements

_OPTION = "adbc.snowflake.sql."
_NAMES = {
    "account": f"{_OPTION}account",
    "database": f"{_OPTION}db",
    "schema": f"{_OPTION}schema",
    "warehouse": f"{_OPTION}warehouse",
    "role": f"{_OPTION}role",
    "region": f"{_OPTION}region",
    "host": f"{_OPTION}uri.host",
    "user": "username",
    "password": "password",
    "token": f"{_OPTION}client_option.auth_token",
    "private_key_file": f"{_OPTION}client_option.jwt_private_key",
    "private_key": f"{_OPTION}client_option.jwt_private_key_pkcs8_value",
    "private_key_passphrase": f"{_OPTION}client_option.jwt_private_key_pkcs8_password",
}


class SnowflakeEngine(WarehouseEngine):
    """An ``Engine`` of a Snowflake database, ``snowflake://user:password@account/database/schema?warehouse=…&role=…``.

    A key for ``auth_jwt`` is taken as ``private_key`` or ``private_key_file``, a token of OAuth as ``token``.
    """

    can = Abilities(
        swaps=("stage",),
        modes=("replace", "append", "merge", "scd2"),
        comments=True,
        geometry=True,
        longest_name=255,
        names_by="characters",
        folds_case=False,
        gap="a table that a load makes or gives columns is seen without their values until its rows are committed",
    )
    sql = Statements("snowflake")
    module = "adbc_driver_snowflake"
    extra = "snowflake"

    def options(self) -> dict[str, Secret]:
        """Return what the driver is given to get in, by its own names."""
        split = urlsplit(self._target.url.reveal())
        path = [unquote(part) for part in split.path.split("/") if part]
        given = dict(zip(("database", "schema"), path, strict=False)) | dict(parse_qsl(split.query))
        login = {"user": split.username, "password": split.password, "account": split.hostname}
        given |= {name: unquote(value) for name, value in login.items() if value}
        given |= {name: str(value) for name, value in self._target.options.items()}
        given |= {name: value.reveal() for name, value in self._target.secrets.items()}
        options = {_NAMES.get(name, name): Secret(value) for name, value in given.items()}
        if {"private_key", "private_key_file"} & set(given):
            options[f"{_OPTION}auth_type"] = Secret("auth_jwt")
        elif "token" in given:
            options[f"{_OPTION}auth_type"] = Secret("auth_oauth")
        options[f"{_OPTION}client_option.app_name"] = Secret("ods-provider")
        return options

    def home(self) -> str | None:
        """Return None: the connection has a schema."""
        return None

    def make_staging(self, table: TableName, columns: tuple[Column, ...]) -> list[str]:
        """Return the statement that makes a staging table, which ends with the session."""
        return [self.sql.create(table, columns).replace("CREATE TABLE", "CREATE OR REPLACE TEMPORARY TABLE", 1)]

    def columns_of(self, table: TableName) -> str:
        """Return the statement that selects name, type, whether it must be given a value, and the kind of table."""
        schema = self.sql.literal(table.schema) if table.schema else "CURRENT_SCHEMA()"
        return (
            "SELECT c.column_name, CASE WHEN c.data_type = 'NUMBER' "
            "THEN 'NUMBER(' || c.numeric_precision || ', ' || c.numeric_scale || ')' ELSE c.data_type END, "
            "c.is_nullable = 'NO' AND c.column_default IS NULL AND c.is_identity = 'NO', t.table_type "
            "FROM information_schema.columns AS c JOIN information_schema.tables AS t "
            "ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
            f"WHERE c.table_schema = {schema} AND c.table_name = {self.sql.literal(table.name)} "
            "ORDER BY c.ordinal_position"
        )

    def change(self, load: Load, standing: Standing, staged: TableName, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, in one transaction."""
        if standing is None:
            # "create" would end the transaction in the middle of it.
            first = next(changes(self.sql, load, None, staged, _moment(memory)))
            self.session.run(first.sql, load.table)
            standing = self.standing(load.table)
        self.session.begin()
        try:
            loaded = apply(
                lambda statement: self.session.run(statement, load.table),
                self.session.query,
                self.sql,
                load,
                standing,
                staged,
                memory,
                memory_stands=True,
                key_checked=True,
            )
            self.session.commit(load.table)
        except BaseException:
            self.session.rollback()
            raise
        return loaded


def _moment(memory: Memory) -> datetime:
    return datetime.fromisoformat(memory.loaded_at)
