"""Every body has a bound: bombs cost no memory, and what is too long is said in a sentence."""

import gzip
import json
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path

import pytest
import replay as play
from effort import effort
from replay import Play, replay

from ods_provider.client import OdsClient
from ods_provider.core.bounds import ANSWER_BYTES, REFUSAL_BYTES
from ods_provider.core.errors import OdsError, OdsServerError, OdsUnreachable
from ods_provider.core.wire import Request

BOMB_BYTES = 300 * 1_048_576
ZIPPED = ("Content-Type: application/json", "Content-Encoding: gzip")


@cache
def bomb(size_bytes: int, first: bytes = b'{"results": [') -> bytes:
    """JSON that begins well and goes on with spaces, a thousandth of its size."""
    packer = zlib.compressobj(9, wbits=31)
    spaces = b" " * 1_048_576
    pieces = [packer.compress(first)]
    pieces += [packer.compress(spaces) for _ in range(size_bytes // len(spaces))]
    return b"".join([*pieces, packer.flush()])


@pytest.mark.at_length
def test_a_bomb_in_place_of_an_answer_is_an_error_that_says_so() -> None:
    with (
        replay(play.answer(bomb(ANSWER_BYTES + 2 * 1_048_576), "200 OK", *ZIPPED)) as server,
        OdsClient(server.url) as client,
        pytest.raises(OdsUnreachable, match="larger than 64 MiB") as caught,
    ):
        client.dataset("d")
    assert not caught.value.transient
    assert caught.value.advice


@pytest.mark.parametrize(
    "status",
    effort(["429 Too Many", "302 Found"], at_length=["400 Bad Request", "429 Too Many", "500 Oh", "302 Found"]),
)
def test_a_bomb_in_place_of_an_error_is_that_error(status: str) -> None:
    body = bomb(BOMB_BYTES, b'{"error_code": "E", "message": "')
    with (
        replay(play.answer(body, status, *ZIPPED)) as server,
        OdsClient(server.url, max_retries=0) as client,
        pytest.raises(OdsError) as found,
    ):
        client.dataset("d")
    assert getattr(found.value, "status", None) == int(status[:3])


def test_an_error_within_its_bound_is_read_to_its_end() -> None:
    body = json.dumps({"error_code": "E", "message": "the reason", "detail": "x" * (REFUSAL_BYTES - 1000)}).encode()
    with (
        replay(play.answer(body, "500 Oh")) as server,
        OdsClient(server.url, max_retries=0) as client,
        pytest.raises(OdsServerError, match="the reason"),
    ):
        client.dataset("d")


@pytest.mark.at_length
@pytest.mark.parametrize(("status", "kind"), [("200 OK", "api"), ("500 Oh", "api"), ("200 OK", "export")])
def test_memory_stays_flat_whatever_a_body_inflates_to(status: str, kind: str, tmp_path: Path) -> None:
    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(play.__file__).parent)!r})
from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsError
from ods_provider.core.wire import Request
client = OdsClient(sys.argv[1], max_retries=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
response = client.transport.send(Request("/warm"))
read = 0
try:
    response = client.transport.send(Request("/x", kind={kind!r}))
    while response.stream and (piece := response.stream.read()):
        read += len(piece)
except OdsError as error:
    print(error, file=sys.stderr)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, read)
"""
    body = bomb(BOMB_BYTES)
    with replay(play.answer(), play.answer(body, status, *ZIPPED)) as server:
        ran = subprocess.run(
            [sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=300, check=True
        )
    grown_mib, read = map(int, ran.stdout.split())
    # Twice the bound, since its pieces are put together at the end, and what a client takes at all.
    assert grown_mib < 2 * ANSWER_BYTES / 1_048_576 + 50
    assert read == (0 if kind == "api" else BOMB_BYTES + len(b'{"results": ['))


def many_members(count: int) -> bytes:
    return gzip.compress(b"") * count + gzip.compress(b'{"a": 1}')


@pytest.mark.parametrize(
    "body", [many_members(60_000), gzip.compress(b'{"a": 1}') + b"\0" * 1_048_576], ids=["members", "padding"]
)
def test_empty_members_and_padding_cost_linear_time(body: bytes) -> None:
    with replay(play.answer(body, "200 OK", *ZIPPED)) as server, OdsClient(server.url) as client:
        assert client.transport.send(Request("/x")).json() == {"a": 1}


def _page(body: bytes) -> Play:
    return play.answer(body, "200 OK", "Content-Type: application/json; charset=utf-8")


def test_json_with_a_byte_order_mark_is_json() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"total_count": 1, "results": [{"dataset_id": "d"}]}).encode()
    with replay(_page(body)) as server, OdsClient(server.url) as client:
        assert client.transport.send(Request("/x")).json()["total_count"] == 1
    with (
        replay(_page(b"\xef\xbb\xbf" + b'{"dataset_id": "d", "fields": []}')) as server,
        OdsClient(server.url) as client,
    ):
        assert client.dataset("d").dataset_id == "d"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"total_count":' * 100_000,
        b'{"total_count": 1e400, "results": []}',
        b'{"total_count": NaN, "results": []}',
        b'{"total_count": ' + b"9" * 5000 + b', "results": []}',
        b'{"total_count": "many", "results": []}',
    ],
    ids=["arrays", "objects", "1e400", "NaN", "digits", "text"],
)
@pytest.mark.parametrize("api", ["explore", "v1"])
def test_json_that_nothing_can_hold_is_an_error_of_ours(body: bytes, api: str) -> None:
    body = body.replace(b"total_count", b"nhits") if api == "v1" else body
    with replay(_page(body)) as server, OdsClient(server.url, max_retries=0) as client, pytest.raises(OdsError):
        _ = client.count("d") if api == "explore" else client.v1.download("d")
