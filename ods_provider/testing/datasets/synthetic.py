"""``synthetic-rows``: as many rows as asked for, made by DuckDB itself."""

from __future__ import annotations

from ods_provider.testing.schema import Column, DatasetState

DATASET_ID = "synthetic-rows"


def synthetic() -> DatasetState:
    """Return the dataset's description."""
    return DatasetState(
        DATASET_ID,
        "Synthetic rows",
        [
            Column("id", "int"),
            Column("name", "text"),
            Column("value", "double"),
            Column("at", "datetime"),
            Column("flag", "boolean"),
        ],
        theme=["Tests"],
    )


def select(rows: int, *, first: int = 0) -> str:
    """Return the SQL that makes ``rows`` rows, numbered from ``first``, with their record ids."""
    return f"""
        SELECT sha1('row ' || i) AS "$id", i AS id, 'Zürich 城市 ' || i AS name, round(i * 0.37, 4) AS value,
               TIMESTAMP '2026-01-01' + to_seconds(i) AS at, i % 2 = 0 AS flag
        FROM range({int(first)}, {int(first) + int(rows)}) AS made(i)
    """  # noqa: S608  integers only
