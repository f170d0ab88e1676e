"""A stream is read in one thread and kept in another: in order, to its end, and never longer than somebody waits."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import Lab
from replay import Play, answer, replay

from ods_provider.core.errors import OdsSinkError, OdsTruncated
from ods_provider.core.formats.registry import format_named
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.downloading import pouring
from ods_provider.jobs.downloading.pouring import Flow, flow_of, pour

SOON = Flow(alone_bytes=100, block_bytes=50, most_blocks=3)
PIECES = [bytes([number % 256]) * 25 for number in range(400)]


class Pieces:
    """A stream of pieces; an exception among them is raised."""

    def __init__(self, pieces: list[bytes | Exception]) -> None:
        self._left = iter(pieces)

    def read(self, size: int) -> bytes:
        piece = next(self._left, b"")
        if isinstance(piece, Exception):
            raise piece
        return piece


def nothing(_: object) -> None:
    """See, keep or tell nothing."""


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """The second threads that live; none is left when a test has ended."""
    living: set[int] = set()

    def begin(work: Callable[[], None], args: tuple[()]) -> int:
        def run() -> None:
            living.add(threading.get_ident())
            try:
                work()
            finally:
                living.discard(threading.get_ident())

        return start_new_thread(run, args)

    monkeypatch.setattr(pouring, "start_new_thread", begin)
    yield living
    until = time.monotonic() + 60  # what has told that it ends has yet to return
    while living and time.monotonic() < until:
        time.sleep(0.001)
    assert not living


def beside() -> bool:
    return threading.current_thread() is not threading.main_thread()


def test_every_piece_is_seen_and_kept_in_order_and_told_of() -> None:
    seen: list[bytes] = []
    kept: list[bytes] = []
    told: list[int] = []
    pour(Pieces([*PIECES]), seen=seen.append, kept=kept.append, passed=told.append, flow=SOON)
    assert seen == kept == PIECES
    assert [came for number, came in enumerate(told) if not number or came != told[number - 1]] == list(
        range(25, 10_001, 25)
    )


def test_what_is_large_is_kept_by_another_thread_and_what_is_small_is_not() -> None:
    by: list[bool] = []
    for pieces in (PIECES[:4], PIECES):
        by.clear()
        pour(
            Pieces([*pieces]),
            seen=nothing,
            kept=lambda _: by.append(beside()),
            passed=nothing,
            flow=SOON,
        )
        assert set(by[:4]) == {False}
        assert set(by[4:]) == ({True} if pieces is PIECES else set())


def test_several_streams_at_once_have_no_second_thread_each_and_read_little_at_once() -> None:
    assert flow_of(1).alone_bytes is not None
    assert flow_of(2).alone_bytes is None
    assert flow_of(2).read_bytes <= 16_384 < flow_of(1).read_bytes


def test_no_more_waits_to_be_kept_than_the_flow_allows() -> None:
    read, kept = [0], [0]
    most = SOON.most_blocks * SOON.block_bytes + 2 * SOON.block_bytes

    class Counted(Pieces):
        def read(self, size: int) -> bytes:
            piece = super().read(size)
            read[0] += len(piece)
            assert read[0] - kept[0] <= most
            return piece

    def keep(piece: bytes) -> None:
        threading.Event().wait(0.0005)
        kept[0] += len(piece)

    pour(Counted([*PIECES]), seen=nothing, kept=keep, passed=nothing, flow=SOON)
    assert kept[0] == read[0] == 10_000


@pytest.mark.parametrize("after", [0, 3, 10, 399])
def test_an_error_of_keeping_is_raised_as_it_is_and_nothing_is_kept_after_it(after: int) -> None:
    error = OdsSinkError("the disk is full", where="here", advice="Make room")
    kept: list[bytes] = []

    def keep(piece: bytes) -> None:
        if len(kept) == after:
            raise error
        kept.append(piece)

    with pytest.raises(OdsSinkError) as caught:
        pour(Pieces([*PIECES]), seen=nothing, kept=keep, passed=nothing, flow=SOON)
    assert caught.value is error
    assert error.__context__ is None
    assert kept == PIECES[:after]


@pytest.mark.parametrize("after", [0, 3, 10, 399])
def test_an_error_of_the_stream_is_raised_as_it_is(after: int) -> None:
    error = OdsTruncated("it was cut", advice="Again")
    kept: list[bytes] = []
    with pytest.raises(OdsTruncated) as caught:
        pour(Pieces([*PIECES[:after], error]), seen=nothing, kept=kept.append, passed=nothing, flow=SOON)
    assert caught.value is error
    assert error.__context__ is None
    assert kept == PIECES[: len(kept)]


def test_what_is_wrong_with_earlier_bytes_goes_before_what_is_wrong_with_later_ones() -> None:
    cut = threading.Event()

    class Cut(Pieces):
        def read(self, size: int) -> bytes:
            try:
                return super().read(size)
            except OdsTruncated:
                cut.set()
                raise

    def keep(_: bytes) -> None:
        if beside():
            cut.wait(60)
            raise OdsSinkError("the disk is full", where="here", advice="Make room")

    with pytest.raises(OdsSinkError) as caught:
        pour(
            Cut([*PIECES[:9], OdsTruncated("it was cut", advice="Again")]),
            seen=nothing,
            kept=keep,
            passed=nothing,
            flow=SOON,
        )
    assert caught.value.__context__ is None


def test_whoever_waits_for_a_slow_disk_is_told_to_stop_all_the_same() -> None:
    stuck, told = threading.Event(), threading.Event()

    def keep(_: bytes) -> None:
        if beside():
            told.set()
            stuck.wait(60)

    def passed(_: int) -> None:
        if told.is_set():
            stuck.set()  # as a disk is, in the end: the thread is waited for
            raise SystemExit("stopped")

    with pytest.raises(SystemExit, match="stopped"):
        pour(Pieces([*PIECES]), seen=nothing, kept=keep, passed=passed, flow=SOON)


def test_where_no_second_thread_is_to_be_had_the_first_does_it_all() -> None:
    kept: list[bytes] = []
    before = threading.stack_size(1 << 46)  # more than there is
    try:
        pour(Pieces([*PIECES]), seen=nothing, kept=kept.append, passed=nothing, flow=SOON)
    finally:
        threading.stack_size(before)
    assert kept == PIECES


class Interrupted(BaseException):
    """As Airflow's timeout, raised by a signal's handler wherever the main thread is."""


@contextmanager
def interrupted_within(seconds: float) -> Iterator[None]:
    def handler(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    try:
        # Once more where the first one was lost: Python drops what is raised while it collects garbage.
        signal.setitimer(signal.ITIMER_REAL, seconds, 10)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# What Python drops of a signal (see above) it reports as unraisable.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", range(60))
def test_a_signal_ends_it_wherever_it_comes_and_nothing_is_kept_afterwards(seed: int) -> None:
    dice = random.Random(seed)
    ended = False
    late: list[bytes] = []
    reader, writer = os.pipe()

    def keep(piece: bytes) -> None:
        if ended:
            late.append(piece)
        os.write(writer, b"")

    def forever() -> Iterator[bytes | Exception]:
        while True:
            yield b"x" * 25

    try:
        with pytest.raises(Interrupted), interrupted_within(dice.uniform(0.0002, 0.004)):
            pour(Pieces(forever()), seen=nothing, kept=keep, passed=nothing, flow=SOON)  # type: ignore[arg-type]
        ended = True
    finally:
        os.close(reader)
        os.close(writer)
    assert not late


def test_a_second_signal_does_not_leave_the_thread_behind() -> None:
    stuck = threading.Event()
    signals: list[Callable[[], None]] = [
        lambda: signal.raise_signal(signal.SIGALRM),
        lambda: signal.raise_signal(signal.SIGALRM),
        stuck.set,
    ]

    def keep(_: bytes) -> None:
        if not beside():
            return
        while signals:
            signals.pop(0)()
            threading.Event().wait(0.05)
        stuck.wait(60)

    with pytest.raises(Interrupted), interrupted_within(60):
        pour(Pieces([*PIECES]), seen=nothing, kept=keep, passed=nothing, flow=SOON)
    assert stuck.is_set()


def test_a_full_disk_met_by_the_second_thread_is_the_error_of_the_write_and_leaves_no_part(tmp_path: Path) -> None:
    # A limit on the size of files is a full disk that needs no mount; in a process of its own, since it is all of it.
    code = (
        "import resource, signal, sys, threading\n"
        "from ods_provider.core.errors import OdsSinkError\n"
        "from ods_provider.jobs.downloading.pouring import flow_of, pour\n"
        "from ods_provider.sinks.destination import destination\n"
        "from ods_provider.sinks.writer import FileWriter\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))\n"
        "class Endless:\n"
        "    def read(self, size): return b'x' * 100_000\n"
        "nothing = lambda _: None\n"
        "try:\n"
        "    with FileWriter(destination(sys.argv[1]), token='t') as writer:\n"
        "        pour(Endless(), seen=nothing, kept=writer.write, passed=nothing, flow=flow_of(1))\n"
        "except OdsSinkError as error:\n"
        "    print(error.transient, threading.active_count(), error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.csv")], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("False "), ran.stdout
    assert " 1 the destination failed: OSError: File too large" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def _large(rows: int = 60_000) -> tuple[bytes, list[Play]]:
    whole = b"a,b\r\n" + b"".join(b'%d,"%s"\r\n' % (number, b"y" * 60) for number in range(rows))
    dataset = {"dataset_id": "d", "fields": [], "metas": {"default": {"records_count": rows}}}
    return whole, [answer(json.dumps(body).encode()) for body in (dataset, {"total_count": rows, "results": []})]


@pytest.mark.parametrize("encoded", [True, False])
def test_a_large_export_that_is_cut_is_fetched_again_and_lands_whole(
    make_lab: Callable[..., Lab], out: Path, encoded: bool
) -> None:
    whole, state = _large()
    body = gzip.compress(whole, 1) if encoded else whole
    head = ["200 OK", "Content-Type: text/csv", *(["Content-Encoding: gzip"] if encoded else [])]
    cut = answer(body[: len(body) * 2 // 3], *head, length=False)
    with replay(*state, cut, answer(body, *head), *state) as server:
        done = make_lab(server.url).done(DownloadJob("d", out / "a.csv", format_named("csv")))
    assert done["rows"] == 60_000
    assert (out / "a.csv").read_bytes() == whole
    assert done["sha256"] == hashlib.sha256(whole).hexdigest()
    assert done["size_bytes"] == len(whole)
    assert [path.name for path in out.iterdir()] == ["a.csv"]
