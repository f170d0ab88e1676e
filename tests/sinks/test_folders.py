"""A folder appears whole or not at all, keeps its mode, and outlives whoever is killed or comes twice."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from bucket import Bucket
from lab import Killed

from ods_provider.core.errors import OdsSinkError
from ods_provider.sinks.destination import Destination, destination
from ods_provider.sinks.folders import Lists, commit_folder

LISTS = Lists("_manifest", b"list\n", "_unfinished", b"ours\n")


def files(folder: Path) -> dict[str, Destination]:
    folder.mkdir(exist_ok=True)
    for name in "ab":
        (folder / name).write_text(name)
    return {name: destination(folder / name) for name in "ab"}


def commit(place: Path, made: dict[str, Destination], *, token: str = "0123456789ab") -> None:
    commit_folder(destination(place), made, LISTS, older=set(), token=token)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_as_open_as_the_one_it_replaces(tmp_path: Path) -> None:
    place = tmp_path / "rows"
    commit(place, files(tmp_path / "made"))
    place.chmod(0o2770)
    commit(place, files(tmp_path / "made"))
    assert stat.S_IMODE(place.stat().st_mode) == 0o2770
    assert names(tmp_path) == ["made", "rows"]


def test_files_of_another_filesystem_are_copied(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("not run: no second filesystem here")
    made = shared / f"ods-{os.getpid()}"
    try:
        commit(tmp_path / "rows", files(made))
    finally:
        destination(made).remove(recursive=True)
    assert names(tmp_path / "rows") == ["_manifest", "a", "b"]
    assert (tmp_path / "rows" / "a").read_text() == "a"


class Between(Destination):
    """A file that does something when it is asked where it is."""

    do: Any = None

    def __getattribute__(self, name: str) -> Any:
        if name == "path" and type(self).do is not None:
            done, type(self).do = type(self).do, None
            done()
        return super().__getattribute__(name)


def test_a_run_that_is_overtaken_by_its_twin_gives_way(tmp_path: Path) -> None:
    place = tmp_path / "rows"
    made = files(tmp_path / "made")
    late = dict(made) | {"b": Between(made["b"].fs, made["b"].path, made["b"].url)}
    Between.do = lambda: commit(place, made)
    with pytest.raises(OdsSinkError, match="another run of the same work writes this folder too"):
        commit(place, late)
    assert names(place) == ["_manifest", "a", "b"]
    assert names(tmp_path) == ["made", "rows"]


def test_what_a_killed_commit_left_goes_with_the_next(tmp_path: Path) -> None:
    for name in (".rows.new.0123456789ab.part", ".rows.new.0123456789ab.00112233.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("half")
    commit(tmp_path / "rows", files(tmp_path / "made"))
    assert names(tmp_path) == ["made", "rows"]


def test_a_store_says_what_was_begun_until_it_is_done() -> None:
    for last in range(8):
        bucket = Bucket()
        bucket.objects = {"b/made/a": b"a", "b/made/b": b"b", "b/rows/_manifest": b"older\n", "b/rows/c": b"c"}
        left = iter(range(last))

        def step(work: Any, left: Any = left) -> Any:
            def stepped(*given: Any, **how: Any) -> Any:
                if next(left, None) is None:
                    raise Killed
                return work(*given, **how)

            return stepped

        bucket.cp_file, bucket.rm = step(bucket.cp_file), step(bucket.rm)  # type: ignore[method-assign]
        made = {name: Destination(bucket, f"b/made/{name}", "") for name in "ab"}
        place = Destination(bucket, "b/rows", "s3://b/rows")
        try:
            commit_folder(place, made, LISTS, older={"c", "_manifest"}, token="t")
        except Killed:
            assert bucket.objects["b/rows/_unfinished"] == b"ours\n"
            continue
        assert sorted(bucket.objects) == ["b/made/a", "b/made/b", "b/rows/_manifest", "b/rows/a", "b/rows/b"]
        break
    else:
        raise AssertionError("it was never done")
