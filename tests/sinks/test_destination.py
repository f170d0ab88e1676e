from __future__ import annotations

from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from ods_provider.core.errors import OdsConfigError, OdsSinkError
from ods_provider.core.filefields import named_file
from ods_provider.jobs.arguments import download_job
from ods_provider.jobs.download import DownloadJob
from ods_provider.sinks.destination import destination, speaking


class _ObjectStoragePath:
    fs, path = MemoryFileSystem(), "/bucket/key"

    def __str__(self) -> str:
        return "s3://user:secret@bucket/key"


def test_a_path_a_url_and_an_object_with_a_filesystem_are_all_understood(tmp_path: Path) -> None:
    assert destination(tmp_path / "a").path == destination(str(tmp_path / "a")).path == str(tmp_path / "a")
    assert destination(tmp_path / "a").can.renames
    assert destination(f"file://{tmp_path}/a").path == str(tmp_path / "a")
    assert destination("memory://a/b").url == "memory://a/b"
    assert not destination("memory://a/b").can.renames
    assert destination(_ObjectStoragePath()).path == "/bucket/key"


def test_credentials_in_a_url_are_not_shown() -> None:
    assert destination(_ObjectStoragePath()).url == "s3://***@bucket/key"


@pytest.mark.parametrize("place", [None, "", "  ", 7, object()])
def test_what_names_no_place_is_refused(place: object) -> None:
    with pytest.raises(OdsConfigError, match="is no path"):
        destination(place)


def test_a_protocol_without_its_filesystem_says_what_to_do() -> None:
    with pytest.raises(OdsConfigError, match="Install the fsspec filesystem"):
        destination("nonsense://bucket/key")


class _Lazy:
    """As ObjectStoragePath does, it looks for its filesystem when it is asked for it."""

    path = "bucket/a.csv"

    @property
    def fs(self) -> object:
        raise ValueError("No filesystem registered for scheme nonsense")

    def __str__(self) -> str:
        return f"nonsense://user:secret@{self.path}"


def test_a_path_whose_filesystem_is_not_there_says_what_to_do() -> None:
    with pytest.raises(OdsConfigError, match=r"No filesystem registered.*Install the fsspec filesystem") as caught:
        destination(_Lazy())
    assert "secret" not in str(caught.value)
    job = download_job(dataset_id="d", path=_Lazy())
    assert isinstance(job, DownloadJob)
    assert job.format.name == "csv"
    with pytest.raises(OdsConfigError, match="compressed"):
        download_job(dataset_id="d", path=_Lazy(), format_options={"compressed": True})
    assert named_file(_Lazy(), where="record 0") is not None


def test_children_and_siblings_keep_their_urls(tmp_path: Path) -> None:
    place = destination("memory://bucket/folder/a.csv")
    assert place.name == "a.csv"
    assert place.sibling(".a.part").url == "memory://bucket/folder/.a.part"
    assert place.sibling(".a.part").path == "/bucket/folder/.a.part"
    assert destination("memory://bucket/folder/").child("x").url == "memory://bucket/folder/x"
    assert destination(tmp_path).child("x").path == f"{tmp_path}/x"


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (PermissionError(13, "no"), False),
        (FileExistsError(17, "no"), False),
        (OSError(28, "No space left on device"), False),
        (OSError(5, "Input/output error"), True),
        (RuntimeError("throttled"), True),
    ],
)
def test_what_no_waiting_cures_is_final(tmp_path: Path, error: Exception, transient: bool) -> None:
    with pytest.raises(OdsSinkError) as caught, speaking(destination(tmp_path)):
        raise error
    assert caught.value.transient is transient
    assert str(tmp_path) in str(caught.value)
