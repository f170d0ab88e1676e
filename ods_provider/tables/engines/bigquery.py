"""BigQuery, by its ADBC driver: what changes a table is one script with a transaction in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl, unquote, urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.redact import Secret
from ods_provider.tables.applying import Standing, changes
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.warehouse import WarehouseEngine
from ods_provider.tables.load import Load, Loaded, Memory, TableName
from ods_provider.tables.memory import memory_table, remember
from ods_provider.tables.statements import Statements

_OPTION = "adbc.bigquery.sql."
_ROWS = ("DELETE", "INSERT", "UPDATE")


class BigQueryEngine(WarehouseEngine):
    """An ``Engine`` of a BigQuery dataset, ``bigquery://project/dataset?location=EU``.

    Without ``credentials_json`` or ``credentials_file`` the credentials of the machine are used.
    """

    can = Abilities(
        swaps=("stage",),
        modes=("replace", "append", "merge", "scd2"),
        comments=True,
        geometry=True,
        longest_name=1024,
        folds_case=False,
        gap="a table that a load makes or gives columns is seen without their values until its rows are committed",
    )
    sql = Statements("bigquery")
    module = "adbc_driver_bigquery"
    extra = "bigquery"

    def options(self) -> dict[str, Secret]:
        """Return what the driver is given to get in, by its own names."""
        split = urlsplit(self._target.url.reveal())
        given = dict(parse_qsl(split.query)) | {name: str(value) for name, value in self._target.options.items()}
        given |= {name: value.reveal() for name, value in self._target.secrets.items()}
        options = {f"{_OPTION}project_id": split.netloc, f"{_OPTION}dataset_id": self.home()}
        if "location" in given:
            options[f"{_OPTION}location"] = given["location"]
        if "credentials_json" in given:
            options[f"{_OPTION}auth_type"] = f"{_OPTION}auth_type.json_credential_string"
            options[f"{_OPTION}auth_credentials"] = given["credentials_json"]
        elif "credentials_file" in given:
            options[f"{_OPTION}auth_type"] = f"{_OPTION}auth_type.json_credential_file"
            options[f"{_OPTION}auth_credentials"] = given["credentials_file"]
        return {name: Secret(value) for name, value in options.items()}

    def home(self) -> str:
        """Return the dataset, which is what others call a schema."""
        path = unquote(urlsplit(self._target.url.reveal()).path).strip("/")
        if not path:
            raise OdsConfigError(
                "The address names no dataset of BigQuery",
                where=self._target.label,
                advice="Write bigquery://project/dataset",
            )
        return path

    def make_staging(self, table: TableName, columns: tuple[Column, ...]) -> list[str]:
        """Return the statements that make a staging table anew, in place of what a killed run of this token left."""
        # Where no run comes again, it goes by itself after a day.
        ends = "OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 24 HOUR))"
        return [self.sql.drop(table), f"{self.sql.create(table, columns)} {ends}"]

    def columns_of(self, table: TableName) -> str:
        """Return the statement that selects name, type, whether it must be given a value, and the kind of table."""
        schema = self.sql.quoted(table.schema or self.home())
        return (
            "SELECT c.column_name, c.data_type, c.is_nullable = 'NO' AND c.column_default = 'NULL', t.table_type "
            f"FROM {schema}.INFORMATION_SCHEMA.COLUMNS AS c JOIN {schema}.INFORMATION_SCHEMA.TABLES AS t "
            f"ON t.table_name = c.table_name WHERE c.table_name = {self.sql.literal(table.name)} "
            "ORDER BY c.ordinal_position"
        )

    def change(self, load: Load, standing: Standing, staged: TableName, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, in one transaction."""
        of_rows = []
        for change in changes(self.sql, load, standing, staged, datetime.fromisoformat(memory.loaded_at)):
            if change.sql.startswith(_ROWS):
                of_rows.append(change.sql)
            else:
                self.session.run(change.sql, load.table)
        self.session.run(self.script(of_rows, load, memory), load.table)
        return Loaded(self.rows(load.table))

    def script(self, of_rows: list[str], load: Load, memory: Memory) -> str:
        """Return one statement that changes the rows and remembers the load, or does neither."""
        kept, load_id = self.sql.table(memory_table(load.table)), self.sql.literal(memory.load_id)
        counted = f"UPDATE {kept} SET table_rows = ({self.sql.count(load.table)}) WHERE load_id = {load_id}"
        steps = [*of_rows, *remember(self.sql, load.table, replace(memory, table_rows=None)), counted]
        return ";\n".join(("BEGIN TRANSACTION", *steps, "COMMIT TRANSACTION")) + ";"
