"""Rows from JSON lines and from an array: whatever the pieces, in time that grows with their length and no faster."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from effort import effort
from fuzzing.files import Pieces

from ods_provider.core import jsonarray, jsonl
from ods_provider.core.errors import OdsTruncated
from ods_provider.core.limits import ROW_BYTES
from ods_provider.core.strictjson import decode, goes_on

BOM = b"\xef\xbb\xbf"
ROWS = [{"é": '😀\n"', "n": -1.5e3}, {"k": [True, False, None, 'x"]}']}, {}]


def lines(stream: Any) -> list[dict[str, Any]]:
    return [row for batch in jsonl.batches(stream, where="x") for row in batch]


def array(stream: Any) -> list[dict[str, Any]]:
    return list(jsonarray.rows(stream, where="x"))


def as_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_array(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(rows).encode()


EITHER = pytest.mark.parametrize(("read", "write"), [(lines, as_lines), (array, as_array)])
Read = Callable[[Any], list[dict[str, Any]]]
Write = Callable[[list[dict[str, Any]]], bytes]


@EITHER
def test_rows_are_the_same_wherever_their_bytes_are_cut_in_two(read: Read, write: Write) -> None:
    body = BOM + write(ROWS)
    for first in range(len(body)):
        for second in range(first, len(body), 7):
            pieces = [body[:first], body[first:second], body[second:]]
            assert read(Pieces([piece for piece in pieces if piece])) == ROWS


def test_blank_lines_are_no_rows() -> None:
    body = b"\r\n\n" + as_lines(ROWS).replace(b"\n", b"\n \n\r\n") + b"  "
    assert lines(Pieces([body])) == ROWS
    assert list(jsonl.batches(Pieces([b"\n\n", b" \r\n"]), where="x")) == []


@pytest.mark.at_length
@EITHER
def test_a_row_of_many_pieces_costs_time_in_proportion_to_its_length(read: Read, write: Write) -> None:
    def cost_s(size: int) -> float:
        body = write([{"text": "x" * size, "numbers": [1.5] * (size // 16)}])
        pieces = [body[at : at + 8_192] for at in range(0, len(body), 8_192)]
        spent = []
        for _ in range(3):
            started = time.thread_time()
            assert len(read(Pieces(list(pieces)))) == 1
            spent.append(time.thread_time() - started)
        return min(spent)

    # Of this thread's own time; sixteen times as much where the cost is linear, 256 times where it is quadratic, and a
    # machine whose caches others fill stays far from either.
    short = effort(250_000, at_length=1_000_000)
    assert cost_s(16 * short) < 64 * max(cost_s(short), 0.001)


@pytest.mark.at_length
@EITHER
def test_a_row_without_an_end_is_refused_before_memory_is_full(read: Read, write: Write) -> None:
    class Endless(Pieces):
        def __init__(self) -> None:
            super().__init__([write([{"text": ""}])[:-3].rstrip(b"}]\n")])
            self.read_bytes = 0

        def read(self, size: int = 262_144) -> bytes:
            piece = super().read(size) or b"x" * 1_048_576
            self.read_bytes += len(piece)
            return piece

    endless = Endless()
    with pytest.raises(OdsTruncated, match="longer than"):
        read(endless)
    assert endless.read_bytes < 5 * ROW_BYTES
    assert endless.closed


@EITHER
@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 400 + ".0"])
def test_a_number_that_json_has_not_is_refused(read: Read, write: Write, number: str) -> None:
    body = write([{"n": "number"}]).replace(b'"number"', number.encode())
    with pytest.raises(OdsTruncated):
        read(Pieces([body]))


def test_an_element_that_is_broken_is_refused_where_it_stands() -> None:
    def endless() -> Iterator[bytes]:
        yield b'[{"a": 1}, {"b": oops, '
        while True:
            yield b'"c": "' + b"x" * 4_096 + b'", '

    class Stream:
        def __init__(self) -> None:
            self.pieces, self.reads = endless(), 0

        def peek(self, size: int) -> bytes:
            return b""

        def read(self, size: int = 262_144) -> bytes:
            self.reads += 1
            return next(self.pieces)

        def close(self) -> None:
            pass

    stream = Stream()
    with pytest.raises(OdsTruncated, match="broken"):
        array(stream)
    assert stream.reads <= 3


@pytest.mark.parametrize("text", ['{"a":', '{"a": "x', '[{"a": tr', "[1, 2", '{"é": "\\ud83', "[1.", "[-", "[1e"])
def test_the_beginning_of_json_is_told_from_what_is_broken(text: str) -> None:
    for body, begun in ((text.encode(), True), (text.encode() + b"]}oops]", False)):
        with pytest.raises(ValueError) as told:
            decode(body)
        assert goes_on(told.value) is (begun or '"x' in text)
