"""A publication that fails: what is public afterwards, and what is said."""

from __future__ import annotations

import io
import json
from typing import Any

import fsspec.implementations.memory
import pytest
from publishing_desk import Desk

from ods_provider.core.errors import OdsError, OdsPublicationFailed, OdsSinkError
from ods_provider.core.outcome import Wait
from ods_provider.jobs.publishfile import PublishFileJob


class TestFailures:
    def test_what_fails_leaves_what_was_public_and_the_earlier_file(self, desk: Desk) -> None:
        first = desk.publish(desk.file())
        desk.office.outcome(dataset_id="mine", status="error", message="The encoding is unknown")
        with pytest.raises(
            OdsPublicationFailed, match=r"The encoding is unknown.*names the earlier file again"
        ) as failed:
            desk.publish(desk.file("b.csv", "name;n\nx;9\n"))
        assert "What was public before still is" in str(failed.value)
        assert len(desk.rows()) == 3
        assert desk.resources()[0].datasource["file"]["uid"] == first["file"]
        assert desk.posts("/publish/") == 2

    @pytest.mark.at_length
    def test_cells_that_do_not_fit_are_shown_and_the_earlier_file_is_published_again(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.office.switch(typed_by_rows=2)
        bad = desk.file("b.csv", "name;n\na;1\nb;2\n" + "".join(f"c{n};none\n" for n in range(12)))
        with pytest.raises(
            OdsPublicationFailed, match=r"12 cells .* more than max_errors=0: .* n: Cannot convert"
        ) as failed:
            desk.publish(bad)
        assert str(failed.value).count("Cannot convert") == 10
        assert "The earlier file was published again" in str(failed.value)
        assert len(desk.rows()) == 3
        assert desk.publish(bad, max_errors=12)["records_errors"] == 12
        assert len(desk.rows()) == 14

    @pytest.mark.at_length
    def test_a_limit_is_told_and_taken_back(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.office.switch(most_rows=3)
        with pytest.raises(OdsPublicationFailed, match=r"limit_reached.*published again"):
            desk.publish(desk.file("b.csv", "n\n1\n2\n3\n4\n5\n"))
        assert len(desk.rows()) == 3

    @pytest.mark.at_length
    def test_rows_that_do_not_show_are_no_success(self, desk: Desk) -> None:
        desk.publish(desk.file())
        drops = {"uid": "pr_s", "type": "skip_record", "label": "", "field": "name", "value": "x"}
        desk.office.drafts.find(desk.uid).processors.append(drops)
        path = desk.file("b.csv", "name;n\nx;1\ny;2\nz;3\nw;4\n")
        # Seen, it explains what is missing; unseen, nothing does.
        assert desk.publish(path)["verified"] == "published"
        desk.publish(desk.file())
        empty = json.dumps({"total_count": 0, "results": []})
        desk.portal.fault("status", path="/processors/", times=None, status=200, body=empty)
        with pytest.raises(OdsPublicationFailed, match=r"holds 4 rows, and Explore shows 3.*published again"):
            desk.publish(path)
        assert [row["name"] for row in desk.rows()] == ["a", "b", "c"]

    @pytest.mark.at_length
    def test_without_an_earlier_file_nothing_is_undone(self, desk: Desk) -> None:
        desk.office.outcome(dataset_id="mine", status="error", message="No")
        with pytest.raises(OdsPublicationFailed, match="no earlier file to go back to: nothing of it is public"):
            desk.publish(desk.file())
        # The same run again does it, with the resource that is there.
        assert desk.publish(desk.file())["rows"] == 3
        assert len(desk.resources()) == 1

    def test_restore_can_be_left_out(self, desk: Desk) -> None:
        first = desk.publish(desk.file())
        desk.office.outcome(dataset_id="mine", status="error", message="No")
        with pytest.raises(OdsPublicationFailed, match="restore=False"):
            desk.publish(desk.file("b.csv", "name;n\nx;9\n"), restore=False)
        assert desk.resources()[0].datasource["file"]["uid"] != first["file"]

    def test_a_file_that_changes_on_its_way_is_none(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.lab.filesystems["mem"] = Restless()
        with pytest.raises(OdsSinkError, match="changed between its counting and its upload"):
            desk.publish("mem:///b.csv")
        assert desk.posts("/publish/") == 1


class TestOthers:
    """Somebody else works on the same dataset while a file is published."""

    @pytest.fixture
    def job(self, desk: Desk) -> PublishFileJob:
        """A publication that is under way."""
        desk.publish(desk.file())
        desk.office.switch(processing_s=None)
        job = PublishFileJob("mine", desk.file("b.csv", "name;n\nx;1\ny;2\nz;3\n"), max_drop=None, lag_s=1.0)
        assert isinstance(desk.lab.run(job), Wait)
        return job

    def others(self, desk: Desk, content: str) -> str:
        """Point the resource at a file of theirs, once ours is public, and publish it."""
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        with desk.client() as client:
            file = client.automation.resources.upload(desk.uid, desk.file("theirs.csv", content))
            source = {"type": "uploaded_file", "file": {"uid": file["uid"]}}
            client.automation.resources.update(desk.uid, desk.resources()[0].uid, datasource=source)
            client.automation.datasets.publish("mine")
        desk.office.settle()
        return str(file["uid"])

    @pytest.mark.at_length
    def test_as_many_rows_of_theirs_are_no_success(self, desk: Desk, job: PublishFileJob) -> None:
        theirs = self.others(desk, "name;n\nq;7\nr;8\ns;9\n")
        with pytest.raises(
            OdsPublicationFailed, match=r"pointed at something else while .*Nothing was undone"
        ) as failed:
            desk.lab.done(job)
        assert not failed.value.transient
        assert desk.resources()[0].datasource["file"]["uid"] == theirs
        assert [row["n"] for row in desk.rows()] == [7, 8, 9]
        # Who runs it again wants it.
        assert desk.lab.done(job)["rows"] == 3
        assert [row["n"] for row in desk.rows()] == [1, 2, 3]

    @pytest.mark.at_length
    def test_what_they_published_is_not_undone_where_this_one_fails(self, desk: Desk, job: PublishFileJob) -> None:
        theirs = self.others(desk, "name;n\nq;7\n")
        with pytest.raises(OdsPublicationFailed, match=r"Explore shows 1 .*something else: nothing was undone"):
            desk.lab.done(job)
        assert desk.resources()[0].datasource["file"]["uid"] == theirs
        assert [row["n"] for row in desk.rows()] == [7]

    @pytest.mark.at_length
    def test_a_resource_that_they_deleted_is_told(self, desk: Desk, job: PublishFileJob) -> None:
        desk.office.switch(processing_s=0.0)
        with desk.client() as client:
            client.automation.resources.delete(desk.uid, desk.resources()[0].uid)
        desk.office.settle()
        with pytest.raises(OdsPublicationFailed, match="was deleted"):
            desk.lab.done(job)

    @pytest.mark.at_length
    def test_a_dataset_that_they_withdrew_is_not_said_to_be_public(self, desk: Desk, job: PublishFileJob) -> None:
        desk.office.switch(processing_s=0.0)
        desk.office.settle()
        with desk.client() as client:
            client.automation.datasets.unpublish(desk.uid)
        desk.office.settle()
        with pytest.raises(
            OdsPublicationFailed, match=r"is not published .*names the earlier file again. Nothing is pub"
        ):
            desk.lab.done(job)


@pytest.mark.at_length
def test_an_upload_that_is_cut_begins_anew_and_every_row_is_there(desk: Desk) -> None:
    lines = "".join(f"{n};{'x' * 90}\n" for n in range(5_000))
    path = desk.file("long.csv", f"n;text\n{lines}")
    for fault in ({"kind": "cut_upload", "after_bytes": 200_000, "times": 2}, {"kind": "lost"}):
        desk.portal.fault(path="/files/", method="POST", **fault)
    result = desk.publish(path)
    assert (result["rows"], result["rows_shown"], result["verified"]) == (5_000, 5_000, "counted")
    assert result["size_bytes"] == path.stat().st_size
    # What broke off is no file there, and nothing reads the one whose answer was lost.
    for file in desk.office.drafts.find(desk.uid).files.values():
        assert file.path.read_bytes() == path.read_bytes()
    # One that never gets through changes nothing, and the next run begins it anew.
    desk.portal.fault("cut_upload", path="/files/", after_bytes=200_000, times=None)
    path.write_text(f"n;text\n{lines.replace('x', 'y')}")
    with pytest.raises(OdsError) as lost:
        desk.publish(path)
    assert lost.value.transient
    assert {row["text"][0] for row in desk.rows()} == {"x"}
    desk.portal.clear_faults()
    assert desk.publish(path)["rows"] == 5_000
    assert {row["text"][0] for row in desk.rows()} == {"y"}
    assert desk.posts("/publish/") == 2


class Restless(fsspec.implementations.memory.MemoryFileSystem):
    """A filesystem whose file is another one, as long, each time it is opened."""

    opened = 0

    def isfile(self, path: str) -> bool:
        return True

    def size(self, path: str) -> int:
        return len(b"name;n\nx;0\n")

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "size": self.size(path), "type": "file"}

    def open(self, path: str, *_: Any, **__: Any) -> Any:
        self.opened += 1
        return io.BytesIO(f"name;n\nx;{self.opened}\n".encode())
