"""The few statements of a load, as SQL text; those that compare rows by a key are in ``keyed``.

Values stand in the text as literals, since drivers do not agree on how a parameter is marked.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import TableName, Window
from ods_provider.tables.types import TYPES, Dialect

# How a staged value becomes one of the table, where the database does not see to it by itself.
_MADE: dict[tuple[Dialect, Kind], str] = {
    ("postgres", "json"): "CAST({} AS JSONB)",
    ("postgres", "geometry"): "ST_GEOMFROMWKB({}, 4326)",
    ("duckdb", "json"): "CAST({} AS JSON)",
    ("duckdb", "geometry"): "ST_GEOMFROMWKB({})",
    ("mysql", "geometry"): "ST_GEOMFROMWKB({}, 4326)",
    ("snowflake", "json"): "PARSE_JSON({})",
    ("snowflake", "geometry"): "TO_GEOGRAPHY({})",
    ("bigquery", "json"): "PARSE_JSON({})",
    ("bigquery", "geometry"): "ST_GEOGFROMWKB({})",
}


def _hive(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def staging_prefix(token: str) -> str:
    """Return what the names of all tables that a run stages begin with."""
    return f"_ods_{hashlib.sha256(token.encode()).hexdigest()[:12]}_"


def staging_name(table: TableName, token: str) -> TableName:
    """Return where a run stages the rows of a table: beside it, told apart by a mark of ``token``."""
    # Its own name is for whoever sees it there; 40 bytes of it leave room in every database's names.
    shown = table.name.encode()[:40].decode(errors="ignore")
    return TableName(staging_prefix(token) + shown, table.schema)


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements in one database's words.

    Attributes:
        dialect: Whose words.
        folder: Where the files of new tables lie, in databases that are told so (Athena).
    """

    dialect: Dialect
    folder: str = ""

    def quoted(self, name: str) -> str:
        """Return a name as it stands in a statement, whatever is in it."""
        from sqlglot import exp

        if "\0" in name or not name:
            raise OdsConfigError(f"{name!r} cannot be a name in a database", advice="Give it another name")
        return exp.to_identifier(name, quoted=True).sql(dialect=self.dialect)

    def table(self, table: TableName) -> str:
        """Return a table's name, its schema's before it."""
        return ".".join(self.quoted(part) for part in (table.schema, table.name) if part)

    def names(self, columns: Iterable[Column]) -> str:
        """Return the names of columns as a list."""
        return ", ".join(self.quoted(column.name) for column in columns)

    def type_of(self, column: Column) -> str:
        """Return the type of a column that is made."""
        return TYPES[self.dialect][column.kind]

    def literal(self, value: Any) -> str:
        """Return a value as it stands in a statement.

        Args:
            value: None, a bool, an int, a finite float, a text, a date or an aware datetime.
        """
        from sqlglot import exp

        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return ("1" if value else "0") if self.dialect == "tsql" else "TRUE" if value else "FALSE"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                raise OdsConfigError(f"{value} has no place in a statement", advice="Give a number")
            return repr(value)
        if isinstance(value, str):
            text = exp.Literal.string(value).sql(dialect=self.dialect)
            return f"N{text}" if self.dialect == "tsql" else text  # without the N it keeps one code page
        if isinstance(value, datetime):
            return self._moment(value.astimezone(UTC))
        if isinstance(value, date):
            text = f"'{value.isoformat()}'"
            return text if self.dialect == "sqlite" else f"CAST({text} AS DATE)"
        raise TypeError(f"no literal for a {type(value).__name__}")

    def _moment(self, value: datetime) -> str:
        if self.dialect == "sqlite":
            return f"'{value.isoformat()}'"
        told = value.replace(tzinfo=None) if self.dialect in {"mysql", "clickhouse", "athena"} else value
        return f"CAST('{told.isoformat(' ')}' AS {TYPES[self.dialect]['datetime']})"

    # Tables

    def create(self, table: TableName, columns: Iterable[Column]) -> str:
        """Make a table of these columns."""
        defined = ", ".join(self._definition(column) for column in columns)
        return f"CREATE TABLE {self._defined(table)} ({defined}){self._kept(table)}"

    def _kept(self, table: TableName) -> str:
        """Return how a new table is kept, where that has to be said."""
        if self.dialect == "clickhouse":
            return " ENGINE = MergeTree ORDER BY tuple()"
        if self.dialect == "databricks":  # without it names of columns hold no blanks
            return " TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"
        if self.dialect == "athena":
            place = "/".join(part for part in (self.folder.rstrip("/"), table.schema, table.name) if part)
            return f" LOCATION {self.literal(f'{place}/')} TBLPROPERTIES ('table_type' = 'ICEBERG')"
        return ""

    def _defined(self, table: TableName) -> str:
        """Return a table's name as statements have it that make, change and remove tables."""
        if self.dialect != "athena":
            return self.table(table)
        # Those are Hive's there, all others Trino's.
        return ".".join(_hive(part) for part in (table.schema, table.name) if part)

    def _definition(self, column: Column) -> str:
        if self.dialect == "athena":
            return f"{_hive(column.name)} {self.type_of(column)}"
        comment = f" COMMENT {self.literal(column.comment)}" if self.dialect == "mysql" and column.comment else ""
        return f"{self.quoted(column.name)} {self.type_of(column)}{comment}"

    def drop(self, table: TableName) -> str:
        """Remove a table, if it is there."""
        at_once = " SYNC" if self.dialect == "clickhouse" else ""  # its name is taken for minutes otherwise
        return f"DROP TABLE IF EXISTS {self._defined(table)}{at_once}"

    def add_column(self, table: TableName, column: Column) -> str:
        """Give a table a column, empty in all its rows."""
        if self.dialect == "athena":
            return f"ALTER TABLE {self._defined(table)} ADD COLUMNS ({self._definition(column)})"
        add = "ADD" if self.dialect == "tsql" else "ADD COLUMN"
        return f"ALTER TABLE {self.table(table)} {add} {self._definition(column)}"

    def widen_column(self, table: TableName, column: Column) -> list[str]:
        """Give a column a wider type, its values kept."""
        at, name, kind = f"ALTER TABLE {self.table(table)}", self.quoted(column.name), self.type_of(column)
        if self.dialect == "mysql":
            return [f"{at} MODIFY COLUMN {self._definition(column)}"]
        if self.dialect == "clickhouse":
            return [f"{at} MODIFY COLUMN {name} {kind}"]
        if self.dialect in {"sqlite", "redshift"}:
            # They change no type in place. The column becomes the last.
            other = self.quoted(f"_ods_wider_{column.name}")
            return [
                f"{at} ADD COLUMN {other} {kind}",
                f"UPDATE {self.table(table)} SET {other} = {name}",
                f"{at} DROP COLUMN {name}",
                f"{at} RENAME COLUMN {other} TO {name}",
            ]
        how = "" if self.dialect == "tsql" else "SET DATA TYPE "
        return [f"{at} ALTER COLUMN {name} {how}{kind}"]

    def comments(self, table: TableName, columns: Iterable[Column], comment: str | None) -> list[str]:
        """Say of a table and of its columns what the portal says, where there is something to say."""
        if self.dialect in {"sqlite", "tsql", "athena"}:
            return []
        at = self.table(table)
        told = [(self.quoted(column.name), column.comment) for column in columns if column.comment]
        if self.dialect == "mysql":  # a column's comment is part of its definition there
            return [f"ALTER TABLE {at} COMMENT = {self.literal(comment)}"] if comment else []
        if self.dialect == "bigquery":
            each = [f"ALTER COLUMN {name} SET OPTIONS (description = {self.literal(text)})" for name, text in told]
            options = [f"SET OPTIONS (description = {self.literal(comment)})"] if comment else []
            return [f"ALTER TABLE {at} {change}" for change in (*options, *each)]
        if self.dialect == "clickhouse":
            every = [f"ALTER TABLE {at} COMMENT COLUMN {name} {self.literal(text)}" for name, text in told]
            return [*([f"ALTER TABLE {at} MODIFY COMMENT {self.literal(comment)}"] if comment else []), *every]
        whole = [f"COMMENT ON TABLE {at} IS {self.literal(comment)}"] if comment else []
        if self.dialect == "databricks":
            return [
                *whole,
                *(f"ALTER TABLE {at} ALTER COLUMN {name} COMMENT {self.literal(text)}" for name, text in told),
            ]
        return [*whole, *(f"COMMENT ON COLUMN {at}.{name} IS {self.literal(text)}" for name, text in told)]

    # Rows

    def count(self, table: TableName) -> str:
        """Count the rows of a table."""
        return f"SELECT COUNT(*) FROM {self.table(table)}"

    def insert(self, table: TableName, staged: TableName, columns: Sequence[Column]) -> str:
        """Bring in every row that was staged."""
        return f"INSERT INTO {self.table(table)} ({self.names(columns)}) {self.select(staged, columns)}"

    def select(self, staged: TableName, columns: Iterable[Column], *more: str) -> str:
        """Select what was staged, as the table has it; ``more`` are expressions that follow."""
        values = ", ".join((*(self.value(staged, column) for column in columns), *more))
        return f"SELECT {values} FROM {self.table(staged)}"

    def value(self, staged: TableName, column: Column) -> str:
        """Return the expression that makes a value of the table of a staged one."""
        return _MADE.get((self.dialect, column.kind), "{}").replace("{}", self.of(staged, column.name))

    def of(self, table: TableName, column: str) -> str:
        """Return a column's name with its table's before it."""
        return f"{self.quoted(table.name)}.{self.quoted(column)}"

    def delete(self, table: TableName, window: Window | None = None) -> str:
        """Remove all rows, or those of a window."""
        if window:
            name = self.of(table, window.column)
            where = f" WHERE {name} >= {self.literal(window.start)} OR {name} IS NULL"
        else:
            where = " WHERE TRUE" if self.dialect == "bigquery" else ""  # it takes no delete without a condition
        return f"DELETE FROM {self.table(table)}{where}"
