"""Do several pieces of work at the same time, each in a thread, and keep each as it is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Protocol, TypeVar

from ods_provider.jobs.context import JobContext

I_contra = TypeVar("I_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
Item = TypeVar("Item")
R = TypeVar("R")


class Work(Protocol[I_contra, R_co]):
    """Does one piece after another, in several threads; ``stop`` ends what is under way."""

    stop: threading.Event

    def __call__(self, item: I_contra, /) -> R_co:
        """Do one piece."""
        ...


def side_by_side(
    ctx: JobContext,
    work: Work[Item, R],
    left: Iterable[Item],
    *,
    parallel: int,
    keep: Callable[[Item, R], None],
    passes_over: Callable[[Item, BaseException], bool],
    tell: Callable[[], None],
    name: str,
) -> None:
    """Do all of ``left``.

    Args:
        ctx: The job's.
        work: Does one; for this call only.
        left: What to do.
        parallel: Pieces at the same time.
        keep: Confirms one; called in this thread, the one that may talk to the scheduler.
        passes_over: Told of each failure in this thread; whether more are begun all the same.
        tell: Says how far it is; called in this thread.
        name: Of the threads.

    Raises:
        BaseException: The first failure after which no more are begun; what is under way then is done and kept.
    """
    queue = iter(left)
    running: dict[Future[R], Item] = {}
    failure: BaseException | None = None
    with _pool(work.stop, parallel, name) as pool:
        while True:
            # No more are handed out than can run: a refusal must not find a queue of calls behind it.
            while failure is None and len(running) < parallel and (item := next(queue, None)) is not None:
                running[pool.submit(work, item)] = item
            if not running:
                break
            ended, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            ctx.check()
            for future in ended:
                item = running.pop(future)
                error = future.exception()
                if error is None:
                    keep(item, future.result())
                elif not passes_over(item, error):
                    failure = failure or error
            tell()
    if failure is not None:
        raise failure


@contextmanager
def _pool(stop: threading.Event, parallel: int, name: str) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix=name)
    patient = True
    try:
        yield pool
    except BaseException as error:
        # SystemExit, KeyboardInterrupt, a scheduler's own timeout: whoever ends a task gives it seconds, and a read
        # that is stuck lasts until the idle timeout. What such a thread still writes is a hidden part, which the
        # next try replaces.
        patient = isinstance(error, Exception)
        raise
    finally:
        stop.set()
        pool.shutdown(wait=patient, cancel_futures=True)
