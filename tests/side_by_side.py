"""Tests that wait most of their time, for a portal or for a running scheduler: all are begun, then each is asked for.

A test that is decorated with ``beside`` runs in a thread, beside the others that are, from the session's first test on.
pytest still tells each of them alone, with its own traceback. Such a test names no fixtures: it is given one thing that
holds what it needs, and does nothing to the servers that another one could notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

Body = Callable[[Any], None]


class Begun:
    """The tests that were begun, and how they end."""

    def __init__(self, ends: dict[Body, Future[None]]) -> None:
        self._ends = ends

    def end_of(self, body: Body) -> None:
        """Wait until this one is over, and raise what it raised."""
        self._ends[body].result()

    def all_over(self) -> None:
        """Wait until nothing runs beside any more, however it ended."""
        for end in self._ends.values():
            end.exception()


def beside(body: Body) -> Callable[[Begun], None]:
    """Make a test of a function that is begun with all others of its kind."""

    def test(begun: Begun) -> None:
        begun.end_of(body)

    test.__name__, test.__qualname__ = body.__name__, body.__qualname__
    test.__module__, test.__doc__ = body.__module__, body.__doc__
    test.__dict__["body"] = body
    return test


def bodies(items: Sequence[pytest.Item]) -> list[Body]:
    """Return what of the chosen tests is to be begun, in their order."""
    functions = (getattr(item, "function", None) for item in items)
    return [body for body in (getattr(function, "body", None) for function in functions) if body]


@contextmanager
def begin(chosen: Sequence[Body], run: Callable[[Body], None], *, at_once: int) -> Iterator[Begun]:
    """Begin tests, so many at once; at the end wait for those that nobody asked for."""
    with ThreadPoolExecutor(at_once) as pool:
        try:
            yield Begun({body: pool.submit(run, body) for body in chosen})
        finally:
            pool.shutdown(cancel_futures=True)
