"""Let errors leave without the frames behind them: their variables held keys, and so do foreign errors.

Whoever reports an error may walk its traceback and print the variables of each frame, and those of the errors that it
came from. ``from None`` hides that chain from people only. So what handles a secret in the clear raises here: the
traceback begins anew, and nothing hangs on the error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)


def forgets(function: Callable[P, T]) -> Callable[P, T]:
    """Make whatever ``function`` raises leave alone: without its frames, its arguments and the errors it came from."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # SIGTERM raises in the middle of a call, too
            raised = alone(error)
        # Outside the handler: within it, the old traceback would come along as the context.
        del args, kwargs
        try:
            raise raised
        finally:
            del raised  # or the frame and the error would keep each other alive

    return call


def alone(error: E) -> E:
    """Return the error without its traceback and without the errors that it came from."""
    error.__cause__ = error.__context__ = None
    error.__suppress_context__ = False
    return error.with_traceback(None)
