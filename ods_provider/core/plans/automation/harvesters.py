"""Harvesters: started, followed until this run has ended, and what went wrong in it.

A run makes and changes datasets that nobody sees yet. The order to publish only queues them: that the harvester is idle
again proves nothing of them, so that each is followed as a publication of its own.

Source: Automation API v1.0, harvesters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.plans.automation import once, publications
from ods_provider.core.plans.automation.calls import Object, answered, as_object, as_objects, call, get, later, told
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.plans.automation.publications import APART_S, DOUBTS, DOUBTS_APART_S, Publication
from ods_provider.core.redact import masked
from ods_provider.core.times import http_date, iso, parse_time, seconds_between
from ods_provider.core.wire import Plan

Order = Literal["start", "publish", "unpublish"]
READY = frozenset({"new", "idle"})
# An order to publish is at its end once it has queued the datasets, and proves nothing of them.
GRACE_S: Mapping[Order, float] = {"start": 60.0, "publish": 5.0, "unpublish": 5.0}
_WHAT = "harvester"
_ASKED = 4  # of the datasets that an order to publish is to have moved


@dataclass(frozen=True, slots=True)
class Harvest:
    """One order to a harvester, and what was told before it. ``as_dict`` and ``of`` bring it through JSON.

    Attributes:
        harvester_uid: Whose.
        order: start, publish or unpublish.
        before_started_at: When its last run had begun before, in the portal's spelling; None of a new one.
        ordered_at: When the portal was asked, by its own clock; None where it does not say.
        seen_busy: Whether it was seen at work.
    """

    harvester_uid: str
    order: Order
    before_started_at: str | None
    ordered_at: str | None = None
    seen_busy: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Harvest:
        """Return one from what ``as_dict`` gave; keys of another version are passed over.

        Raises:
            OdsConfigError: It is none.
        """
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        if known.get("order") not in get_args(Order) or "harvester_uid" not in known:
            raise OdsConfigError("this is no harvest", where="argument harvest", advice="Pass what an order returned")
        return cls(**{"before_started_at": None, **known})


@dataclass(frozen=True, slots=True)
class HarvestLook:
    """What one look at a harvest showed.

    Attributes:
        harvest: To look with the next time.
        state: ``running``, ``done``, or ``failed``.
        harvester: The portal's object.
        message: In words, for people.
    """

    harvest: Harvest
    state: Literal["running", "done", "failed"]
    harvester: Mapping[str, Any]
    message: str

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.state != "running"


def harvesters() -> Plan[list[Object]]:
    """Return all harvesters of the portal; credentials among their settings are masked."""
    return every("harvesters")


def harvester(uid: str) -> Plan[Object]:
    """Return one: ``{uid, name, type, status, has_error, last_started_at, attached_datasets_count, …}``. One call."""
    return get("harvesters", uid, what=_WHAT)


def uid_of(told: Mapping[str, Any]) -> str:
    """Return what a harvester is called in addresses: its uid, which older portals spell otherwise."""
    return str(told.get("uid") or told.get("slug") or told.get("harvester_id") or told.get("name"))


def found(name: str) -> Plan[Object]:
    """Return the harvester of this uid, or of this name.

    Raises:
        OdsNotFound: There is none; the message tells what is like it.
        OdsConfigError: Several have the name.
    """
    try:
        return {"uid": name} | (yield from harvester(name))
    except OdsNotFound as error:
        missing = error
    there = yield from harvesters()
    same = [each for each in there if str(each.get("name")).strip().casefold() == name.strip().casefold()]
    if len(same) == 1:
        return {"uid": uid_of(same[0])} | same[0]
    if same:
        raise OdsConfigError(
            f"{len(same)} harvesters have the name {name!r}: {' and '.join(map(uid_of, same[:5]))}",
            where=f"harvester {name}",
            advice="Pass the uid of the one that is meant",
        )
    names = [text for each in there for text in (uid_of(each), str(each.get("name")))]
    near = nearest(name, names)
    known = f"Perhaps {listed(near)} is meant" if near else f"There are {listed(map(uid_of, there[:10])) or 'none'}"
    raise OdsNotFound(
        "The portal has no harvester of this id",
        status=404,
        where=f"harvester {name}",
        advice=f"{known}. The key needs create_dataset, edit_dataset and publish_dataset",
    ) from missing


def errors(uid: str) -> Plan[Object]:
    """Return what went wrong in its last run: ``{harvester: text | None, resources: {id: text}}``. One call."""
    return get("harvesters", uid, "errors", what="errors of a harvester")


def preview(uid: str) -> Plan[list[Object]]:
    """Return what a run would find, as far as the portal looks. One call."""
    told = yield from answered(call("GET", "harvesters", uid, "preview"))
    found = told if isinstance(told, list) else as_object(told, "results", what="preview of a harvester")["results"]
    return as_objects(found, what="preview of a harvester")


def attached(uid: str) -> Plan[list[Object]]:
    """Return the datasets that it made and that are still there. Portals without this list answer 404."""
    return every("harvesters", uid, "datasets")


def ordered(uid: str, order: Order = "start", *, of: Sequence[Publication] = ()) -> Plan[Harvest | None]:
    """Give an order now and return it; None where the harvester is at something else. Two calls.

    Args:
        uid: Which harvester.
        order: What is ordered.
        of: What the datasets told before an order that queues them, as ``begun`` wants it.
    """
    before, at = yield from _told(uid)
    if before.get("status") not in READY:
        return None
    made = Harvest(uid, order, _text(before.get("last_started_at")), iso(at))

    def send() -> Plan[Any]:
        return answered(call("POST", "harvesters", uid, order, once=True))

    def look() -> Plan[Mapping[Any, bool]]:
        return {"begun": True} if (yield from begun(made, of)) else {}

    after_s = _wait_s(before, at) if order == "start" else 0.0
    return made if (yield from once.ordered_once(send, look, after_s=after_s)) else None


def begun(harvest: Harvest, of: Sequence[Publication] = ()) -> Plan[bool]:
    """Return whether an order shows that nobody heard an answer to: looked for three times, since it may show late.

    Args:
        harvest: What was told before it.
        of: What the datasets told before an order that queues them. A harvester that was quick is idle again, and only
            they show that it was told anything.
    """
    for doubts in range(DOUBTS):
        now, _ = yield from later(DOUBTS_APART_S if doubts else 0.0, _told(harvest.harvester_uid))
        if now.get("status") not in READY or _started_since(harvest, now):
            return True
        if (yield from queued(of)):
            return True
    return False


def queued(of: Sequence[Publication]) -> Plan[bool]:
    """Return whether one of the first four datasets shows that an order queued it. A call each."""
    for publication in of[:_ASKED]:
        seen = yield from publications.look(publication, grace_s=math.inf)
        if seen.ended or seen.publication.seen_busy:
            return True
    return False


def look(harvest: Harvest, *, grace_s: float | None = None) -> Plan[HarvestLook]:
    """Look once how far a harvest is. One call, and one more for the errors of a run that had some; it never waits.

    Args:
        harvest: What was ordered, or what the last look returned.
        grace_s: Seconds after which a harvester that was never seen at work is taken to have done it; None: a minute,
            and five seconds of an order that only queues datasets.
    """
    now, at = yield from _told(harvest.harvester_uid)
    status = str(now.get("status"))
    if status not in READY:
        return HarvestLook(replace(harvest, seen_busy=True), "running", now, status)
    mine = harvest.seen_busy or _started_since(harvest, now)
    if not mine and not _overdue(harvest, at, GRACE_S[harvest.order] if grace_s is None else grace_s):
        return HarvestLook(harvest, "running", now, "accepted, and not begun")
    if harvest.order != "start" or not now.get("has_error"):
        return HarvestLook(harvest, "done", now, status)
    found = yield from errors(harvest.harvester_uid)
    if not found.get("harvester") and found.get("resources"):
        # Single datasets could not be harvested; the run went to its end.
        return HarvestLook(harvest, "done", now, status)
    said = found.get("harvester") or "the portal says that it failed, and not why"
    return HarvestLook(harvest, "failed", now, str(said))


def aborted(uid: str) -> Plan[None]:
    """Stop what a harvester is at.

    Raises:
        OdsQueryError: It is at nothing.
    """

    def still() -> Plan[Mapping[Any, None]]:
        now, _ = yield from _told(uid)
        return {} if now.get("status") in ("queued", "processing") else {"stopped": None}

    def send() -> Plan[None]:
        yield from answered(call("POST", "harvesters", uid, "abort", once=True))

    yield from once.sent_once(send, still, before=())


def _told(uid: str) -> Plan[tuple[Object, datetime | None]]:
    response = yield call("GET", "harvesters", uid)
    return as_object(masked(told(response)), "status", what=_WHAT), http_date(response.headers.get("date"))


def _started_since(harvest: Harvest, now: Mapping[str, Any]) -> bool:
    return harvest.order == "start" and _text(now.get("last_started_at")) != harvest.before_started_at


def _wait_s(before: Mapping[str, Any], at: datetime | None) -> float:
    """Return how long to wait so that a run begins in another second than the last one did, which proves it."""
    began = parse_time(_text(before.get("last_started_at")))
    if began is None or at is None or began.microsecond:
        return 0.0
    return max(APART_S - max((at - began).total_seconds(), 0.0), 0.0)


def _overdue(harvest: Harvest, at: datetime | None, grace_s: float) -> bool:
    waited_s = seconds_between(harvest.ordered_at, at)
    return waited_s is not None and waited_s >= grace_s


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
