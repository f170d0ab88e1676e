"""``AdapterSuite``: subclass it, say how your scheduler runs a piece of work, and let pytest run it."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ods_provider.conformance import probe
from ods_provider.conformance.work import Ran, Work

if TYPE_CHECKING:
    from ods_provider.testing.portal import LocalPortal

__all__ = ["AdapterSuite", "Ran", "Work"]

FILES = 40
ROWS = 520
PAGES = 6


class AdapterSuite(ABC):
    """The contract of an adapter, as tests.

    ``run`` is the one thing to write; ``stop`` where the scheduler has a cancel of its own.

    Attributes:
        timeout_s: The most that ``run`` may take; it should raise ``TimeoutError`` then.
        reset_s: Seconds after which the portal's quota returns, longer than a request may sleep in place.
    """

    timeout_s = 180.0
    reset_s = 1.5  # short enough to be waited for twice

    @abstractmethod
    def run(self, work: Work) -> Ran:
        """Run the work under the scheduler, through all its waits, and return what came of it.

        The job must run in another process than this one, because the suite kills it. Return when the scheduler says
        that the work is over: done, failed or cancelled. A wait is none of these. Where the scheduler tries again by
        itself after a process died, let it; otherwise return ``failed``, and the suite calls ``run`` again.
        """

    def stop(self, work: Work, pid: int) -> None:
        """Cancel the work as the scheduler's users do; ``pid`` is the process in which the job is right now."""
        os.kill(pid, signal.SIGTERM)

    # What the tests stand on

    @pytest.fixture
    def portal(self) -> Iterator[LocalPortal]:
        """A portal whose keys were never seen before, so that a find is a leak."""
        from ods_provider.testing.portal import LocalPortal

        mark = secrets.token_hex(8)
        with LocalPortal(api_key=f"secret-a-{mark}", push_key=f"secret-p-{mark}", synthetic_rows=ROWS) as portal:
            yield portal

    def work(self, portal: LocalPortal, folder: Path, job: str, *plugins: str) -> Work:
        """Return work on ``portal``, with the probe and ``plugins`` listening in ``folder``."""
        (folder / "state").mkdir()
        (folder / "out").mkdir()
        media = {
            "dataset_id": "landmark-photos",
            "path": str(folder / "out" / "photos"),
            "kind": "files",
            # One after the other: the portal's log then tells exactly what was asked for when.
            "parallel": 1,
        }
        search = {"dataset_id": "synthetic-rows", "order_by": "id"}
        return Work(
            name=f"conformance-{secrets.token_hex(4)}",
            job="media" if job == "media" else "search",
            arguments=media if job == "media" else search,
            host=portal.netloc,
            api_key=portal.api_key,
            extra={"push_api_key": portal.push_key, "max_wait_s": 1, "timeout_s": 5},
            environ={
                probe.FOLDER: str(folder / "state"),
                "ODS_CHECKPOINT_URL": str(folder / "state" / "checkpoints"),
                "ODS_PLUGINS": " ".join(["ods_provider.conformance.probe", *plugins]),
            },
        )

    # The contract

    def test_files_wait_for_a_quota_twice_and_come_once_each(self, portal: LocalPortal, tmp_path: Path) -> None:
        """Waiting is the scheduler's; the job goes on where it stopped, and never before the portal's time."""
        work = self.work(portal, tmp_path, "media")
        for files_between in (14, 13):
            portal.fault("quota", path="/files/", skip=files_between, reset_in_s=self.reset_s)
        ran = self.run(work)
        self.expect_done(ran, portal, tmp_path)
        self.expect_files(ran.result, portal, tmp_path)
        asked = self.asked(portal, "/files/")
        self.expect(set(asked.values()) == {1}, f"files were asked for more than once: {_repeated(asked)}")
        self.expect_patience(portal, tmp_path)

    def test_pages_wait_for_a_quota_twice_and_come_once_each(self, portal: LocalPortal, tmp_path: Path) -> None:
        """Without a destination, progress lies in the scheduler's own store, and rows come back as the result."""
        work = self.work(portal, tmp_path, "search")
        for pages_between in (2, 2):
            portal.fault("quota", path="/records", skip=pages_between, reset_in_s=self.reset_s)
        ran = self.run(work)
        self.expect_done(ran, portal, tmp_path)
        ids = [row["id"] for row in ran.result]
        self.expect(ids == list(range(ROWS)), f"{len(ids)} rows came back where {ROWS} in order were asked for")
        asked = self.asked(portal, "/records")
        self.expect(
            len(asked) == PAGES and set(asked.values()) == {1}, f"pages were not asked for once each: {dict(asked)}"
        )
        self.expect_patience(portal, tmp_path)

    def test_a_killed_job_goes_on_where_it_was(self, portal: LocalPortal, tmp_path: Path) -> None:
        """After kill -9 only the interrupted file is asked for again."""
        work = self.work(portal, tmp_path, "media")
        (tmp_path / "state" / probe.KILL).write_text("/files/ 15")
        ran = self.run(work)
        if ran.status != "done":
            self.expect_clean(ran, portal, tmp_path)
            ran = self.run(work)
        self.expect(not (tmp_path / "state" / probe.KILL).exists(), "the job was never killed: it heard no probe")
        self.expect_done(ran, portal, tmp_path)
        self.expect_files(ran.result, portal, tmp_path)
        again = _repeated(self.asked(portal, "/files/"))
        self.expect(len(again) <= 1, f"confirmed files were asked for again: {again}")

    def test_a_cancelled_job_suspends_and_leaves_nothing_unfinished(self, portal: LocalPortal, tmp_path: Path) -> None:
        """Cancelled in the middle of a file: no part of it stays, what is confirmed does, and the next try goes on."""
        work = self.work(portal, tmp_path, "media")
        (tmp_path / "state" / probe.MIDDLE).write_text("/files/ 15")
        portal.fault("stall", path="/files/", skip=14, seconds=3, after_bytes=64)
        stopper = threading.Thread(target=self._stop_in_the_middle, args=(work, tmp_path / "state"), daemon=True)
        stopper.start()
        ran = self.run(work)
        stopper.join(self.timeout_s)
        self.expect(ran.status != "done", "the job was cancelled, and the adapter says that it is done")
        self.expect_clean(ran, portal, tmp_path)
        whole = set(_contents(portal))
        for file in self.standing(tmp_path):
            self.expect(_sha256(file) in whole, f"{file.name} stands unfinished")
        portal.clear_faults()
        ran = self.run(work)
        self.expect_done(ran, portal, tmp_path)
        self.expect_files(ran.result, portal, tmp_path)
        again = _repeated(self.asked(portal, "/files/"))
        self.expect(len(again) <= 1, f"confirmed files were asked for again: {again}")

    def test_a_listener_that_fails_changes_nothing(self, portal: LocalPortal, tmp_path: Path) -> None:
        """A failing listener neither fails the job nor silences the other listeners."""
        ran = self.run(self.work(portal, tmp_path, "media", "ods_provider.conformance.failing"))
        self.expect_done(ran, portal, tmp_path)
        self.expect_files(ran.result, portal, tmp_path)

    def test_an_error_that_no_retry_cures_fails_once_and_says_what_to_do(
        self, portal: LocalPortal, tmp_path: Path
    ) -> None:
        """An unknown dataset is asked for once, and the scheduler's user reads why."""
        work = self.work(portal, tmp_path, "media")
        work = Work.from_json(work.to_json().replace("landmark-photos", "no-such-dataset"))
        ran = self.run(work)
        self.expect(ran.status == "failed", f"the dataset does not exist, and the adapter says {ran.status}")
        self.expect("OdsNotFound" in ran.text and "no-such-dataset" in ran.text, "the user is not told what is wrong")
        asked = sum(self.asked(portal, "no-such-dataset", status=404).values())
        self.expect(asked == 1, f"an error that no retry cures was tried {asked} times")
        self.expect_clean(ran, portal, tmp_path)

    # How it judges

    def expect(self, held: bool, otherwise: str) -> None:
        """Fail with a sentence unless it held."""
        if not held:
            pytest.fail(otherwise, pytrace=False)

    def expect_done(self, ran: Ran, portal: LocalPortal, folder: Path) -> None:
        """The work is done, was heard to be done once, under one key, and tells no secret."""
        self.expect_clean(ran, portal, folder)
        self.expect(ran.status == "done", f"the adapter says {ran.status}: {ran.text[-2000:]}")
        heard = probe.heard_in(folder / "state")
        ended = [event["event"] for event in heard if event["event"] == "JobDone"]
        self.expect(len(ended) == 1, f"listeners heard JobDone {len(ended)} times")
        keys = {event["key"] for event in heard}
        self.expect(len(keys) == 1, f"Run.key must be the same at every try: {sorted(keys)}")

    def expect_files(self, result: Any, portal: LocalPortal, folder: Path) -> None:
        """Every file stands under a name, whole, beside the manifest and nothing else."""
        standing = self.standing(folder)
        found = sorted(_sha256(file) for file in standing)
        self.expect(
            found == sorted(_contents(portal)), f"{len(found)} files stand, and not exactly those of the portal"
        )
        self.expect((folder / "out" / "photos" / "manifest.jsonl").is_file(), "there is no manifest")
        self.expect(
            isinstance(result, Mapping) and result.get("files") == FILES, f"the result is not the Outcome: {result!r}"
        )
        hidden = [file.name for file in (folder / "out").rglob(".*")]
        self.expect(not hidden, f"progress or parts stay behind a finished job: {hidden}")

    def expect_patience(self, portal: LocalPortal, folder: Path) -> None:
        """Two refusals, two waits, and no call before the portal's time."""
        refusals = [entry.at for entry in portal.requests if entry.status == 429]
        self.expect(
            len(refusals) == 2, f"the portal refused {len(refusals)} calls: a refused one was repeated too early"
        )
        for refused_at in refusals:
            early = [e.path for e in portal.requests if refused_at < e.at < refused_at + self.reset_s]
            self.expect(not early, f"called before the portal's time: {early}")
        waits = [event for event in probe.heard_in(folder / "state") if event["event"] == "Waiting"]
        self.expect(len(waits) == 2, f"listeners heard Waiting {len(waits)} times")

    def expect_clean(self, ran: Ran, portal: LocalPortal, folder: Path) -> None:
        """No key stands in what was said, returned or stored."""
        for kind, key in (("API key", portal.api_key), ("push key", portal.push_key)):
            self.expect(key not in ran.text, f"the {kind} can be read: {_around(ran.text, key)}")
            self.expect(key not in repr(ran.result), f"the {kind} stands in the result")
            for file in folder.rglob("*"):
                if file.is_file():
                    self.expect(key.encode() not in file.read_bytes(), f"the {kind} stands in {file.name}")

    def asked(self, portal: LocalPortal, part: str, *, status: int = 200) -> Counter[str]:
        """Return how often each address that holds ``part`` was answered with ``status``."""
        return Counter(
            f"{entry.path}?{entry.query}" for entry in portal.requests if part in entry.path and entry.status == status
        )

    def standing(self, folder: Path) -> list[Path]:
        """Return the files that stand under names that people see."""
        every = (folder / "out" / "photos").glob("[!.]*")
        return [file for file in every if file.is_file() and file.name != "manifest.jsonl"]

    def _stop_in_the_middle(self, work: Work, state: Path) -> None:
        give_up = time.monotonic() + self.timeout_s
        while time.monotonic() < give_up:
            if (state / probe.PID).exists() and (pid := (state / probe.PID).read_text()):
                time.sleep(0.3)  # into the file whose beginning has come
                self.stop(work, int(pid))
                return
            time.sleep(0.05)


def _contents(portal: LocalPortal) -> list[str]:
    files = portal.store.datasets["landmark-photos"].files
    return [hashlib.sha256(content).hexdigest() for _, content in files.values()]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _repeated(asked: Counter[str]) -> dict[str, int]:
    return {address: times for address, times in asked.items() if times > 1}


def _around(text: str, key: str) -> str:
    before, _, after = text.partition(key)
    return f"…{before[-80:]}<here>{after[:40]}…"
