"""A publication that takes long: waited for in legs, ordered once, and never taken for another."""

from __future__ import annotations

import pytest
from publishing_desk import Desk

from ods_provider.core.errors import OdsPublicationRunning
from ods_provider.core.outcome import Done, Wait
from ods_provider.jobs.publishfile import PublishFileJob


class TestWaiting:
    def test_a_long_publication_is_waited_for_in_legs(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        job = PublishFileJob("mine", desk.file(), lag_s=1.5)
        waiting = desk.lab.run(job)
        assert isinstance(waiting, Wait)
        assert waiting.poll
        assert waiting.watching is not None
        assert waiting.watching["publication"]["dataset_id"] == "mine"
        assert "processing" in waiting.reason
        desk.office.settle()
        ended = desk.lab.run(job)
        assert isinstance(ended, Done)
        assert ended.result["rows"] == 3
        assert (desk.posts("/files/"), desk.posts("/publish/"), desk.posts("/resources/")) == (1, 1, 1)

    @pytest.mark.at_length
    def test_what_runs_already_is_no_publication_of_this_file(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.office.switch(processing_s=None)
        with desk.client() as client:
            client.automation.datasets.publish("mine")
        job = PublishFileJob("mine", desk.file("b.csv", "n\n1\n"), max_drop=None, lag_s=1.5)
        waiting = desk.lab.run(job)
        assert isinstance(waiting, Wait)
        assert "something else" in waiting.reason
        assert waiting.watching is None
        desk.office.switch(processing_s=0)
        desk.office.settle()
        assert desk.lab.done(job)["rows"] == 1
        assert len(desk.rows()) == 1

    @pytest.mark.at_length
    def test_the_old_idle_right_after_the_order_is_not_its_end(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.office.switch(stale_idle=2, processing_s=0.2)
        assert desk.publish(desk.file("b.csv", "n\n1\n2\n"))["rows"] == 2
        assert len(desk.rows()) == 2

    @pytest.mark.at_length
    def test_a_lost_answer_and_an_old_status_after_it_make_no_second_order(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.office.switch(stale_idle=1, processing_s=0.1)
        desk.portal.fault("lost", path="/publish/", method="POST")
        assert desk.publish(desk.file("b.csv", "n\n1\n2\n"))["rows"] == 2
        assert desk.posts("/publish/") == 2

    def test_explore_may_lag(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.office.switch(explore_lag_s=0.6)
        # As many rows as before: only the moment tells the two apart.
        result = desk.publish(desk.file("b.csv", "name;n\nx;7\ny;8\nz;9\n"), lag_s=20)
        assert [row["n"] for row in desk.rows()] == [7, 8, 9]
        assert result["verified"] == "counted"

    def test_a_deadline_leaves_the_portal_at_work_and_the_next_run_goes_on(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        path = desk.file()
        with pytest.raises(OdsPublicationRunning, match="not done after 0 s") as late:
            desk.publish(path, timeout_s=0.0)
        assert late.value.transient
        assert desk.office.drafts.find(desk.uid).status.status in ("queued", "processing")
        desk.office.settle()
        assert desk.publish(path)["rows"] == 3
        assert desk.posts("/publish/") == 1

    def test_a_wait_says_when_the_job_itself_must_look(self, desk: Desk) -> None:
        desk.office.switch(processing_s=None)
        job = PublishFileJob("mine", desk.file(), timeout_s=3600.0)
        first, second = desk.lab.run(job), desk.lab.run(job)
        assert isinstance(first, Wait) and isinstance(second, Wait)
        assert first.latest is not None
        # It counts from the order, however often the job is run again.
        assert first.latest == second.latest
        assert 0 < (first.latest - first.until).total_seconds() < 3600
        assert desk.lab.run(PublishFileJob("mine", desk.file())).latest is None

    @pytest.mark.at_length
    def test_a_dataset_that_stays_at_something_else_is_waited_for_no_longer_than_told(self, desk: Desk) -> None:
        desk.publish(desk.file())
        desk.office.switch(processing_s=None, refuse_busy_edits=True)
        with desk.client() as client:
            client.automation.datasets.publish("mine")
        path = desk.file("b.csv", "n\n1\n")
        for _ in range(2):
            with pytest.raises(OdsPublicationRunning, match="mine is at something else"):
                desk.publish(path, timeout_s=0.0)
        job = PublishFileJob("mine", path, max_drop=None, lag_s=1.5, timeout_s=3600.0)
        first, second = desk.lab.run(job), desk.lab.run(job)
        assert isinstance(first, Wait) and isinstance(second, Wait)
        assert first.latest is not None and first.latest == second.latest
        desk.office.switch(processing_s=0)
        desk.office.settle()
        assert desk.lab.done(job)["rows"] == 1
