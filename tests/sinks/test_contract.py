"""One contract, three kinds of filesystem: local files, a plain remote one, an object store that commits."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from bucket import Bucket
from fsspec.implementations.memory import MemoryFileSystem

from ods_provider.core.errors import OdsSinkError
from ods_provider.sinks.destination import Destination, destination
from ods_provider.sinks.writer import FileWriter, write_bytes
from ods_provider.stores.checkpoints import FolderStore


class SinkContract:
    """What every destination promises; ``root`` is a folder on it."""

    def test_a_committed_file_stands_whole_under_its_name(self, root: Destination) -> None:
        place = root.child("a.csv")
        with FileWriter(place, token="t") as writer:
            for _ in range(300):
                writer.write("Zürich 城市\n".encode() * 100)
            writer.commit()
        content = place.read_bytes()
        assert content == "Zürich 城市\n".encode() * 30_000
        assert writer.size_bytes == place.size_bytes() == len(content)
        assert writer.sha256 == hashlib.sha256(content).hexdigest()
        assert root.names() == ["a.csv"]

    def test_nothing_shows_under_the_final_name_before_the_commit(self, root: Destination) -> None:
        place = root.child("a.csv")
        with FileWriter(place, token="t") as writer:
            writer.write(b"x" * 200_000)
            assert place.size_bytes() is None
            writer.commit()
        assert place.size_bytes() == 200_000

    def test_leaving_without_a_commit_leaves_nothing(self, root: Destination) -> None:
        with FileWriter(root.child("a.csv"), token="t") as writer:
            writer.write(b"x" * 200_000)
        del writer
        gc.collect()
        assert root.names() == []

    def test_an_error_leaves_nothing_and_goes_on_up(self, root: Destination) -> None:
        with pytest.raises(ZeroDivisionError), FileWriter(root.child("a.csv"), token="t") as writer:
            writer.write(b"x" * 200_000)
            raise ZeroDivisionError
        assert root.names() == []

    def test_an_older_file_stands_until_the_commit_and_is_then_replaced(self, root: Destination) -> None:
        place = root.child("a.csv")
        write_bytes(place, b"old", token="t")
        with FileWriter(place, token="t") as writer:
            writer.write(b"newer")
            assert place.read_bytes() == b"old"
            writer.commit()
        assert place.read_bytes() == b"newer"
        assert root.names() == ["a.csv"]

    def test_an_older_file_survives_a_discard(self, root: Destination) -> None:
        place = root.child("a.csv")
        write_bytes(place, b"old", token="t")
        with FileWriter(place, token="t") as writer:
            writer.write(b"newer")
        assert place.read_bytes() == b"old"

    @pytest.mark.parametrize("name", ["data[1].csv", "data*.csv", "what?.csv", "[a-z].csv"])
    def test_a_name_is_never_taken_for_a_pattern(self, root: Destination, name: str) -> None:
        write_bytes(root.child("data1.csv"), b"other", token="t")
        write_bytes(root.child(name), b"own", token="t")
        assert root.child(name).read_bytes() == b"own"
        store = FolderStore(root.child(f".{name}.progress"))
        store.save("page-1", {"rows": 1})
        assert store.load() == {"page-1": {"rows": 1}}
        store.clear()
        assert store.load() == {}
        root.child(name).remove()
        assert root.names() == ["data1.csv"]

    def test_an_empty_file_is_a_file(self, root: Destination) -> None:
        write_bytes(root.child("a.csv"), b"", token="t")
        assert root.child("a.csv").size_bytes() == 0

    def test_folders_are_made_where_they_are_needed(self, root: Destination) -> None:
        place = root.child("deep").child("deeper").child("a.csv")
        write_bytes(place, b"x", token="t")
        assert place.read_bytes() == b"x"

    def test_what_is_not_there_has_no_size_no_mark_and_no_names(self, root: Destination) -> None:
        assert root.child("absent").size_bytes() is None
        assert root.child("absent").modified() is None
        assert root.child("absent").names() == []
        root.child("absent").remove()

    def test_the_mark_changes_with_the_file(self, root: Destination) -> None:
        place = root.child("a.csv")
        write_bytes(place, b"one", token="t")
        before = place.modified()
        write_bytes(place, b"two", token="t")
        assert before is not None
        assert place.modified() != before

    def test_reading_what_is_not_there_names_the_place(self, root: Destination) -> None:
        with pytest.raises(OdsSinkError, match="absent") as caught:
            root.child("absent").read_bytes()
        assert not caught.value.transient

    def test_a_folder_of_checkpoints_keeps_updates_and_clears_them(self, root: Destination) -> None:
        store = FolderStore(root.child(".job.progress"))
        assert store.load() == {}
        store.save("page-0001", {"rows": ["ü", 2**62]})
        store.save("sent", {"batches": 1})
        store.save("sent", {"batches": 2})
        again = FolderStore(root.child(".job.progress"))
        assert again.load() == {"page-0001": {"rows": ["ü", 2**62]}, "sent": {"batches": 2}}
        again.clear()
        assert again.load() == {}
        again.clear()
        assert root.names() == []

    def test_a_checkpoint_that_is_no_json_counts_as_not_confirmed(self, root: Destination) -> None:
        store = FolderStore(root.child(".job.progress"))
        store.save("whole", 1)
        write_bytes(root.child(".job.progress").child("half.json"), b'{"a', token="t")
        assert store.load() == {"whole": 1}


class TestLocalFiles(SinkContract):
    @pytest.fixture
    def root(self, tmp_path: Path) -> Destination:
        return destination(tmp_path)

    def test_a_killed_try_is_replaced_by_the_next_with_the_same_token(self, root: Destination) -> None:
        killed = FileWriter(root.child("a.csv"), token="t")
        killed.write(b"half")
        with FileWriter(root.child("a.csv"), token="t") as writer:
            writer.write(b"whole")
            writer.commit()
        killed._file.close()
        assert root.names() == ["a.csv"]
        assert root.child("a.csv").read_bytes() == b"whole"

    def test_a_worker_given_up_for_dead_can_neither_spoil_nor_commit_what_its_successor_writes(
        self, root: Destination
    ) -> None:
        dead = FileWriter(root.child("a.csv"), token="t")
        dead.write(b"half")
        with FileWriter(root.child("a.csv"), token="t") as successor:
            successor.write(b"whole")
            with pytest.raises(OdsSinkError, match="another run"), dead:
                dead.commit()
            assert root.names() == [".a.csv.t.part"]
            successor.commit()
        assert root.child("a.csv").read_bytes() == b"whole"

    def test_a_path_without_a_name_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OdsSinkError, match="folder, not a file"):
            FileWriter(Destination(destination(tmp_path).fs, "", "x"), token="t")

    def test_a_folder_is_not_taken_for_a_file(self, root: Destination) -> None:
        root.child("a.csv").child("b").make_parents()
        with pytest.raises(OdsSinkError, match="folder, not a file"):
            FileWriter(root.child("a.csv"), token="t")
        assert root.names() == ["a.csv"]

    def test_what_was_written_can_be_read_before_the_commit(self, root: Destination) -> None:
        with FileWriter(root.child("a.csv"), token="t") as writer:
            writer.write(b"x" * 10)
            assert writer.readable
            with writer.read_back() as file:
                assert file.read() == b"x" * 10


class TestMemoryFiles(SinkContract):
    @pytest.fixture
    def root(self) -> Iterator[Destination]:
        MemoryFileSystem.store.clear()
        MemoryFileSystem.pseudo_dirs[:] = [""]
        yield destination("memory://root")
        MemoryFileSystem.store.clear()


class TestObjectStore(SinkContract):
    @pytest.fixture
    def root(self) -> Iterator[Destination]:
        fs = Bucket()
        yield Destination(fs, "bucket/root", "s3://bucket/root")
        assert fs.pending == {}, "an upload was neither committed nor discarded"

    def test_no_temporary_object_is_ever_visible(self, root: Destination) -> None:
        with FileWriter(root.child("a.csv"), token="t") as writer:
            writer.write(b"x" * 200_000)
            assert root.names() == []
            writer.commit()

    def test_a_bucket_is_no_file(self, root: Destination) -> None:
        for path in ("bucket", "bucket/"):
            with pytest.raises(OdsSinkError, match="folder, not a file") as caught:
                FileWriter(Destination(root.fs, path, f"s3://{path}"), token="t")
            assert not caught.value.transient

    def test_no_bucket_is_made_and_nothing_but_putting_is_needed(self, root: Destination) -> None:
        class WriteOnly(Bucket):
            def _refuse(self, *given: object, **how: object) -> None:
                raise PermissionError("Access Denied")

            makedirs = mkdir = mkdirs = info = ls = rm = _rm = find = isdir = modified = _refuse

        fs = WriteOnly()
        place = Destination(fs, "bucket/deep/a.csv", "s3://bucket/deep/a.csv")
        with FileWriter(place, token="t") as writer:
            writer.write(b"x" * 200_000)
            writer.commit()
        with FileWriter(place, token="t") as writer:
            writer.write(b"y" * 200_000)
        assert fs.objects == {"bucket/deep/a.csv": b"x" * 200_000}
        assert fs.pending == {}
        blind = FolderStore(place.sibling(".a.progress"), needed=False)
        assert blind.load() == {}
        blind.save("page", {"rows": []})
        blind.clear()
        assert list(fs.objects) == ["bucket/deep/a.csv"]
        with pytest.raises(OdsSinkError, match="PermissionError"):
            FolderStore(place.sibling(".a.progress")).load()
