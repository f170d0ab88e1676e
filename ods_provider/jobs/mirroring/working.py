"""The datasets of a mirror's run, each for itself: one that fails stops no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsError, OdsQuotaExceeded
from ods_provider.core.legible import legible
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.mirroring.listing import Listed
from ods_provider.jobs.mirroring.places import Place
from ods_provider.jobs.mirroring.planning import is_current, standing
from ods_provider.jobs.mirroring.remembered import Known
from ods_provider.jobs.sidebyside import side_by_side

Row = dict[str, Any]
"""What a report says of a dataset: ``dataset_id``, ``what``, ``rows``, ``calls``, ``why``, ``data_processed``."""

DONE, UNCHANGED, TOMORROW, FAILED = "done", "unchanged", "tomorrow", "failed"
VANISHED, RENAMED, LEFT_OUT = "vanished", "renamed", "left out"
_MOST_CHARS = 500


def row(dataset_id: str, what: str, **known: Any) -> Row:
    """Return what a report says of a dataset."""
    said = {"rows": None, "calls": 0, "why": None, "data_processed": None}
    return {"dataset_id": dataset_id, "what": what, **said, **known}


@dataclass(frozen=True, slots=True)
class Due:
    """A dataset that is to be fetched.

    Attributes:
        listed: As the catalogue lists it.
        place: The name of its file or table.
    """

    listed: Listed
    place: str

    @property
    def dataset_id(self) -> str:
        """Its id."""
        return self.listed.dataset_id

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Due:
        """Return what ``as_dict`` made.

        Raises:
            LookupError, TypeError: It did not make this.
        """
        return cls(Listed(**given["listed"]), str(given["place"]))


class Working:
    """Brings one dataset after another, in several threads, until the quota is spent.

    Args:
        ctx: The job's.
        place: Where the mirror is.
        left_to_others: Calls of the quota that are not used.
        wait: Whether a spent quota is an error to wait for.
    """

    def __init__(self, ctx: JobContext, place: Place, *, left_to_others: int, wait: bool) -> None:
        self.stop = threading.Event()
        self._ctx = ctx
        self._place = place
        self._left_to_others = left_to_others
        self._wait = wait
        self._spent: str | None = None

    def __call__(self, due: Due) -> Row:
        """Bring one dataset and return what the report says of it."""
        if (why := self._over()) is not None:
            return row(due.dataset_id, TOMORROW, why=why)
        # Of its own: what a try left unfinished is told apart by the run's name.
        run = replace(self._ctx.run, key=f"{self._ctx.run.key}/{due.dataset_id}")
        ctx = replace(self._ctx, client=self._ctx.client.counted_alone(), run=run, emit=_unheard(self._ctx.emit))
        try:
            outcome = self._place.bring(ctx, due.dataset_id, Known(due.place))
        except OdsQuotaExceeded as error:
            return self._refused(ctx, due, error)
        except OdsError as error:
            why = legible(f"{type(error).__name__}: {error}", most_chars=_MOST_CHARS)
            self._ctx.run.log.warning("%s failed: %s", legible(due.dataset_id), why)
            return row(due.dataset_id, FAILED, calls=ctx.calls, why=why, again=error.transient)
        what = UNCHANGED if outcome["unchanged"] else DONE
        told = {name: outcome[name] for name in ("rows", "data_processed")}
        return row(due.dataset_id, what, calls=ctx.calls, **told)

    def _over(self) -> str | None:
        """Return why no more is asked for today, None while there is no reason."""
        if self._spent is not None:
            return self._spent
        quota = self._ctx.client.quota.portal
        if quota is not None and quota.remaining is not None and quota.remaining <= self._left_to_others:
            are = "is" if quota.remaining == 1 else "are"
            left = f"{counted(quota.remaining, 'calls')} {are} left of the quota"
            return f"{left}, {self._left_to_others:,} of them to others"
        return None

    def _refused(self, ctx: JobContext, due: Due, error: OdsQuotaExceeded) -> Row:
        if self._wait and error.reset_at is not None:
            raise error
        quota = ctx.client.quota.datasets.get(due.dataset_id)
        why = f"{error.what}; it returns at {iso(error.reset_at)}" if error.reset_at else error.what
        if quota is None or quota.remaining != 0:
            # Not this dataset's own quota: it is over for all.
            self._spent = why
        return row(due.dataset_id, TOMORROW, calls=ctx.calls, why=legible(why, most_chars=_MOST_CHARS))


def _unheard(emit: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return what passes on retries and waits: the progress of each dataset of many is nobody's news."""
    from ods_provider.core.events import DatasetDescribed, Progress, StepDone

    return lambda event: None if isinstance(event, (Progress, StepDone, DatasetDescribed)) else emit(event)


def work_off(
    ctx: JobContext, place: Place, due: Sequence[Due], *, parallel: int, left_to_others: int, wait: bool
) -> list[Row]:
    """Bring all of these datasets, and return what the report says of each, in their order.

    Raises:
        OdsQuotaExceeded: The quota is spent, and ``wait`` was asked for.
    """
    # Of an earlier try: it was killed, failed of others, or waited.
    rows = _here(ctx, place, due)

    def keep(item: Due, found: Row) -> None:
        rows[item.dataset_id] = found

    side_by_side(
        ctx,
        Working(ctx, place, left_to_others=left_to_others, wait=wait),
        [each for each in due if each.dataset_id not in rows],
        parallel=parallel,
        keep=keep,
        passes_over=lambda item, error: False,
        tell=lambda: ctx.progress(len(rows), len(due), "datasets"),
        name="ods-mirror",
    )
    return [rows[each.dataset_id] for each in due]


def _here(ctx: JobContext, place: Place, due: Sequence[Due]) -> dict[str, Row]:
    """Return the rows of those that are here already, of the state that was listed."""
    by_id = {each.dataset_id: each for each in due}
    return {
        name: done_row(outcome)
        for name, outcome in place.written(ctx, {name: Known(each.place) for name, each in by_id.items()}).items()
        if is_current(by_id[name].listed, standing(Known(by_id[name].place), outcome, "earlier"))
    }


def done_row(outcome: Mapping[str, Any]) -> Row:
    """Return what the report says of a dataset that an earlier try brought."""
    told = {name: outcome.get(name) for name in ("rows", "data_processed")}
    return row(str(outcome["dataset_id"]), DONE, calls=outcome.get("calls") or 0, **told)
