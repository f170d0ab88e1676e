"""Publications: ordered once, followed until *this* one has ended, and judged.

A portal only accepts an order; hours may pass until it is carried out, and right after it the status of before may
still be told. What was told before is therefore kept in a ``Publication``, which goes through JSON, so that whoever
waits may be another process on another machine. A status that is ready again belongs to the order if it was busy in
between, or if it began at another moment. Moments are told to the second: an order that would fall into the second in
which the last status began waits for the next one, so that a new moment is a proof.

Source: Automation API v1.0, datasets (orders), status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from ods_provider.core.errors import OdsConfigError, OdsPublicationRunning
from ods_provider.core.plans.automation import once
from ods_provider.core.plans.automation.calls import answered, call, later
from ods_provider.core.plans.automation.status import Status, status
from ods_provider.core.times import iso, parse_time, seconds_between
from ods_provider.core.wire import Plan

Action = Literal["publish", "publish_metadata", "unpublish", "restore"]
GRACE_S = 60.0
# Right after an order the status of before may still be told: after a lost answer it is believed at the third look.
DOUBTS, DOUBTS_APART_S = 3, 1.0
APART_S = 2.0  # of two statuses, so that their seconds differ whatever two clocks of one portal say
_DAY_S = 86_400.0
_FIRST_S, _MOST_S, _GROWTH = 2.0, 15.0, 1.3
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Publication:
    """One order, and what was told before it. ``as_dict`` and ``of`` bring it through JSON.

    Attributes:
        dataset_uid: Whose.
        action: publish, publish_metadata, unpublish or restore.
        before: The status before the order: its word.
        before_since: And the moment it began, as the portal spelled it.
        ordered_at: A moment just before the order, by the portal's own clock; None where it does not say.
        seen_busy: Whether it was seen at work.
        dataset_id: Its id in Explore, for looks at many with one call; None where that is not wanted.
        shown: What Explore told of it at the last look at many.
        rounds: Looks at many since its own status was asked.
    """

    dataset_uid: str
    action: Action
    before: str
    before_since: str | None
    ordered_at: str | None = None
    seen_busy: bool = False
    dataset_id: str | None = None
    shown: str | None = None
    rounds: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Publication:
        """Return one from what ``as_dict`` gave; keys of another version are passed over.

        Raises:
            OdsConfigError: It is none.
        """
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        try:
            made = cls(**known)
        except TypeError:
            raise OdsConfigError(
                "this is no publication", where="argument publication", advice="Pass what an order returned"
            ) from None
        return replace(made, action=action_named(made.action))


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a publication showed.

    Attributes:
        publication: To look with the next time.
        state: ``running``, ``done``, or ``failed``.
        status: The status as told; None where only Explore was asked.
        message: In words, for people.
        proven: Whether the status is surely this order's; else it was taken for it, because nothing moved for long.
    """

    publication: Publication
    state: Literal["running", "done", "failed"]
    status: Status | None
    message: str
    proven: bool = True

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.state != "running"

    def said(self, dataset_id: str | None) -> str:
        """Return in words how far the publication of a dataset is."""
        now = self.status.said() if self.status is not None else "not told of yet"
        end = ": it has ended" if self.ended else ""
        return f"The publication of {dataset_id or self.publication.dataset_uid} is {now}{end}"


def action_named(value: Any) -> Action:
    """Return an action.

    Raises:
        OdsConfigError: There is none of that name.
    """
    for known in get_args(Action):
        if str(value).strip().lower() == known:
            return known  # type: ignore[no-any-return]  # one of its words
    words = ", ".join(get_args(Action))
    raise OdsConfigError(f"action={value!r} is not known", where="argument action", advice=f"Use {words}")


def ordered(
    dataset_uid: str, action: Action = "publish", *, version: str | None = None, dataset_id: str | None = None
) -> Plan[Publication | None]:
    """Give an order now, and return it; None where the dataset is at something else. Two calls.

    Args:
        dataset_uid: Which dataset.
        action: What is ordered.
        version: Of a restore, which one.
        dataset_id: Kept in the publication, for looks at many.
    """
    if action == "restore" and not version:
        raise OdsConfigError("version is empty", where="argument version", advice="Pass the uid of a version (ch_…)")
    told = yield from status(dataset_uid)
    if told.busy:
        return None
    parts = ("versions", str(version), "restore") if action == "restore" else (action,)

    made = Publication(dataset_uid, action, told.status, told.since, iso(told.told_at), dataset_id=dataset_id)

    def order() -> Plan[Any]:
        return answered(call("POST", "datasets", dataset_uid, *parts, once=True))

    def look() -> Plan[Mapping[Any, bool]]:
        for doubts in range(DOUBTS):
            now = yield from later(DOUBTS_APART_S if doubts else 0.0, status(dataset_uid))
            if now.busy or _began_since(made, now):
                return {now.since: True}
        return {}

    return made if (yield from once.ordered_once(order, look, after_s=_wait_s(told))) else None


def start(
    dataset_uid: str,
    action: Action = "publish",
    *,
    version: str | None = None,
    dataset_id: str | None = None,
    most_busy_s: float = 3600.0,
) -> Plan[Publication]:
    """Give an order once the dataset is at nothing else: what runs already may have begun before the last change.

    Args:
        dataset_uid: Which dataset.
        action: What is ordered.
        version: Of a restore, which one.
        dataset_id: Kept in the publication, for looks at many.
        most_busy_s: Seconds to wait for what runs, in pauses of up to 15; ``ordered`` waits for nothing.

    Raises:
        OdsPublicationRunning: It runs for longer.
    """
    waited_s, pauses = 0.0, 0
    plan = ordered(dataset_uid, action, version=version, dataset_id=dataset_id)
    while (made := (yield from plan)) is None:
        pause = pause_s(pauses)
        if waited_s + pause > most_busy_s:
            raise OdsPublicationRunning(
                f"the dataset is at something else for more than {waited_s:.0f} s",
                where=f"{action} of dataset {dataset_uid}",
                advice="Run it again later, or abort what runs",
            )
        waited_s, pauses = waited_s + pause, pauses + 1
        plan = later(pause, ordered(dataset_uid, action, version=version, dataset_id=dataset_id))
    return made


def look(publication: Publication, *, grace_s: float = GRACE_S) -> Plan[Look]:
    """Look once how far a publication is. One call; it never waits.

    Args:
        publication: What was ordered, or what the last look returned.
        grace_s: Seconds after which a ready status that never moved is taken for the order's own, unproven.
    """
    return judged(publication, (yield from status(publication.dataset_uid)), grace_s=grace_s)


def judged(publication: Publication, told: Status, *, grace_s: float = GRACE_S) -> Look:
    """Return what a status says of a publication."""
    publication = replace(publication, rounds=0)
    if not told.ready:
        # A word that nobody knows is waited for, as long as the caller waits.
        return Look(replace(publication, seen_busy=publication.seen_busy or told.busy), "running", told, told.said())
    mine = publication.seen_busy or _began_since(publication, told)
    if not mine and not _overdue(publication, told, grace_s):
        return Look(publication, "running", told, "accepted, and not begun: the portal tells the status of before")
    failure = _failure(publication, told)
    if failure:
        return Look(publication, "failed", told, failure, proven=mine)
    return Look(publication, "done", told, told.said(), proven=mine)


def pause_s(looks: int) -> float:
    """Return how long to wait after so many looks: from two seconds on, up to fifteen."""
    return min(_MOST_S, _FIRST_S * _GROWTH ** min(looks, _DIGITS))


def aborted(dataset_uid: str) -> Plan[None]:
    """Stop what a dataset is at; the records that were read stay, as an incomplete set.

    Raises:
        OdsQueryError: It is at nothing that can be stopped.
    """

    def look() -> Plan[Mapping[Any, None]]:
        now = yield from status(dataset_uid)
        return {} if now.status == "processing" else {now.status: None}

    def send() -> Plan[None]:
        yield from answered(call("POST", "datasets", dataset_uid, "abort", once=True))

    yield from once.sent_once(send, look, before=())


def _began_since(publication: Publication, told: Status) -> bool:
    """Return whether a status is another one than before the order, and did not begin clearly before it either."""
    if (told.status, told.since) == (publication.before, publication.before_since):
        return False
    # What was read before the order may have been behind by a publication. Clocks a day apart say nothing.
    early_s = seconds_between(told.since, parse_time(publication.ordered_at))
    return early_s is None or not APART_S < early_s < _DAY_S


def _wait_s(told: Status) -> float:
    """Return how long to wait so that what is ordered begins in another second than the present status did."""
    old = told.seconds_old
    if old is None or not told.to_the_second or old >= APART_S:
        return 0.0
    return APART_S - max(old, 0.0)


def _overdue(publication: Publication, told: Status, grace_s: float) -> bool:
    waited_s = seconds_between(publication.ordered_at, told.told_at)
    return waited_s is not None and waited_s >= grace_s


def _failure(publication: Publication, told: Status) -> str | None:
    if told.status != "idle":
        kept = ", and what was public before still is" if told.is_published and told.status == "error" else ""
        return told.said() + kept
    if told.previous == "aborting_processing":
        return "it was aborted: the records may be incomplete"
    if publication.action == "unpublish" and told.is_published:
        return "the dataset is still published"
    if publication.action in ("publish", "publish_metadata") and told.is_published is False:
        return "it ended, and the dataset is not published"
    return None
