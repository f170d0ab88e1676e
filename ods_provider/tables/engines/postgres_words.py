"""PostgreSQL's words where they hang on the table that stands: types it has already, comments that people wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ods_provider.tables.columns import Column
from ods_provider.tables.load import TableName, Window
from ods_provider.tables.statements import Statements
from ods_provider.tables.types import Dialect


@dataclass(frozen=True, slots=True)
class PostgresWords(Statements):
    """The statements for one table.

    Attributes:
        held: The types of its columns, empty where none stands.
        truncates: Whether all rows are removed by ``truncate``.
        commented: Its columns with a comment, and an empty name where the table has one: what people wrote stays.
        owned: Whether its comments are ours to write.
    """

    dialect: Dialect = "postgres"
    held: Mapping[str, str] = field(default_factory=dict)
    truncates: bool = True
    commented: frozenset[str] = frozenset()
    owned: bool = True

    def delete(self, table: TableName, window: Window | None = None) -> str:
        """Remove all rows, or those of a window."""
        if window is None and self.truncates:
            return f"TRUNCATE TABLE {self.table(table)}"
        return Statements.delete(self, table, window)

    def value(self, staged: TableName, column: Column) -> str:
        """Return the expression that makes a value of the table of a staged one."""
        made = Statements.value(self, staged, column)
        held = self.held.get(column.name)
        if column.kind == "json" and held:
            return f"CAST({self.of(staged, column.name)} AS {held})"
        return f"CAST({made} AS {held})" if column.kind == "geometry" and held else made

    def comments(self, table: TableName, columns: Iterable[Column], comment: str | None) -> list[str]:
        """Say of a table and of its columns what the portal says, where nothing is said of them yet."""
        if not self.owned:
            return []
        silent = [column for column in columns if column.name not in self.commented]
        return Statements.comments(self, table, silent, None if "" in self.commented else comment)
