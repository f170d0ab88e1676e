"""SIGTERM and Ctrl-C end a command wherever they come, in a finalizer or a weak reference's callback too."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

_AGAIN_S = 0.05  # by then the callback has returned


class Terminated(SystemExit):
    """SIGTERM came. A class of its own, so that it is not taken for a plugin that calls ``sys.exit``."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise ``Terminated`` here when SIGTERM comes; only the main thread may call it.

    Python drops what is raised in a finalizer or a callback, and goes on as if no signal had come: it is raised again
    then, outside of it.
    """
    missed: list[type[BaseException]] = []
    told = sys.unraisablehook

    def not_heard(dropped: Any) -> None:
        if dropped.exc_type not in (Terminated, KeyboardInterrupt):
            told(dropped)
            return
        missed.append(dropped.exc_type)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)

    def again(number: int, frame: FrameType | None) -> None:
        if missed:
            raise missed.pop()("terminated")

    terminate, alarm = signal.signal(signal.SIGTERM, _terminate), signal.signal(signal.SIGALRM, again)
    sys.unraisablehook = not_heard
    try:
        yield
    finally:
        sys.unraisablehook = told
        signal.signal(signal.SIGTERM, terminate)
        if missed:
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    # Only an exception stops a read that may last until the idle timeout.
    raise Terminated("terminated")
