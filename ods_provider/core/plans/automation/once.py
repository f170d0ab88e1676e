"""What may not be sent twice: when its answer is lost, the portal is looked at before it is sent again.

A POST that adds something (a dataset, a resource, a field configuration, a processor, a schedule, an attachment) adds
it again when it is repeated, and an order to publish may run twice. The driver repeats none (``Request.once``); this
module decides when they are repeated, and nothing else does.

Source: Automation API v1.0, retry and idempotence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, TypeVar

from ods_provider.core.automation import is_busy
from ods_provider.core.errors import OdsError, OdsIncomplete, OdsNotFound, OdsQuotaExceeded
from ods_provider.core.plans.automation.calls import answered, call, later
from ods_provider.core.retry import backoff_s
from ods_provider.core.wire import Plan

T = TypeVar("T")
MOST_SENDS = 3


def in_doubt(error: OdsError) -> bool:
    """Return whether an error leaves open if the portal did what it was asked: no whole answer came, or it failed."""
    return error.transient and not isinstance(error, OdsQuotaExceeded)


def sent_once(
    send: Callable[[], Plan[T]],
    look: Callable[[], Plan[Mapping[Hashable, T]]],
    *,
    before: Collection[Hashable] | None = None,
    exactly: Callable[[T], bool] = lambda _: True,
) -> Plan[T]:
    """Send what may not be sent twice, and return what came of it.

    Args:
        send: Makes the plan whose call says ``once``.
        look: Makes the plan that tells what there is of its kind: by uid, or by whatever is new when it was done. Not
            only what is equal: portals write values in their own way, and what is new is mostly what was sent.
        before: What ``look`` told before; None looks first, which is one call more.
        exactly: Whether a thing is equal to what was sent, which decides where several are new.

    Raises:
        OdsError: The portal refuses it, or no answer comes after so many sendings, and it is not there.
        OdsIncomplete: No answer came, and several such things are there that were not before.
    """
    if before is None:
        before = set((yield from look()))
    sends = 0
    while True:
        sends += 1
        try:
            return (yield from send())
        except OdsError as error:
            if not in_doubt(error):
                raise
            lost = error
        # Not at once: what was cut off may still be at work.
        there = yield from later(backoff_s(sends + 1), look())
        came = [thing for uid, thing in there.items() if uid not in before]
        if len(came) > 1:
            came = [thing for thing in came if exactly(thing)] or came
        if len(came) > 1:
            raise OdsIncomplete(
                f"no answer came, and {len(came)} things like what was sent are there which were not before",
                where=lost.where,
                advice="Somebody else makes the same: look which are wanted, and delete the others",
            )
        if came:
            return came[0]
        if sends >= MOST_SENDS:
            raise lost


def ordered_once(
    order: Callable[[], Plan[Any]], look: Callable[[], Plan[Mapping[Hashable, bool]]], *, after_s: float = 0.0
) -> Plan[bool]:
    """Give an order once, and return whether it was taken: False where something else is under way.

    Args:
        order: Makes the plan whose call says ``once``.
        look: Makes the plan that tells whether anything began since: empty where nothing did.
        after_s: Seconds to wait before it is given.
    """
    sends = 0

    def send() -> Plan[bool]:
        nonlocal sends
        sends += 1
        try:
            yield from later(after_s, order()) if sends == 1 else order()
        except OdsError as error:
            if not is_busy(error):
                raise
            # At a second sending it is the first one that is under way, or one that was given after it.
            return sends > 1
        return True

    return (yield from sent_once(send, look, before=()))


def deleted(*parts: str, json: Any = None) -> Plan[None]:
    """Delete something. That it is gone at a second sending, after a lost answer, is what was wanted.

    Raises:
        OdsNotFound: It was not there.
    """
    sends = 0
    while True:
        sends += 1
        plan = answered(call("DELETE", *parts, json=json, once=True))
        try:
            yield from later(backoff_s(sends), plan) if sends > 1 else plan
            return
        except OdsNotFound:
            if sends == 1:
                raise
            return
        except OdsError as error:
            if not in_doubt(error) or sends >= MOST_SENDS:
                raise
