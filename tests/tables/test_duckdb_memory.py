"""DuckDB keeps few pages in memory while rows come, as many as wide rows need, and what others set is as it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from engine_contract import ID, memory_of

from ods_provider.tables.columns import Column, arrow_schema
from ods_provider.tables.engines.duckdb import DuckDbEngine
from ods_provider.tables.load import Load, TableName
from ods_provider.tables.urls import target_of

COLUMNS = (ID, Column("text", "text", "text"))
SCHEMA = arrow_schema(COLUMNS)
LOAD = Load(TableName("t"), COLUMNS)


def batch(start: int, rows: int, text: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(range(start, start + rows)), pa.array([text] * rows)], schema=SCHEMA)


def settings(link: duckdb.DuckDBPyConnection) -> Any:
    return link.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()


@pytest.mark.parametrize("fails", [False, True])
def test_the_bound_follows_the_widest_rows_and_ends_with_the_load(tmp_path: Path, fails: bool) -> None:
    with duckdb.connect(str(tmp_path / "x.duckdb")) as link:  # of the same process, so of the same database
        link.execute("SET memory_limit = '2 GiB'; SET threads = 2")
        before, seen = settings(link), []

        def batches() -> Iterator[pa.RecordBatch]:
            for at, text in enumerate(("narrow", "wide" * 100, "narrow")):
                yield batch(at * 10, 10, text)
                seen.append(settings(link))
            if fails:
                raise ZeroDivisionError

        engine = DuckDbEngine(target_of(f"duckdb:///{tmp_path}/x.duckdb"), "t")
        rows = pa.RecordBatchReader.from_batches(SCHEMA, batches())
        if fails:
            with pytest.raises(ZeroDivisionError), engine:
                engine.stage(LOAD, rows)
        else:
            with engine:
                engine.stage(LOAD, rows)
                assert engine.commit(LOAD, memory_of(LOAD)).table_rows == 30
        narrow, wide, narrow_again = (float(limit.split()[0]) for limit, _ in seen)
        assert before[0] == "2.0 GiB"
        assert all("MiB" in limit and threads == 1 for limit, threads in seen)
        assert narrow < 30 < wide == narrow_again
        assert settings(link) == before


def test_a_bound_of_the_user_s_is_never_raised(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "x.duckdb")) as link:
        link.execute("SET memory_limit = '100 MiB'")
        seen = []

        def batches() -> Iterator[pa.RecordBatch]:
            yield batch(0, 10, "wide" * 1000)
            seen.append(settings(link)[0])

        with DuckDbEngine(target_of(f"duckdb:///{tmp_path}/x.duckdb"), "t") as engine:
            engine.stage(LOAD, pa.RecordBatchReader.from_batches(SCHEMA, batches()))
        assert seen == ["100.0 MiB"]


@pytest.mark.at_length
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    script = """
import sys
import test_duckdb_memory as here
from pathlib import Path

def peak_mib():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024

def batches(count):
    for start in range(0, count, 20_000):
        yield here.batch(start, 20_000, f"a text that is not quite short {start}")

here.duckdb.connect().execute("SELECT 1").fetchall()
before = peak_mib()
with here.DuckDbEngine(here.target_of(sys.argv[1]), "t") as engine:
    engine.stage(here.LOAD, here.pa.RecordBatchReader.from_batches(here.SCHEMA, batches(int(sys.argv[2]))))
    engine.commit(here.LOAD, here.memory_of(here.LOAD))
print(peak_mib() - before)
"""
    peaks = []
    for count in (500_000, 4_000_000):
        words = [sys.executable, "-c", script, f"duckdb:///{tmp_path}/{count}.duckdb", str(count)]
        path = f"{Path(__file__).parent}:{Path(__file__).parent.parent}"
        done = subprocess.run(words, check=True, capture_output=True, text=True, env={"PYTHONPATH": path})
        peaks.append(float(done.stdout))
    assert peaks[1] < peaks[0] + 25, peaks
