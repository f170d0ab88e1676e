"""One order to a portal, given once and followed to its end, by as many processes as it takes.

Before an order is given it is noted what the portal tells; so whoever comes after a process that died knows whether the
order was given. A run that began after that note serves as well as the order's own: what is published was in place
before it. What only takes time is looked at in place for some seconds, and then waited for.

Source: Automation API v1.0, status, publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ods_provider.core.errors import OdsPublicationRunning, OdsQueryError
from ods_provider.core.outcome import Wait
from ods_provider.core.plans.automation.calls import later
from ods_provider.core.plans.automation.permitted import permitted
from ods_provider.core.plans.automation.publications import (
    DOUBTS,
    DOUBTS_APART_S,
    Action,
    Look,
    Publication,
    aborted,
    look,
    ordered,
)
from ods_provider.core.plans.automation.status import Status, status
from ods_provider.core.times import iso, parse_time
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing import patience
from ods_provider.jobs.publishing.progress import Progress

_SHOWN_ERRORS = 10
_OLD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ended:
    """How an order ended.

    Attributes:
        failed: Why it did not go well, in words; None where it did.
        status: The last word of the portal.
        errors: How many errors of records it tells.
        shown: The first ten of them.
        own: Whether it was certainly the run of this order, and not one that somebody else began after it was noted.
        public: Whether what it read is public now: not after an error, which leaves what was there.
        since: When the portal says that it began to be so.
        at: When that was seen, ISO 8601.
    """

    failed: str | None
    status: str
    errors: int
    shown: tuple[str, ...]
    own: bool
    public: bool
    since: str | None
    at: str

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Ended:
        """Return it from JSON."""
        return cls(**{**kept, "shown": tuple(kept["shown"])})

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"shown": list(self.shown)}


@dataclass(frozen=True, slots=True)
class Order:
    """One order, whose stages are kept under ``stage``.

    Args:
        ctx: The job's.
        progress: Where its stages are kept.
        stage: Under which name.
        uid, dataset_id: Of the dataset.
        action: What is ordered.
        timeout_s: Seconds after which it is no longer waited for; None waits as long as it takes.
        abort_on_timeout: Whether the portal is told to stop then.
    """

    ctx: JobContext
    progress: Progress
    stage: str
    uid: str
    dataset_id: str
    action: Action
    timeout_s: float | None = None
    abort_on_timeout: bool = False

    def forget_old(self) -> None:
        """Forget an order that a process left behind which died long ago: who asks today wants another."""
        began = parse_time(self._kept.get("began"))
        if began and self._now - began > _OLD and self.ctx.client.run(status(self.uid)).ready:
            self.forget()

    def forget(self) -> None:
        """Forget what is kept of it: it has ended, or another one is wanted."""
        self.progress.put(**{self.stage: None})

    def run(self) -> Ended | Wait:
        """Give the order unless it was given, and return how it ended, or the wait until another look.

        Raises:
            OdsPublicationRunning: ``timeout_s`` is over.
        """
        kept = self._kept
        if kept.get("ended"):
            return Ended.of(kept["ended"])
        if not kept.get("began"):
            self._keep(began=iso(self._now))
        publication = Publication.of(kept["publication"]) if kept.get("publication") else self.given()
        return publication if isinstance(publication, Wait) else self._followed(publication)

    def given(self) -> Publication | Wait:
        """Give the order, or find out that it was given; a wait where the dataset is at something else."""
        client, noted = self.ctx.client, self._kept.get("noted")
        told = client.run(permitted(self.uid, self.dataset_id, so_far="Nothing was ordered"))
        if noted:
            told = self._seen_moving(noted, told)
            if _moved(noted, told):
                found = Publication(
                    self.uid,
                    self.action,
                    noted["status"],
                    noted["since"],
                    iso(told.told_at),
                    seen_busy=told.busy,
                    dataset_id=self.dataset_id,
                )
                return self._ordered(found, own=False)
        if not told.ready:
            return self._later(f"it is at something else ({told.said()})")
        self._keep(noted={"status": told.status, "since": told.since})
        made = client.run(ordered(self.uid, self.action, dataset_id=self.dataset_id))
        if made is None:
            self._keep(noted=None)
            return self._later("it has just begun something else")
        return self._ordered(made, own=True)

    def _ordered(self, publication: Publication, *, own: bool) -> Publication:
        self._keep(publication=publication.as_dict(), own=own)
        return publication

    def _seen_moving(self, noted: Mapping[str, Any], told: Status) -> Status:
        # Right after an order the status of before may still be told.
        for _ in range(DOUBTS):
            if _moved(noted, told):
                break
            told = self.ctx.client.run(later(DOUBTS_APART_S, status(self.uid)))
        return told

    def _followed(self, publication: Publication) -> Ended | Wait:
        said = ""

        def once() -> Look | None:
            nonlocal publication, said
            seen = self.ctx.client.run(look(publication))
            if seen.ended:
                return seen
            if seen.publication != publication:
                publication = seen.publication
                self._keep(publication=publication.as_dict())
            said = seen.message
            self._expect_time(said)
            return None

        ended = patience.in_place(self.ctx, once)
        return self._later(said, publication) if ended is None else self._ended(ended)

    def _ended(self, seen: Look) -> Ended:
        told = seen.status
        assert told is not None  # a look at one asks for it
        failed = seen.message if seen.state == "failed" else None
        ended = Ended(
            failed,
            told.status,
            len(told.records_errors),
            tuple(_error_text(each) for each in told.records_errors[:_SHOWN_ERRORS]),
            own=bool(self._kept.get("own")) and seen.proven,
            public=told.status != "error" and told.is_published is not False,
            since=told.since,
            at=str(iso(self._now)),
        )
        self._keep(ended=ended.as_dict())
        return ended

    def _expect_time(self, said: str) -> None:
        if self.timeout_s is None or self._age_s < self.timeout_s:
            return
        advice = "It goes on there: run it again to wait for it, with a longer timeout"
        if self.abort_on_timeout:
            try:
                self.ctx.client.run(aborted(self.uid))
                advice = "It was told to stop: what it had read so far may be public"
                self.progress.forget()
            except OdsQueryError:
                pass  # it is at nothing that can be stopped
        raise OdsPublicationRunning(
            f"the portal is not done after {self.timeout_s:.0f} s ({said})",
            where=f"{self.action} of dataset {self.dataset_id}",
            advice=advice,
        )

    def _later(self, said: str, publication: Publication | None = None) -> Wait:
        self._expect_time(said)
        watching = {"publication": publication.as_dict()} if publication is not None else None
        reason = f"{self.action} of {self.dataset_id}: {said}"
        began = self._kept.get("began")
        return patience.later(self.ctx, reason, began=began, timeout_s=self.timeout_s, watching=watching)

    @property
    def _now(self) -> datetime:
        return self.ctx.client.terms.now()

    @property
    def _age_s(self) -> float:
        return patience.age_s(self.ctx, self._kept.get("began"))

    @property
    def _kept(self) -> dict[str, Any]:
        return self.progress.get(self.stage) or {}

    def _keep(self, **changes: Any) -> None:
        self.progress.put(**{self.stage: self._kept | changes})


def _moved(noted: Mapping[str, Any], told: Status) -> bool:
    return told.busy or (told.status, told.since) != (noted["status"], noted["since"])


def _error_text(error: Mapping[str, Any]) -> str:
    where = " ".join(str(error[name]) for name in ("record_id", "field_uid") if error.get(name))
    return f"{where}: {error.get('message')}" if where else str(error.get("message"))
