"""What Iceberg tables promise beyond the contract: one snapshot a load, other writers, other people's tables, kills."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from engine_contract import CITIES, DAY, batch_of, city, loaded, memory_of, reader
from iceberg_lake import Iceberg
from pyiceberg.exceptions import CommitStateUnknownException
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import Transaction
from pyiceberg.transforms import IdentityTransform
from pyiceberg.utils.config import Config

from ods_provider.core.errors import OdsConfigError, OdsTableBusy, OdsTableError
from ods_provider.tables.columns import arrow_schema
from ods_provider.tables.engines import icebergfiles
from ods_provider.tables.engines.iceberg import IcebergEngine
from ods_provider.tables.engines.icebergwords import schema_of
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.load import Load, TableName, Window
from ods_provider.tables.urls import target_of

LOAD = Load(TableName("cities"), CITIES, token="t", comment="Cities")
MERGE = replace(LOAD, mode="merge", key=("id",))


@pytest.fixture
def lake(tmp_path: Path) -> Iceberg:
    return Iceberg(tmp_path)


def seen(lake: Iceberg) -> list[tuple[Any, ...]]:
    return sorted(lake.read(LOAD.table, CITIES))


def files(lake: Iceberg) -> set[str]:
    return {path.name for path in (lake.folder / "cities").rglob("*.parquet")}


def named(lake: Iceberg) -> set[str]:
    """Return the names of the files that any snapshot names."""
    with lake.catalog() as catalog:
        found = catalog.load_table("default.cities").inspect.all_data_files().column("file_path")
    return {Path(path).name for path in found.to_pylist()}


def test_each_load_is_one_snapshot_and_the_one_before_stays_readable(lake: Iceberg) -> None:
    loaded(lake, LOAD, [city(1), city(2)])
    loaded(lake, LOAD, [city(3)])
    loaded(lake, replace(LOAD, mode="append", window=Window("at", DAY)), [city(4)])
    loaded(lake, MERGE, [city(4, "changed"), city(5)])
    with lake.catalog() as catalog:
        table = catalog.load_table("default.cities")
        ids = [
            sorted(table.scan(snapshot_id=each.snapshot_id).to_arrow()["id"].to_pylist()) for each in table.snapshots()
        ]
        assert ids == [[1, 2], [3], [4], [4, 5]]
        assert [each.summary["total-records"] for each in table.snapshots()] == ["2", "1", "1", "2"]
        assert table.properties["comment"] == "Cities"
        assert table.schema().find_field("name").doc == CITIES[1].comment


def test_a_merge_writes_only_the_files_anew_in_which_something_changes(lake: Iceberg) -> None:
    loaded(lake, replace(LOAD, mode="append"), [city(1), city(2)])
    first = files(lake)
    loaded(lake, replace(LOAD, mode="append"), [city(3)])
    loaded(lake, MERGE, [city(3, "changed")])
    with lake.catalog() as catalog:
        now = {Path(task.file.file_path).name for task in catalog.load_table("default.cities").scan().plan_files()}
    assert first < now
    assert seen(lake) == [city(1), city(2), city(3, "changed")]


def test_a_large_load_becomes_files_of_a_bounded_size(lake: Iceberg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(icebergfiles, "_FILE_BYTES", 10_000)
    rows = [city(at) for at in range(1000)]
    with lake.engine() as engine:
        engine.stage(LOAD, reader(CITIES, rows, size=100))
        engine.commit(LOAD, memory_of(LOAD))
    assert len(files(lake)) > 2
    assert seen(lake) == rows
    assert loaded(lake, replace(MERGE, delete_missing=True), [*rows[1:], city(1000)]).table_rows == 1000


@pytest.mark.parametrize("load", [LOAD, replace(LOAD, mode="append"), MERGE], ids=lambda load: load.mode)
def test_another_writer_in_between_makes_a_load_fail_and_loses_nothing(
    lake: Iceberg, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(lake, LOAD, [city(1)])
    commit = Transaction.commit_transaction

    def other_first(self: Transaction) -> Any:
        monkeypatch.setattr(Transaction, "commit_transaction", commit)
        with lake.catalog() as catalog:
            rows = pa.Table.from_batches([batch_of(arrow_schema(CITIES), [city(9, "theirs")])])
            catalog.load_table("default.cities").append(rows)
        return commit(self)

    with lake.engine() as engine:
        engine.stage(load, reader(CITIES, [city(1, "ours"), city(2, "ours")]))
        monkeypatch.setattr(Transaction, "commit_transaction", other_first)
        with pytest.raises(OdsTableBusy, match="somebody else"):
            engine.commit(load, memory_of(load, watermark=5))
    assert seen(lake) == [city(1), city(9, "theirs")]
    with lake.engine() as engine:
        memory = engine.recall(LOAD.table, "work")
    assert memory is not None
    assert memory.watermark is None
    assert files(lake) == named(lake)


@pytest.fixture
def lost_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Let the catalogue's next answer be lost, after the commit or in place of it."""
    commit = Transaction.commit_transaction

    def lose(came: bool) -> None:
        def lost(self: Transaction) -> Any:
            monkeypatch.setattr(Transaction, "commit_transaction", commit)
            if came:
                commit(self)
            raise CommitStateUnknownException("no answer")

        monkeypatch.setattr(Transaction, "commit_transaction", lost)

    return lose


def test_files_of_a_run_that_never_committed_are_removed_by_the_next_attempt_and_no_sooner(
    lake: Iceberg, lost_answer: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    append = replace(LOAD, mode="append")
    loaded(lake, append, [city(1)])
    lost_answer(False)
    with pytest.raises(OdsTableError, match="no answer") as caught:
        loaded(lake, append, [city(2)])
    assert caught.value.transient
    left = files(lake) - named(lake)
    assert len(left) == 1
    with lake.engine("another") as engine:
        engine.stage(append, reader(CITIES, [city(3)]))
        engine.commit(append, memory_of(append))
    assert left < files(lake), "that run may still be at work"
    loaded(lake, append, [city(4)])
    assert seen(lake) == [city(1), city(3), city(4)]
    assert files(lake) == named(lake)


def test_a_run_that_was_overtaken_by_its_next_attempt_does_not_commit(
    lake: Iceberg, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = replace(LOAD, mode="append")
    loaded(lake, append, [city(1)])
    snapshot = IcebergEngine._snapshot

    def overtaken(self: IcebergEngine, *given: Any) -> None:
        monkeypatch.setattr(IcebergEngine, "_snapshot", snapshot)
        snapshot(self, *given)
        loaded(lake, append, [city(2)])

    monkeypatch.setattr(IcebergEngine, "_snapshot", overtaken)
    with pytest.raises(OdsTableBusy, match="another attempt"):
        loaded(lake, append, [city(2)])
    assert seen(lake) == [city(1), city(2)]
    assert files(lake) == named(lake)


def test_files_of_a_commit_whose_answer_was_lost_are_kept(lake: Iceberg, lost_answer: Callable[[bool], None]) -> None:
    loaded(lake, LOAD, [city(0)])
    lost_answer(True)
    with pytest.raises(OdsTableError, match="no answer"):
        loaded(lake, LOAD, [city(1)])
    assert seen(lake) == [city(1)]
    loaded(lake, replace(LOAD, mode="append"), [city(2)])
    assert seen(lake) == [city(1), city(2)]


def test_a_partitioned_table_of_others_keeps_its_partitions(lake: Iceberg) -> None:
    with lake.catalog() as catalog:
        catalog.create_namespace("default")
        schema = schema_of(CITIES)
        spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "name"))
        catalog.create_table("default.cities", schema, location=f"file://{lake.folder}/elsewhere", partition_spec=spec)
    loaded(lake, LOAD, [city(1), city(2, "Bruges")])
    assert loaded(lake, MERGE, [city(1, "Bruges"), city(3)]).table_rows == 3
    loaded(lake, replace(LOAD, mode="append", window=Window("at", DAY)), [city(4), city(5, "Bruges")])
    assert seen(lake) == [city(4), city(5, "Bruges")]
    with lake.catalog() as catalog:
        found = catalog.load_table("default.cities")
        assert {task.file.partition[0] for task in found.scan().plan_files()} == {"Ghent", "Bruges"}


def test_a_missing_package_is_told_with_the_extra_that_brings_it(
    lake: Iceberg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyiceberg.catalog.sql", None)
    with pytest.raises(OdsConfigError, match=r"pip install 'ods-provider\[iceberg\]'"), lake.engine():
        pass


def test_a_store_without_a_catalogue_is_refused_with_how_to_name_one() -> None:
    with pytest.raises(
        OdsConfigError, match=r"s3://lake/city\?format=iceberg&catalog=NAME.*PYICEBERG_CATALOG__NAME__URI"
    ):
        engine_of(target_of("s3://lake/city?format=iceberg"), "t")


def test_a_catalogue_that_nobody_described_is_refused_by_its_name(tmp_path: Path) -> None:
    with (
        pytest.raises(OdsConfigError, match=r"'nowhere' cannot be opened.*PYICEBERG_CATALOG__NOWHERE__URI"),
        engine_of(target_of("s3://lake/x?format=iceberg&catalog=nowhere"), "t") as engine,
    ):
        engine.standing(LOAD.table)


def test_a_catalogue_that_refuses_shows_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYICEBERG_CATALOG__LAB__URI", "postgresql+psycopg2://me:hunter%402@127.0.0.1:1/db")
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())
    with (
        pytest.raises(OdsConfigError, match="cannot be opened") as caught,
        engine_of(target_of("s3://lake/x?format=iceberg&catalog=lab"), "t") as engine,
    ):
        engine.standing(LOAD.table)
    assert "hunter" not in str(caught.value)
