"""Talk to a database in a thread of its own, so that whoever waits for it can be told to stop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from ods_provider.jobs.context import JobContext
from ods_provider.tables.engine import AsksRights, Engine
from ods_provider.tables.load import Mode, TableName

P = ParamSpec("P")
R = TypeVar("R")
_LOOK_EVERY_S = 0.5
_LEAVE_S = 10.0  # what a database may take to end a statement; who ends a task gives it seconds


class Attended:
    """An engine whose every call is made in one thread, as drivers want it; ``with`` opens and closes it.

    A driver that waits for its server lets no signal through: this thread waits where one arrives, and ends what the
    database is doing.

    Args:
        ctx: The job's.
        engine: The engine, not open yet.

    Attributes:
        tell: Called now and then while a call lasts, to say how far it is.
    """

    def __init__(self, ctx: JobContext, engine: Engine) -> None:
        self._ctx = ctx
        self.engine = engine
        self.tell: Callable[[], None] = lambda: None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ods-table")

    def __enter__(self) -> Self:
        try:
            self.call(self.engine.__enter__)
        except BaseException:
            self._pool.shutdown(wait=False)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            leaving = self._pool.submit(self.engine.__exit__, kind, error, tb)
            if error is None:
                leaving.result()
            else:
                wait([leaving], timeout=_LEAVE_S)
        finally:
            self._pool.shutdown(wait=error is None)

    def call(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the engine returns.

        Raises:
            Suspended: The job was told to stop; the database was told, too.
        """
        running: Future[R] = self._pool.submit(work, *args, **kwargs)
        try:
            while not wait([running], timeout=_LOOK_EVERY_S).done:
                self._ctx.check()
                self.tell()
        except BaseException:
            self.engine.cancel()
            wait([running], timeout=_LEAVE_S)
            raise
        return running.result()

    def expect_rights(self, table: TableName, mode: Mode, *, deletes: bool) -> None:
        """Refuse a load whose user lacks a right, where the engine can tell before it begins.

        Raises:
            OdsTableError: The right is named.
        """
        if isinstance(self.engine, AsksRights):
            self.call(self.engine.expect_rights, table, mode, deletes=deletes)
