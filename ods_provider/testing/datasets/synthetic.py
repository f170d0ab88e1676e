"""``synthetic-rows``, and ``live-rows`` that takes pushes: as many rows as asked for, made by DuckDB itself."""

from __future__ import annotations

from ods_provider.testing.schema import Column, DatasetState

DATASET_ID = "synthetic-rows"
LIVE_ID = "live-rows"


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


def live() -> DatasetState:
    """Return the description of the same as a realtime dataset, whose unique id is ``id``."""
    made = synthetic()
    made.dataset_id, made.title = LIVE_ID, "Synthetic rows, live"
    made.columns[0] = Column("id", "int", annotations={"id": True})
    made.unique_id, made.realtime_resource = ("id",), "realtime"
    return made


def select(rows: int, *, first: int = 0, live: bool = False) -> str:
    """Return the SQL that makes ``rows`` rows, numbered from ``first``, with their record ids.

    Args:
        rows: How many.
        first: The number of the first of them.
        live: Whether their ids are those that a push of them finds (``store.record_id``).
    """
    digested = "'[' || i || ']'" if live else "'row ' || i"
    return f"""
        SELECT sha1({digested}) AS "$id", i AS id, 'Zürich 城市 ' || i AS name, round(i * 0.37, 4)::DOUBLE AS value,
               TIMESTAMP '2026-01-01' + to_seconds(i) AS at, i % 2 = 0 AS flag
        FROM range({int(first)}, {int(first) + int(rows)}) AS made(i)
    """  # noqa: S608  integers only
