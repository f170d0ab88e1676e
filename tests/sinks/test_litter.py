"""What killed runs left goes after a week, and nothing else does."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bucket import Bucket
from fsspec.implementations.memory import MemoryFileSystem

from ods_provider.sinks.destination import Destination, destination
from ods_provider.sinks.litter import OF_STORES, sweep
from ods_provider.sinks.writer import FileWriter, write_bytes
from ods_provider.stores.checkpoints import FolderStore

NOW = datetime(2026, 11, 26, tzinfo=UTC)
OLD = (NOW - timedelta(days=8)).timestamp()
NEW = (NOW - timedelta(days=6)).timestamp()
A, B = "0123456789ab", "ba9876543210"


def _file(path: Path, when: float) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("x")
    os.utime(path, (when, when))
    os.utime(path.parent, (when, when))
    return path


def test_parts_and_progress_go_after_a_week_and_all_else_stays(tmp_path: Path) -> None:
    gone = [
        _file(tmp_path / f".old-2026-11-01.csv.{A}.part", OLD),
        _file(tmp_path / f".{A}.01234567.part", OLD),
        _file(tmp_path / f".old.csv.{A}.progress" / "page-0000.json", OLD).parent,
    ]
    stay = [
        _file(tmp_path / f".new.csv.{A}.part", NEW),
        _file(tmp_path / f".new.csv.{A}.progress" / "page-0000.json", NEW).parent,
        _file(tmp_path / f".ours.csv.{B}.progress" / "page-0000.json", OLD).parent,
        *(
            _file(tmp_path / name, OLD)
            for name in (
                "old.csv",
                f"old.csv.{A}.part",
                ".old.csv.part",
                f".old.{A}x.part",
                f".{A}.part.csv",
                ".x.progress",
            )
        ),
        _file(tmp_path / "below" / f".old.csv.{A}.part", OLD),
    ]
    mixed = _file(tmp_path / f".mixed.csv.{A}.progress" / "page-0000.json", OLD).parent
    _file(mixed / "page-0001.json", NEW)
    os.utime(mixed, (OLD, OLD))
    sweep(destination(tmp_path), now=NOW, ours=B)
    assert [path.name for path in gone if path.exists()] == []
    assert [path.name for path in (*stay, mixed) if not path.exists()] == []


def test_stores_that_lie_beside_no_file_go_too(tmp_path: Path) -> None:
    for number, when in (("0", OLD), ("1", NEW), ("2", OLD)):
        _file(tmp_path / (number * 24) / "sent.json", when)
    _file(tmp_path / "of-somebody-else", OLD)
    FolderStore(destination(tmp_path).child("2" * 24)).sweep(now=NOW, older=timedelta(days=7))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1" * 24, "2" * 24, "of-somebody-else"]


def test_where_parts_have_names_of_their_own_the_earlier_ones_of_a_run_go_at_once() -> None:
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    root = destination("memory://root")
    killed = FileWriter(root.child("a.csv"), token=A)
    killed.write(b"half")
    killed._file.close()
    other = FileWriter(root.child("b.csv"), token=B)
    other.write(b"half")
    other._file.close()
    write_bytes(root.child("c.csv"), b"x", token="t")
    now = datetime.now(UTC)
    sweep(root, now=now, ours=A)
    assert [name.rpartition(".")[0].rpartition(".")[0] for name in root.names()] == [f".b.csv.{B}", ""]
    sweep(root, now=now + timedelta(days=8), ours=A)
    assert root.names() == ["c.csv"]
    MemoryFileSystem.store.clear()


class _Dated(Bucket):
    """A bucket whose objects are a year old."""

    def modified(self, path: str) -> datetime:
        if path not in self.objects:
            raise FileNotFoundError(path)
        return NOW - timedelta(days=365)


def test_in_a_bucket_progress_goes_too_and_a_bucket_without_dates_is_left_alone() -> None:
    for fs, left in ((_Dated(), ["b/day/a.csv"]), (Bucket(), [f"b/day/.a.csv.{A}.progress/page.json", "b/day/a.csv"])):
        root = Destination(fs, "b/day", "s3://b/day")
        fs.objects = {f"b/day/.a.csv.{A}.progress/page.json": b"{}", "b/day/a.csv": b"x"}
        sweep(root, now=NOW)
        assert sorted(fs.objects) == left


@pytest.mark.parametrize("error", [PermissionError("no"), RuntimeError("throttled"), FileNotFoundError("b")])
def test_no_job_fails_of_what_cannot_be_swept(error: Exception) -> None:
    class Closed(Bucket):
        def find(self, *given: object, **how: object) -> list[str]:
            raise error

    sweep(Destination(Closed(), "b/day", "s3://b/day"), now=NOW)
    sweep(Destination(Closed(), "b/day", "s3://b/day"), now=NOW, names=OF_STORES)
