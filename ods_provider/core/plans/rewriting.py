"""A plan whose calls are changed on their way out: sent elsewhere, or later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ods_provider.core.errors import OdsError
from ods_provider.core.wire import Plan, Request, Response

T = TypeVar("T")


def rewritten(plan: Plan[T], change: Callable[[Request], Request]) -> Plan[T]:
    """Run a plan, each of its calls as ``change`` makes it; answers and errors reach it as they are."""
    try:
        request = next(plan)
        while True:
            try:
                came: list[Response] = [(yield change(request))]
            except OdsError as error:
                # A plan may know what to do about the error of its own call.
                request = plan.throw(error)
            else:
                # Handed over and not kept, as the driver does.
                request = plan.send(came.pop())
    except StopIteration as done:
        found: T = done.value
        return found
    finally:
        plan.close()
