"""Orders and what follows: queue, run, end; a dataset at a time, each on its own clock.

Nothing here waits. Whoever looks lets time pass first (``advance``); only the reading of files goes on in a thread.

Source: Automation API v1.0, status; the local emulator's table of orders.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ods_provider.testing.backoffice.draft import Draft, Version
from ods_provider.testing.backoffice.moments import Clock
from ods_provider.testing.backoffice.status import ABORTABLE, READY, Status
from ods_provider.testing.backoffice.switches import Switches
from ods_provider.testing.backoffice.trouble import wrong_status
from ods_provider.testing.backoffice.work import Work
from ods_provider.testing.backoffice.works import Works

DOING = {
    "publish": "processing",
    "publish_metadata": "processing",
    "unpublish": "deleting",
    "restore": "saving_version",
}


@dataclass
class Outcome:
    """How a test wants the next run of a dataset to end; None keeps what comes of it."""

    status: str | None = None
    message: str | None = None
    records_errors: list[dict[str, Any]] | None = None
    params: dict[str, Any] | None = None


@dataclass
class _Run:
    draft: Draft
    order: str
    by: str
    began: float
    work: Work
    ends_at: float | None = None  # of the present status; None: until it is stepped
    stepped: bool = False
    outcome: Outcome = field(default_factory=Outcome)

    def due(self, now: float) -> bool:
        return self.stepped or (self.ends_at is not None and now >= self.ends_at)


class Publications:
    """The runs that are under way.

    Args:
        works: What each order does.
        switches: How long each status lasts.
        clock: Seconds since the epoch.
    """

    def __init__(self, works: Works, switches: Switches, clock: Clock) -> None:
        self._works = works
        self._switches = switches
        self._clock = clock
        self._lock = threading.RLock()
        self._runs: list[_Run] = []
        self._late: list[tuple[float, Callable[[], None]]] = []
        self._stale: dict[str, tuple[Status, int]] = {}
        self._outcomes: list[tuple[str | None, Outcome]] = []

    # Orders

    def order(self, draft: Draft, order: str, *, by: str, version: Version | None = None) -> None:
        """Take an order; it is carried out later.

        Args:
            draft: The dataset.
            order: publish, publish_metadata, unpublish or restore.
            by: Whose key asked.
            version: The one to restore.

        Raises:
            Refused: 400, the dataset is busy.
        """
        with self._lock:
            self.advance()
            status = draft.status
            if status.status not in READY:
                raise wrong_status(status.status, READY)
            work = self._works.of(draft, order, version)
            if self._switches.stale_idle:
                before = Status(**{**vars(status), "records_errors": list(status.records_errors)})
                self._stale[draft.uid] = (before, self._switches.stale_idle)
            now = self._clock()
            status.move("queued", now, following=DOING[order])
            run = _Run(draft, order, by, now, work, outcome=self._wanted(draft))
            run.ends_at = self._end("queued", now)
            self._runs.append(run)

    def abort(self, draft: Draft) -> None:
        """Stop a run that is under way.

        Raises:
            Refused: 400, there is none.
        """
        with self._lock:
            self.advance()
            run = next((run for run in self._runs if run.draft is draft), None)
            if run is None or draft.status.status != "processing":
                raise wrong_status(draft.status.status, ABORTABLE)
            self._go(run, "aborting_processing", "aborting", following="idle")

    def forget(self, draft: Draft) -> None:
        """Drop whatever runs for a dataset that was deleted."""
        with self._lock:
            for run in [run for run in self._runs if run.draft is draft]:
                run.work.stop()
                self._runs.remove(run)

    # Looking

    def status(self, draft: Draft) -> Status:
        """Return where a dataset is now, as it is told: once more the old one where a test wants that."""
        with self._lock:
            self.advance()
            stale = self._stale.get(draft.uid)
            if stale is None:
                return draft.status
            told, times = stale
            if times > 1:
                self._stale[draft.uid] = (told, times - 1)
            else:
                del self._stale[draft.uid]
            return told

    @property
    def active(self) -> bool:
        """Whether anything runs, or is still to be shown."""
        return bool(self._runs or self._late)

    def busy(self, draft: Draft) -> bool:
        """Return whether a dataset is at work."""
        return draft.status.status not in READY

    def advance(self) -> None:
        """Let happen what is due by now."""
        with self._lock:
            for run in list(self._runs):
                while self._moves(run):
                    pass
            now = self._clock()
            for due, show in [late for late in self._late if late[0] <= now]:
                self._late.remove((due, show))
                show()

    def step(self, draft: Draft | None = None) -> None:
        """End the present status of a run, or of all, whatever its duration; a run's reading is waited for."""
        with self._lock:
            runs = [run for run in self._runs if draft is None or run.draft is draft]
            for run in runs:
                run.stepped = True
        for run in runs:
            if run.draft.status.status == "processing":
                run.work.wait()
        self.advance()

    def wait(self) -> None:
        """Wait until all files are read that are being read; no status moves by it."""
        for run in list(self._runs):
            run.work.wait()

    def settle(self) -> None:
        """Carry out everything at once, durations or not."""
        while self._runs:
            self.step()
        with self._lock:
            for _, show in self._late:
                show()
            self._late.clear()

    def reset(self) -> None:
        """Stop and forget all."""
        with self._lock:
            for run in self._runs:
                run.work.stop()
            for run in self._runs:
                run.work.wait()
                run.work.discard()
            self._runs.clear()
            self._late.clear()
            self._stale.clear()
            self._outcomes.clear()

    # What tests want

    def want(self, outcome: Outcome, dataset_uid: str | None = None) -> None:
        """Let the next run of a dataset, or of any, end so."""
        with self._lock:
            self._outcomes.append((dataset_uid, outcome))

    def _wanted(self, draft: Draft) -> Outcome:
        for one in self._outcomes:
            if one[0] in (None, draft.uid):
                self._outcomes.remove(one)
                return one[1]
        return Outcome()

    # From status to status

    def _end(self, status: str, since: float) -> float | None:
        lasts: float | None = getattr(self._switches, f"{status}_s")
        return None if lasts is None else since + lasts

    def _go(self, run: _Run, status: str, lasting: str, *, following: str | None) -> None:
        run.draft.status.move(status, self._clock(), following=following)
        run.ends_at, run.stepped = self._end(lasting, self._clock()), False

    def _moves(self, run: _Run) -> bool:
        """Go on by one status where it is time, and return whether the run is still under way then."""
        if not run.due(self._clock()):
            return False
        status = run.draft.status.status
        if status == "queued":
            at_work = sum(other.draft.status.status != "queued" for other in self._runs)
            if at_work >= max(self._switches.at_once, 1):
                return False
            doing = DOING[run.order]
            self._go(run, doing, doing, following=None)
            run.work.begin()
            return True
        if run.work.ended:
            (self._abort if status == "aborting_processing" else self._commit)(run)
        return False

    def _abort(self, run: _Run) -> None:
        if run.work.failed is not None:
            run.work.discard()
        else:
            run.work.halve()
            run.work.commit()
            run.work.show()
        self._finish(run, "idle", Outcome())

    def _commit(self, run: _Run) -> None:
        done, wanted = run.work.done, run.outcome
        failed = run.work.failed
        if failed is None and wanted.status == "error":
            failed = wanted.message or "The dataset could not be processed"
        if failed is not None or wanted.status not in (None, *READY):
            run.work.discard()
            ended = "error" if failed is not None else wanted.status or "error"
            self._finish(run, ended, Outcome(None, wanted.message or failed, None, wanted.params))
            return
        run.work.commit()
        errors = [*done.records_errors, *(wanted.records_errors or [])]
        params = wanted.params if wanted.params is not None else done.params
        self._finish(run, wanted.status or done.status, Outcome(None, wanted.message, errors, params))
        self._works.saved(run.draft, run.order, run.by)
        if self._switches.explore_lag_s:
            self._late.append((self._clock() + self._switches.explore_lag_s, run.work.show))
        else:
            run.work.show()

    def _finish(self, run: _Run, status: str, ended: Outcome) -> None:
        told = run.draft.status
        told.move(status, self._clock())
        told.message = ended.message
        told.records_errors = ended.records_errors or []
        told.params = ended.params or {}
        with contextlib.suppress(ValueError):
            self._runs.remove(run)
