"""How rows come into a table of DuckDB, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from ods_provider.testing.schema import DatasetState

Row = Mapping[str, Any]
ARROW_FROM_ROWS = 100  # below, lists are faster


def append(cursor: duckdb.DuckDBPyConnection, state: DatasetState, made: Mapping[str, Row]) -> None:
    """Add rows to a dataset's table, in one statement.

    Args:
        cursor: Of the database.
        state: The dataset.
        made: Record id to a row that fits.
    """
    if not made:
        return
    # A column at a time: a statement for each row takes twenty times as long.
    types = ["VARCHAR", *(column.sql_type for column in state.columns)]
    columns = [list(made), *([row.get(column.name) for row in made.values()] for column in state.columns)]
    if len(made) < ARROW_FROM_ROWS:
        cells = ", ".join(f"unnest(?::{kind}[])" for kind in types)
        cursor.execute(f"INSERT INTO {state.table} SELECT {cells}", columns)
    else:
        cursor.register("incoming", pa.table(columns, [f"c{number}" for number in range(len(columns))]))
        cells = ", ".join(f"c{number}::{kind}" for number, kind in enumerate(types))
        cursor.execute(f"INSERT INTO {state.table} SELECT {cells} FROM incoming")  # noqa: S608  a quoted name
        cursor.unregister("incoming")
