"""Write a stream into a file that is looked at as it passes, and leave it uncommitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ods_provider.core.formats.check import Check, Verified
from ods_provider.core.formats.scratch import Scratch
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.downloading.pouring import Flow, Stream, flow_of, pour
from ods_provider.sinks.destination import Destination, speaking
from ods_provider.sinks.writer import FileWriter


@dataclass(frozen=True, slots=True)
class Copy:
    """What was written and not yet committed."""

    writer: FileWriter
    rows: int | None
    verified: Verified


def write_checked(
    ctx: JobContext,
    stream: Stream,
    place: Destination,
    check: Check,
    expect_end: Callable[[int | None, FileWriter], None] | None = None,
    *,
    total: int | None = None,
) -> Copy:
    """Write a stream to its end and check it; nothing is committed.

    Args:
        ctx: The job's.
        stream: What gives the file's bytes.
        place: Where to write.
        check: Looks at them.
        expect_end: Looks at the number of rows and at what was written, and raises if it is not whole.
        total: How many rows there should be; None where nobody knows.
    """
    writer = FileWriter(place, token=ctx.token)
    spool: Scratch | None = None
    try:
        # A store that cannot be read before it is committed: the check gets a copy on local disk.
        if check.random_access and not writer.readable:
            spool = Scratch()
        _pour(ctx, stream, writer, check, spool, total)
        rows = _finish(check, writer, spool)
        if expect_end is not None:
            expect_end(rows, writer)
    except BaseException:
        writer.discard()
        raise
    finally:
        if spool is not None:
            spool.close()
    return Copy(writer, rows, check.verified)


def _pour(
    ctx: JobContext, stream: Stream, writer: FileWriter, check: Check, spool: Scratch | None, total: int | None
) -> None:
    def kept(piece: bytes) -> None:
        writer.write(piece)
        if spool is not None:
            spool.write(piece)

    def passed(size_bytes: int) -> None:
        ctx.check()
        if check.rows is None or total is None:
            ctx.progress(size_bytes, None, "bytes", size_bytes=size_bytes)
        else:
            ctx.progress(check.rows, total, "rows", size_bytes=size_bytes)

    # An object store sends what it takes, in threads of its own: the caller waits for it, whom a timeout can reach.
    flow = flow_of(ctx.streams) if writer.place.can.renames else Flow(alone_bytes=None)
    pour(stream, seen=check.feed, kept=kept, passed=passed, flow=flow)


def _finish(check: Check, writer: FileWriter, spool: Scratch | None) -> int | None:
    if not check.random_access:
        return check.finish(None)
    if spool is not None:
        return check.finish(spool.read_back())
    with speaking(writer.place, reading=True), writer.read_back() as file:
        return check.finish(file)
