"""Pour a stream into a file: read, inflated and counted in one thread, hashed and written in another.

The caller reads, because signals, timeouts and schedulers reach nobody else. It counts as well: counting holds Python's
lock, so that beside the reading it would only get in its way, while hashing and writing let go of it.
"""

from __future__ import annotations

import threading
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

Take = Callable[[bytes], None]
_SLICE_S = 0.5  # how long a wait may overlook that the job has to stop


class Stream(Protocol):
    """Gives bytes, piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Return the next piece, of about ``size`` bytes as they are sent, nothing at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Flow:
    """How a stream is poured.

    Args:
        alone_bytes: How much passes before a second thread begins: small files do without. None never begins one.
        block_bytes: How much is handed over at once.
        most_blocks: How many may wait; with the one that is filled, that is the memory a second thread takes.
        read_bytes: How much is read at once, as it is sent.
    """

    alone_bytes: int | None = 1_048_576
    block_bytes: int = 262_144
    most_blocks: int = 6
    read_bytes: int = 262_144


def flow_of(streams: int) -> Flow:
    """Return how each of so many streams at the same time is poured: the one place that decides it.

    Several keep the processors busy by themselves, and their blocks would add up.
    """
    return Flow() if streams == 1 else Flow(alone_bytes=None, read_bytes=16_384)


def pour(stream: Stream, *, seen: Take, kept: Take, passed: Callable[[int], None], flow: Flow) -> None:
    """Give every piece of a stream, to its end and in order, to ``seen`` and to ``kept``.

    Args:
        stream: Read by the calling thread.
        seen: Looks at a piece, in the calling thread.
        kept: Keeps a piece, in either thread; not at the same time.
        passed: Told by the calling thread how many bytes came, with each piece and while it waits; may raise.
        flow: How.

    Raises:
        BaseException: What any of them raised; nothing is kept any more then, and no second thread is left.
    """
    came = 0
    pieces = iter(partial(stream.read, flow.read_bytes), b"")
    for piece in pieces:
        came += len(piece)
        seen(piece)
        passed(came)
        kept(piece)
        if flow.alone_bytes is not None and came >= flow.alone_bytes:
            _pour_beside(pieces, seen, _Beside(kept, passed, flow, came))
            return


def _pour_beside(pieces: Iterator[bytes], seen: Take, beside: _Beside) -> None:
    failed: list[BaseException] = []
    try:
        # In a frame of its own: Python 3.13 does not guard a loop's jump back by the ``try`` that it stands in, and a
        # signal that raises there would leave the thread behind.
        _hand_over_all(pieces, seen, beside, failed)
    finally:
        try:
            beside.stop()
        finally:
            beside.stop()  # for a signal that raised on the way into the first
    if beside.failed or failed:
        raise (beside.failed or failed).pop()


def _hand_over_all(pieces: Iterator[bytes], seen: Take, beside: _Beside, failed: list[BaseException]) -> None:
    beside.begin()
    try:
        for piece in pieces:
            seen(piece)
            beside.heed(len(piece))
            if not beside.take(piece):
                break
    except Exception as error:
        # Raised at the end: what is wrong with earlier bytes goes before it, and must not hang on it.
        failed.append(error)
    beside.finish()


class _Beside:
    """A second thread that keeps what the first gives it.

    A signal may raise anywhere in the first. So there is no ``Queue``, ``Condition`` or ``Thread`` here, which are
    written in Python and may be left locked then, or hide the signal behind an error of their own; a plain lock makes
    a bell, and one call begins a thread.

    Args:
        kept, passed, flow: Those of ``pour``.
        came: How many bytes have passed.
    """

    def __init__(self, kept: Take, passed: Callable[[int], None], flow: Flow, came: int) -> None:
        self._kept, self._passed, self._flow, self._came = kept, passed, flow, came
        self._block: list[bytes] = []
        self._block_bytes = 0
        self._waiting: deque[list[bytes]] = deque()
        self._to_do, self._done, self._living, self._gone = _Bell(), _Bell(), _Bell(), _Bell()
        # What a bell has said stays in a flag of the thread's own: whoever heard it may be interrupted at once.
        self._alone = self._asked = self._alive = self._stopped = self._ended = False
        self.failed: list[BaseException] = []

    def begin(self) -> None:
        """Begin the thread; where none is to be had, the first keeps everything itself."""
        try:
            self._asked = True
            start_new_thread(self._work, ())
        except RuntimeError:
            self._alone, self._asked = True, False

    def heed(self, more_bytes: int = 0) -> None:
        """Say that so much came, and stop here if the job was told to."""
        self._came += more_bytes
        self._passed(self._came)

    def take(self, piece: bytes) -> bool:
        """Have ``piece`` kept, soon; wait while too much waits. Return whether keeping has not failed."""
        if self._alone:
            self._kept(piece)
            return True
        self._block.append(piece)
        self._block_bytes += len(piece)
        if self._block_bytes >= self._flow.block_bytes:
            self._hand_over()
            self._until(self._flow.most_blocks)
        return not self.failed

    def finish(self) -> None:
        """Return when all is kept, or keeping has failed."""
        if not self._alone:
            self._hand_over()
            self._until(0)

    def stop(self) -> None:
        """Return when the thread has ended, after the block that it is at; what waits is dropped."""
        self._stopped = True
        self._to_do.ring()
        late: list[BaseException] = []
        while self._asked and not self._ended:
            try:
                if self._alive:
                    self._gone.wait()
                else:
                    # Interrupted while it was begun. Where it comes to life later, it sees that it has nothing to do.
                    self._living.wait(_SLICE_S)
                    self._asked = self._alive
            except BaseException as error:  # another signal: nobody may clear away yet what the thread writes into
                late.append(error)
        if late:
            raise late.pop()

    def _hand_over(self) -> None:
        self._waiting.append(self._block)
        self._block, self._block_bytes = [], 0
        self._to_do.ring()

    def _until(self, most: int) -> None:
        """Return when no more than so many blocks wait to be kept, or keeping has failed."""
        while len(self._waiting) > most and not self.failed:
            if not self._done.wait(_SLICE_S):
                self.heed()

    def _work(self) -> None:
        self._alive = True
        self._living.ring()
        try:
            while not self._stopped:
                if not self._waiting:
                    self._to_do.wait()
                    continue
                for piece in self._waiting[0]:
                    self._kept(piece)
                # Not before: what is gone from here is kept.
                self._waiting.popleft()
                self._done.ring()
        except BaseException as error:  # handed over
            self.failed.append(error)
            self._done.ring()
        finally:
            self._ended = True
            self._gone.ring()


class _Bell:
    """Wakes one thread; rung twice before that, it wakes it once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            return  # it rings already

    def wait(self, timeout_s: float = -1) -> bool:
        return self._lock.acquire(timeout=timeout_s)
