"""Folders of this machine, and of a store that speaks S3, take loads as the contract says."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from airflow_daemons import free_port, wait_for
from deltalake import DeltaTable
from engine_contract import CITIES, DAY, Database, EngineContract, city, loaded, memory_of, reader
from iceberg_lake import Iceberg
from pyiceberg.utils.config import Config

from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.redact import Secret
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import MEMORY_TABLE, Engine
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.load import Load, TableName, Window
from ods_provider.tables.urls import target_of


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


class Delta(Database):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def engine(self, token: str = "t") -> Engine:
        return engine_of(target_of(f"file://{self.folder}?format=delta"), token)

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        found = DeltaTable(str(self.folder / table.name)).to_pyarrow_table()
        return [tuple(_utc(row[column.name]) for column in columns) for row in found.to_pylist()]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        pytest.skip("a folder takes no statements")

    def tables(self) -> set[str]:
        # What is remembered stands in each table's own log.
        return {path.name for path in self.folder.iterdir()} | {MEMORY_TABLE}


class Folder(Delta):
    def engine(self, token: str = "t") -> Engine:
        return engine_of(target_of(f"file://{self.folder}"), token)

    def read(self, table: TableName, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
        names = [column.name for column in columns]
        place = self.folder / table.name
        while True:
            # All that one opening of the folder shows: a path may show another folder a moment later.
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            try:
                found = [
                    pq.read_table(f"/proc/self/fd/{handle}/{name}", columns=names).to_pylist()
                    for name in sorted(os.listdir(handle))  # noqa: PTH208  what is open has no path
                    if name.endswith(".parquet")
                ]
                gone = False
            except FileNotFoundError:
                gone = True
            finally:
                opened = os.fstat(handle)
                os.close(handle)
            # The files of a folder go once another stands in its place: whoever was in it looks again.
            if os.path.samestat(opened, place.stat()):
                assert not gone
                return [tuple(map(_utc, row.values())) for rows in found for row in rows]


class _NoBackslash(EngineContract):
    @pytest.mark.parametrize("name", ["select", "Ville", "Où ça", "日本", "a.b", "it's", 'so "called"', "100%", "a;b"])
    def test_names_are_kept_whatever_is_in_them(self, database: Database, name: str) -> None:
        columns = (Column(name, "int", "key"), Column("from", "text", "from", label="it's"))
        load = Load(database.table(name), columns, comment="it's \\ so")
        loaded(database, load, [(1, "a"), (2, "b")])
        assert self.seen(database, load) == [(1, "a"), (2, "b")]
        assert database.tables() == {name, MEMORY_TABLE}

    @pytest.mark.parametrize("name", ["a\\b", "..", "a/b", "a\0b"])
    def test_a_name_that_is_none_of_a_folder_is_refused(self, database: Database, name: str) -> None:
        with pytest.raises(OdsConfigError, match="name of a folder"):
            loaded(database, Load(database.table(name), CITIES), [city(1)])


class TestDelta(_NoBackslash):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Delta:
        return Delta(tmp_path)


class TestIceberg(_NoBackslash):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iceberg:
        return Iceberg(tmp_path)


class TestParquetFolder(_NoBackslash):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Folder:
        return Folder(tmp_path)


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    """An S3 server of our own, with an empty bucket called ``lake``."""
    port = free_port()
    # A process of its own: deltalake waits for an answer without letting other threads of Python's go on.
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    settings = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": "us-east-1",
        "aws_access_key_id": "loader",
        "aws_secret_access_key": "hunter2",
    }
    try:

        def answers() -> bool:
            assert server.poll() is None
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                return True
            return False

        wait_for("the store answers", answers, timeout_s=120)
        boto3.client("s3", **settings).create_bucket(Bucket="lake")
        yield settings
    finally:
        server.terminate()
        server.wait()


def in_store(store: dict[str, str], url: str) -> Engine:
    shown = {name: value for name, value in store.items() if not name.startswith("aws_")}
    hidden = {name: Secret(value) for name, value in store.items() if name.startswith("aws_")}
    return engine_of(replace(target_of(url), options=shown, secrets=hidden), "t")


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a catalogue that the environment describes; pyiceberg reads that once a process."""
    monkeypatch.setenv("PYICEBERG_CATALOG__LAB__URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())
    return "lab"


@pytest.mark.parametrize("form", ["parquet", "delta", "iceberg"])
def test_a_store_takes_loads_of_every_mode(store: dict[str, str], catalogue: str, form: str) -> None:
    url = f"s3://lake/{form}?format={form}&catalog={catalogue}"
    load = Load(TableName("cities"), CITIES, token="t", comment="Cities 城市")

    def done(how: Load, rows: list[tuple[Any, ...]]) -> int:
        with in_store(store, url) as engine:
            assert engine.stage(how, reader(CITIES, rows)) == len(rows)
            assert engine.commit(how, memory_of(how)).table_rows == engine.rows(how.table)
            assert engine.recall(how.table, "work") is not None
            return engine.rows(how.table)

    assert done(load, [city(1), city(2)]) == 2
    assert done(load, [city(3)]) == 1
    assert done(replace(load, mode="append"), [city(4), city(5, "é")]) == 3
    assert done(replace(load, mode="append", window=Window("at", DAY)), [city(6)]) == 1
    if form != "parquet":
        assert done(replace(load, mode="merge", key=("id",)), [city(6, "changed"), city(7)]) == 2
    with in_store(store, url) as engine:
        assert [column.name for column in engine.standing(load.table) or ()] == ["id", "name", "at"]
    names = [each["Key"] for each in boto3.client("s3", **store).list_objects_v2(Bucket="lake")["Contents"]]
    assert not [name for name in names if "stage" in name or "loading" in name]


def test_a_store_that_refuses_is_a_sentence_without_the_key(store: dict[str, str], catalogue: str) -> None:
    load = Load(TableName("cities"), CITIES, token="t")
    for form in ("parquet", "delta", "iceberg"):
        url = f"s3://nowhere/x?format={form}&catalog={catalogue}"
        with pytest.raises(OdsError) as caught, in_store(store, url) as engine:
            engine.stage(load, reader(CITIES, [city(1)]))
            engine.commit(load, memory_of(load))
        assert "hunter2" not in str(caught.value)


def test_a_folder_that_holds_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cities").mkdir()
    (tmp_path / "cities" / "mine.parquet").write_bytes(b"mine")
    load = Load(TableName("cities"), CITIES, token="t")
    with pytest.raises(OdsError, match="not of a load"), Folder(tmp_path).engine() as engine:
        engine.stage(load, reader(CITIES, [city(1)]))
        engine.commit(load, memory_of(load))
    assert (tmp_path / "cities" / "mine.parquet").read_bytes() == b"mine"
