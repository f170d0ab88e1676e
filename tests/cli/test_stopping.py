"""A signal ends a command wherever it comes."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from ods_provider.cli.stopping import Terminated, stoppable


class _Finalized:
    """Is sent a signal while Python drops whatever is raised."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self._number)
        sum(range(1000))  # here it is handled


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_that_comes_in_a_finalizer_is_heard_after_it(number: int, raised: type[BaseException]) -> None:
    def work() -> None:
        finalized = _Finalized(number)
        del finalized
        time.sleep(60)

    # Who starts tests in the background of a shell has them ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    try:
        with pytest.raises(raised), stoppable():
            work()
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 30


def test_what_else_is_dropped_is_told_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: told.append(str(dropped.exc_value)))

    class Fails:
        def __del__(self) -> None:
            raise ValueError("as before")

    with stoppable():
        Fails()
    assert told == ["as before"]


def test_the_handlers_of_before_are_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before
