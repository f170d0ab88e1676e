"""Databases that dlt brings rows to and that have no transaction over several statements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsTableError
from ods_provider.tables.applying import check_key, check_load
from ods_provider.tables.engine import Abilities
from ods_provider.tables.engines.dlt import DltEngine, Link
from ods_provider.tables.engines.dltranges import within_range
from ods_provider.tables.load import Load, Loaded, Memory, StandingColumn, TableName
from ods_provider.tables.memory import create_memory, forget, memory_table, remember
from ods_provider.tables.onestatement import beside, counting, in_place, merging, prepared
from ods_provider.tables.statements import Statements, staging_prefix
from ods_provider.tables.target import Target
from ods_provider.tables.types import as_staged, takes

if TYPE_CHECKING:
    import pyarrow as pa

_GAP = (
    "the table's rows change in one statement, and what is remembered of the load follows it: a load that is killed in "
    "between is done again, and rows that are appended come twice then"
)
_LATER = "; columns that a load gives a table, and a table that it makes, are seen before their values"


class AutocommitEngine(DltEngine):
    """An ``Engine`` of Databricks, ClickHouse and Athena: what changes rows is one statement, and the memory follows.

    The memory is never ahead of the rows. A kill between the two leaves rows that are not remembered.

    Args:
        target: The database.
        token: The run's.
        child: What talks with dlt's process; tests have one of their own.
    """

    def __init__(self, target: Target, token: str, *, child: Callable[[Target, str], Link] | None = None) -> None:
        super().__init__(target, token, child=child)
        self._sql = Statements(self._sql.dialect, self._given.get("staging") or "")
        if target.kind == "athena" and not self._sql.folder:
            raise OdsConfigError(
                "Athena needs a bucket in which tables lie",
                where=target.label,
                advice="Add staging=s3://bucket/folder to the URL",
            )
        self.can = Abilities(
            swaps=("stage",),
            modes=("replace", "append", "merge"),
            comments=target.kind != "athena",
            geometry=False,
            longest_name=255 if target.kind == "athena" else 206,  # files are named by them
            folds_case=target.kind != "clickhouse",
            gap=_GAP if target.kind == "clickhouse" else _GAP + _LATER,
        )

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        found = self._query(self._columns_of(self._whole(table)))
        if (
            found
            and (kind := str(found[0][3])) not in {"BASE TABLE", "MANAGED", "EXTERNAL"}
            and "MergeTree" not in kind
        ):
            raise OdsTableError(
                f"This is no table that rows go into, but a {kind.lower()}"
                if "view" in kind.lower()
                else f"This is a table of {kind}, whose rows change in no single step",
                where=f"{self._target.label}, table {table}",
                advice="Load into a table of another name",
            )
        return (
            tuple(
                StandingColumn(str(name), str(kind), takes(str(kind), self._sql.dialect), bool(must))
                for name, kind, must, _ in found
            )
            or None
        )

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Bring rows into a staging table, and return how many it holds then."""
        if self._sql.dialect == "clickhouse":
            rows = within_range(rows, load.columns)
        return super().stage(load, rows)

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, in one statement, and remember it then.

        Raises:
            OdsError: It cannot be done; the table is as it was, or has new columns, or holds the rows already, and the
                error says which.
        """
        load, staged = replace(load, table=self._whole(load.table)), self._staged(load)
        standing = self.standing(load.table)
        check_load(load, standing)
        check_key(self._query, self._sql, load, staged)
        self._run(create_memory(self._sql, load.table))  # first: who may not, is told before a row changes
        came = int(self._query(self._sql.count(staged))[0][0])
        change = self._exchange if self._sql.dialect == "clickhouse" else self._merge
        loaded = change(load, standing, staged, came)
        if load.mode == "replace" and loaded.table_rows != came:
            raise OdsTableError(
                f"{counted(came, 'rows')} came, and {load.table} holds {loaded.table_rows:,}",
                where=self._target.label,
                advice="See whether others write into it",
            )
        for statement in remember(self._sql, load.table, replace(memory, table_rows=loaded.table_rows)):
            self._run(statement)
        return loaded

    def _merge(self, load: Load, standing: Any, staged: TableName, came: int) -> Loaded:
        merged = merging(self._sql, load, standing, staged)
        for statement in (*prepared(self._sql, load, standing), *merged):
            self._run(statement)
        return Loaded(self.rows(load.table))

    def _exchange(self, load: Load, standing: Any, staged: TableName, came: int) -> Loaded:
        aside = TableName(staging_prefix(self._token) + "aside", load.table.schema)
        if standing is not None:
            for statement in prepared(self._sql, load, standing):
                self._run(statement)
            standing = self.standing(load.table)
        before = self.rows(load.table) if standing is not None else 0
        told = counting(self._sql, load, standing, staged)
        updated, inserted, lacking = map(int, self._query(told)[0]) if told else (0, came, 0)
        self._run(self._sql.drop(aside))
        for statement in beside(self._sql, load, standing, staged, aside):
            self._run(statement)
        arrived = self.rows(aside)
        parts = self._query(
            "SELECT DISTINCT partition_id FROM system.parts WHERE active"
            f" AND database = {self._sql.literal(aside.schema)} AND table = {self._sql.literal(aside.name)}"
        )
        for statement in in_place(self._sql, load, standing, aside, [str(each) for (each,) in parts]):
            self._run(statement)
        deleted = lacking if load.delete_missing else 0
        if load.window and standing is not None:
            deleted = before + came - arrived
        self._run(self._sql.drop(aside))
        return Loaded(self.rows(load.table), inserted, updated, deleted)

    def drop(self, table: TableName, load_id: str) -> None:
        """Forget the load of that name, and drop the table, if it stands: between the two it would be loaded anew."""
        whole = self._whole(table)
        if self.standing(memory_table(table)) is not None:
            self._run(forget(self._sql, whole, load_id))
        self._run(self._sql.drop(whole))

    def _dataset(self, schema: str) -> str:
        # ClickHouse knows no schemas: dlt begins the names of its tables with what it takes for one.
        return staging_prefix(self._token).rstrip("_") if self._sql.dialect == "clickhouse" else schema

    def _staged(self, load: Load) -> TableName:
        if self._sql.dialect != "clickhouse":
            return super()._staged(load)
        return TableName(f"{self._dataset('')}___rows", self._schema(None))

    def _bring(
        self, staged: TableName, columns: Any, hints: list[dict[str, Any]], files: list[tuple[str, int]]
    ) -> None:
        if self._sql.dialect != "athena":  # where dlt's table is one of files in the bucket
            # dlt's own would lose dates (ClickHouse), or take no blanks in names (Databricks).
            self._run(self._sql.create(staged, as_staged(columns)))
        name = "rows" if self._sql.dialect == "clickhouse" else staged.name
        dataset = self._dataset(staged.schema or "")
        self._ask("load", dataset=dataset, table=name, columns=hints, files=files)

    def _columns_of(self, table: TableName) -> str:
        """Return the statement that selects name, type, whether it must be given a value, and the kind of table."""
        schema, name = self._sql.literal(table.schema), self._sql.literal(table.name)
        if self._sql.dialect == "clickhouse":
            return (
                "SELECT c.name, c.type, 0, t.engine FROM system.columns AS c INNER JOIN system.tables AS t"
                " ON t.database = c.database AND t.name = c.table"
                f" WHERE c.database = {schema} AND c.table = {name}"
                " AND c.default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY c.position"
            )
        kind, must = (
            ("c.full_data_type", "c.is_nullable = 'NO' AND c.column_default IS NULL")
            if self._sql.dialect == "databricks"
            else ("c.data_type", "FALSE")
        )
        return (
            f"SELECT c.column_name, {kind}, {must}, t.table_type FROM information_schema.columns AS c"
            " INNER JOIN information_schema.tables AS t"
            " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
            f" WHERE c.table_schema = {schema} AND c.table_name = {name} ORDER BY c.ordinal_position"
        )

    def _schema(self, table: TableName | None) -> str:
        if table is not None and table.schema:
            return table.schema
        if self._target.kind == "clickhouse":
            return unquote(urlsplit(self._target.url.reveal()).path.strip("/")) or "default"
        return self._given.get("schema") or "default"
