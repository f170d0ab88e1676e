"""What a load says that was told to stop: the table is as it was, unless its database was just confirming."""

from __future__ import annotations

from typing import Any

import pytest

from ods_provider.core.errors import OdsTableBusy, OdsTableError
from ods_provider.tables.columns import Column
from ods_provider.tables.engines.dlt import DltEngine
from ods_provider.tables.load import Load, Memory, TableName
from ods_provider.tables.urls import target_of

TABLE = TableName("cities", "city")
COLUMNS = (Column("id", "int", "id"),)
MEMORY = Memory("id", "city.cities", "p", "d", None, None, None, None, None, 1, 1, "r", "2026-03-01", "{}")


class Child:
    """A child that is told to stop while it does something, and does not come back from that."""

    def __init__(self, at: str) -> None:
        self._at = at
        self.engine: DltEngine | None = None

    def open(self, dataset: str) -> None: ...

    def ask(self, do: str, **words: Any) -> Any:
        if self._at in (do, str(words.get("statement", ""))[:6].lower()) and self.engine is not None:
            self.engine.cancel()
            raise OdsTableError("the connection was closed")
        if do != "query":
            return 1
        return [[1]] if "COUNT(" in str(words).upper() else []

    def cancel(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(("at", "told"), [("commit", "the old rows or the new ones"), ("insert", "as it was")])
def test_nobody_says_that_nothing_changed_where_nobody_knows(at: str, told: str) -> None:
    child = Child(at)
    with DltEngine(target_of("redshift://h/city"), "run", child=lambda target, books: child) as engine:
        child.engine = engine
        with pytest.raises(OdsTableBusy, match=told):
            engine.commit(Load(TABLE, COLUMNS, mode="append"), MEMORY)
