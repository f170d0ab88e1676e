"""What was published already is not published again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from publishing_desk import Desk

from ods_provider.core.outcome import Done
from ods_provider.jobs.publishfile import PublishFileJob


class TestUnchanged:
    def _again(self, desk: Desk, path: Path, known: dict[str, Any], **given: Any) -> Any:
        desk.lab.remembered = known
        return desk.lab.run(PublishFileJob("mine", path, lag_s=1.5, **given), name="next")

    @pytest.fixture(autouse=True)
    def _own_stores(self, desk: Desk) -> None:
        # Each run has a store of its own, as under a scheduler.
        self.forget: Callable[[], None] = lambda: shutil.rmtree(desk.lab.checkpoints, ignore_errors=True)

    def test_the_same_content_is_not_published_again(self, desk: Desk) -> None:
        path = desk.file()
        known = desk.publish(path)
        self.forget()
        ended = self._again(desk, path, known)
        assert isinstance(ended, Done)
        assert ended.skipped is not None
        assert "holds this already" in ended.skipped
        kept = self._again(desk, path, known, if_unchanged="keep")
        assert kept.skipped is None
        assert kept.result["unchanged"] is True
        assert desk.posts("/publish/") == 1

    @pytest.mark.at_length
    def test_other_content_or_another_state_of_the_portal_is(self, desk: Desk) -> None:
        path = desk.file()
        known = desk.publish(path)
        self.forget()
        with desk.client() as client:
            client.automation.datasets.wait(client.automation.datasets.unpublish("mine"))
        ended = self._again(desk, path, known)
        assert ended.skipped is None
        assert len(desk.rows()) == 3
        self.forget()
        assert self._again(desk, desk.file("a.csv", "name;n\na;1\nb;2\nc;4\n"), ended.result).skipped is None
        assert desk.posts("/publish/") == 3

    @pytest.mark.at_length
    def test_a_retry_of_a_run_that_had_succeeded_returns_what_came_of_it(self, desk: Desk) -> None:
        path = desk.file()
        first = desk.publish(path)
        # Nobody heard of it: what follows was not run.
        desk.lab.remembered = {}
        again = desk.lab.run(PublishFileJob("mine", path))
        assert isinstance(again, Done)
        assert again.skipped is None
        assert again.result | {"calls": 0} == first | {"calls": 0, "unchanged": True}
        assert desk.posts("/publish/") == 1
