"""What Explore shows of a dataset after a publication, held against what was published.

The word of the Automation API is that a run has ended. That its rows can be read is known only where readers look; and
an index follows after some time, with the counts and moments of before until then.

Source: Explore v2.1, ``records_count`` and ``data_processed``; Q12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsAuthError, OdsMismatch, OdsNotFound
from ods_provider.core.outcome import Wait
from ods_provider.core.plans import catalog, records
from ods_provider.core.plans.automation.publications import pause_s
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset
from ods_provider.core.times import iso, parse_time
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.equal import Left
from ods_provider.jobs.publishing.orders import Ended
from ods_provider.jobs.publishing.patience import IN_PLACE_S

LAG_S = 300.0
_FIRST_S = 0.1


@dataclass(frozen=True, slots=True)
class Shown:
    """A dataset as readers see it.

    Attributes:
        rows: How many it holds.
        processed: When its data last changed, ISO 8601.
        dataset: Its description.
    """

    rows: int | None
    processed: str | None
    dataset: Dataset

    def as_dict(self) -> dict[str, Any]:
        """Return what is compared, as JSON values."""
        return {"rows": self.rows, "processed": self.processed}


@dataclass(frozen=True, slots=True)
class Unread:
    """That this key does not read a dataset, or that there is none.

    Attributes:
        said: What Explore said of it.
        refused: Whether it is there for certain, and not for this key.
    """

    said: str
    refused: bool


def looked(ctx: JobContext, dataset_id: str) -> Shown | Unread:
    """Return what Explore shows, or why it shows nothing.

    Raises:
        OdsResponseError: It answers something else, which is no matter of rights.
    """
    try:
        found = ctx.client.run(catalog.dataset(dataset_id))
        rows = found.records_count
        if rows is None:
            rows = ctx.client.run(records.count(dataset_id, Query()))
    except (OdsAuthError, OdsNotFound) as error:
        return Unread(f"{error.status}, {error.what}", isinstance(error, OdsAuthError))
    return Shown(rows, iso(found.data_processed), found)


@dataclass(frozen=True, slots=True)
class Proof:
    """What Explore showed in the end.

    Attributes:
        rows: Rows that it shows; None where this key reads none.
        equal_rows: Rows of the file that are equal to others of it, and so are one with them.
        verified: ``counted`` where the rows are those of the file, ``published`` where other resources or processors
            make rows of their own, or the key reads none.
        processed: When the data changed.
    """

    rows: int | None
    equal_rows: int
    verified: str
    processed: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """Holds what Explore shows against a file.

    Args:
        ctx: The job's.
        dataset_id: Which dataset.
        rows: Of the file.
        left: Counts how many of them a portal will hold, given the dataset; asked where fewer show.
        others: Whether other resources of the dataset bring rows too.
        processed: Whether processors may make more or fewer of them.
        before: ``data_processed`` before the order.
        unread: Why this key reads nothing of a dataset that is public; None where it does, or nobody knows yet.
        lag_s: How long Explore may lag.
    """

    ctx: JobContext
    dataset_id: str
    rows: int
    left: Callable[[Dataset], Left]
    others: bool
    processed: bool
    before: str | None
    unread: str | None = None
    lag_s: float = LAG_S

    def run(self, ended: Ended) -> Proof | Wait | str:
        """Return the proof, a wait until another look, or why what shows is not what was published.

        Raises:
            OdsMismatch: Explore does not show this publication at all, for too long.
        """
        if self.unread is not None:
            return self._uncounted(ended)
        spent_s, looks = 0.0, 0
        counted: dict[int, bool] = {}
        while True:
            self.ctx.check()
            seen = looked(self.ctx, self.dataset_id)
            if isinstance(seen, Unread) and seen.refused:
                return self._uncounted(ended)
            now = None if isinstance(seen, Unread) else seen
            moved = now is not None and (now.processed != self.before or self.before is None)
            # A portal that does not say when data changed, or not for rows that are equal, is believed in the end: the
            # run was certainly this one's.
            if now is not None and (moved or (ended.own and self._over(ended))):
                if now.rows not in counted:
                    counted[now.rows or 0] = self._fits(now)
                if counted[now.rows or 0]:
                    return self._proof(now)
                if self._over(ended):
                    return self._said(now)
            elif self._over(ended):
                raise self._unseen(now)
            pause = min(_FIRST_S * 2.0**looks, pause_s(looks))
            if spent_s + pause > IN_PLACE_S:
                return Wait(
                    self.ctx.client.terms.now() + timedelta(seconds=pause_s(2)),
                    f"{self.dataset_id} is published, and Explore does not show it yet",
                    poll=True,
                )
            self.ctx.client.terms.sleep(pause)
            spent_s, looks = spent_s + pause, looks + 1

    def _over(self, ended: Ended) -> bool:
        at = parse_time(ended.at)
        return at is None or (self.ctx.client.terms.now() - at).total_seconds() >= self.lag_s

    def _fits(self, now: Shown) -> bool:
        found = now.rows
        if found is None or found == self.rows:
            return found is not None
        if self.processed:
            return found > 0 or self.rows == 0
        left = self.left(now.dataset)
        return found >= left.least if self.others else left.holds(found)

    def _proof(self, now: Shown) -> Proof:
        alone = not self.others and (not self.processed or now.rows == self.rows)
        fewer = self.rows - (now.rows or 0) if alone else 0
        return Proof(now.rows, max(fewer, 0), "counted" if alone else "published", now.processed)

    def _uncounted(self, ended: Ended) -> Proof:
        """Return what is known where no row can be read: that this file's run ended well, with the errors it told."""
        if not ended.own:
            raise OdsMismatch(
                "a run ended well, and whether it read this file is not known: this key reads none of its rows",
                where=f"dataset {self.dataset_id}",
                advice="Run it again, which orders another; a key with explore_restricted_dataset could tell",
            )
        return Proof(None, 0, "published", None)

    def _said(self, now: Shown) -> str:
        return f"the file holds {counted(self.rows, 'rows')}, and Explore shows {now.rows or 0:,}"

    def _unseen(self, now: Shown | None) -> OdsMismatch:
        what = "does not show the dataset" if now is None else f"shows the data of {now.processed}"
        return OdsMismatch(
            f"the publication ended well, and {self.lag_s:.0f} s later Explore still {what}",
            where=f"dataset {self.dataset_id}",
            advice="Run it again to look once more, nothing is sent twice; and see that the key may read the dataset "
            "(explore_restricted_dataset, or a rule on it)",
        )
