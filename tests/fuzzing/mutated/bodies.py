"""Bodies that are cut, damaged, swapped, inflated, or sent by somebody else."""

from __future__ import annotations

import gzip
import json

from fuzzing.mutated.mutations import Scene, changed, document, is_read, mutation, pick
from fuzzing.mutated.wire import Answer

BOMB_BYTES = 70_000_000
_BOMBS: dict[bytes, bytes] = {}
_PAGES = (
    b"<!DOCTYPE html><html><head><title>Log in</title></head><body><form action=/login><input type=password></form>",
    b"<html><body>It works!</body></html>",
    b"  \r\n<HTML>maintenance",
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    b"upstream connect error or disconnect/reset before headers",
)
_ENVELOPES = (
    {
        "nhits": 1,
        "parameters": {"dataset": "x", "rows": 10, "start": 0},
        "records": [{"datasetid": "x", "recordid": "r"}],
    },
    {"error_code": "ODSQLError", "message": "ODSQL query is malformed: \u001b[2J" + "x" * 5000},
    {
        "errorcode": 10002,
        "reset_time": "2026-08-18T00:00:00Z",
        "limit_time_unit": "day",
        "call_limit": 5,
        "error": "no",
    },
    {"error": {"code": 404, "message": "no such thing", "status": "NOT_FOUND"}},
    {"data": [], "meta": {"page": 1}},
    {"jsonrpc": "2.0", "id": 1, "result": None},
    {"success": True, "result": {"resource_id": "x", "records": [], "total": 0}},
    {"type": "FeatureCollection", "features": []},
    {"message": 5, "error_code": ["x"]},
    {"@odata.context": "x", "value": [{"a": 1}]},
)


def _type(answer: Answer, kind: str) -> None:
    answer.headers = [*answer.without("content-type"), ("Content-Type", kind)]


@mutation(3)
def closed_early(answer: Answer, scene: Scene) -> bool:
    answer.most_bytes = scene.chance.randint(0, max(0, len(answer.body) - 1))
    answer.length = pick(scene, "right", "chunked")
    return True


@mutation(2)
def cut_and_none_the_wiser(answer: Answer, scene: Scene) -> bool | None:
    if not answer.body:
        return None
    visible = changed(answer, scene)
    answer.body = answer.body[: scene.chance.randint(0, len(answer.body) - 1)]
    answer.length = pick(scene, "right", "none", "chunked")
    return visible


@mutation()
def emptied(answer: Answer, scene: Scene) -> bool:
    visible = changed(answer, scene)
    answer.body = pick(scene, b"", b" ", b"\n\n", b"\xef\xbb\xbf", b"\0")
    return visible


@mutation()
def doubled(answer: Answer, scene: Scene) -> bool:
    # A Parquet file or an archive is read from its end, and may have anything before its beginning.
    visible = changed(answer, scene) and answer.body[:2] not in (b"PA", b"PK")
    answer.body *= 2
    return visible


@mutation(2)
def bytes_flipped(answer: Answer, scene: Scene) -> bool | None:
    if not answer.body:
        return None
    body = bytearray(answer.body)
    for _ in range(scene.chance.choice((1, 1, 3, 30))):
        body[scene.chance.randrange(len(body))] = scene.chance.randrange(256)
    answer.body = bytes(body)
    return False


@mutation()
def garbage_inside(answer: Answer, scene: Scene) -> bool:
    place = scene.chance.randint(0, len(answer.body))
    garbage = pick(
        scene, b"\0" * 9, b"\xff\xfe", b"<html>", b"}]}]}", b"\xed\xa0\x80", b'"', b",,", b"\r\n", b"[" * 5000
    )
    answer.body = answer.body[:place] + garbage + answer.body[place:]
    return False


@mutation()
def a_mark_before(answer: Answer, scene: Scene) -> bool:
    visible = is_read(answer, scene)
    answer.body = pick(scene, b"\xef\xbb\xbf", b"\xff\xfe", b" " * 100_000, b"\n", b")]}',\n") + answer.body
    return visible


@mutation(0.5)
def another_encoding(answer: Answer, scene: Scene) -> bool | None:
    try:
        text = answer.body.decode()
    except UnicodeDecodeError:
        return None
    answer.body = text.encode(pick(scene, "utf-16", "utf-32", "utf-8-sig", "cp037"), "replace")
    return False


@mutation(2)
def compressed(answer: Answer, scene: Scene) -> bool | None:
    if not scene.asked.zips or answer.header("content-encoding"):
        return None
    answer.headers = [*answer.without("content-encoding"), ("Content-Encoding", pick(scene, "gzip", "x-gzip", "GZIP"))]
    packed = bytearray(gzip.compress(answer.body, 1, mtime=0))
    how = pick(scene, "whole", "cut", "flipped", "trailing", "two", "checksum")
    if how == "cut":
        del packed[scene.chance.randrange(len(packed)) :]
    elif how == "flipped":
        packed[scene.chance.randrange(len(packed))] ^= 1 << scene.chance.randrange(8)
    elif how == "trailing":
        packed += pick(scene, b"x", b"\0" * 50, b"\x1f\x8b")
    elif how == "two":
        middle = len(answer.body) // 2
        packed = bytearray(
            gzip.compress(answer.body[:middle], 1, mtime=0) + gzip.compress(answer.body[middle:], 1, mtime=0)
        )
    elif how == "checksum":
        packed[-6] ^= 255
    answer.body = bytes(packed)
    return True


@mutation(0.15)
def a_bomb(answer: Answer, scene: Scene) -> bool | None:
    if not scene.asked.zips:
        return None
    filler = pick(scene, b" ", b"[", b"0", b'{"a":')
    if filler not in _BOMBS:
        _BOMBS[filler] = gzip.compress(filler * (BOMB_BYTES // len(filler)), 1, mtime=0)
    answer.body = _BOMBS[filler]
    answer.headers = [*answer.without("content-encoding"), ("Content-Encoding", "gzip")]
    return is_read(answer, scene)


@mutation(2)
def a_page_in_its_place(answer: Answer, scene: Scene) -> bool:
    # Bytes of a file are for their reader to judge, unless they come as what they are not.
    answer.body = pick(scene, *_PAGES)
    _type(answer, pick(scene, "text/html", "text/html; charset=utf-8", answer.header("content-type") or "text/plain"))
    return scene.reads or scene.counts


@mutation(2)
def another_api(answer: Answer, scene: Scene) -> bool:
    answer.body = json.dumps(pick(scene, *_ENVELOPES)).encode()
    _type(answer, "application/json")
    # An envelope of one API is a row of another's, or a description without anything in it.
    return False


@mutation()
def another_answer(answer: Answer, scene: Scene) -> bool | None:
    candidates = [each for each in (*scene.others, *scene.foreign) if each.body != answer.body]
    if not candidates:
        return None
    other = scene.chance.choice(candidates)
    answer.status, answer.reason, answer.body = other.status, other.reason, other.body
    _type(answer, other.header("content-type"))
    return False


@mutation(6)
def a_page_repeated(answer: Answer, scene: Scene) -> bool | None:
    """What one page holds is sent for another one too."""
    if "/records" not in scene.asked.path and "/datasets" not in scene.asked.path:
        return None
    pages = [each for each in scene.others if each.body != answer.body and _results(each) and _results(answer)]
    if not pages:
        return None
    answer.body = scene.chance.choice(pages).body
    return scene.counts and "offset=" in scene.asked.target


def _results(answer: Answer) -> bool:
    found = document(answer.body)
    return isinstance(found, dict) and bool(found.get("results"))


@mutation()
def the_request_sent_back(answer: Answer, scene: Scene) -> bool:
    """Key and all."""
    said = f"{scene.asked.target} {scene.asked.head.decode('latin-1')} {scene.asked.body.decode('latin-1')[:2000]}"
    answer.status = pick(scene, 200, 200, 400, 401, 403, 404, 429, 500, 302)
    answer.headers.append(("Location" if answer.status == 302 else "X-Echo", "/" + said.replace("\r\n", " ")))
    shapes = (
        {"message": said, "error_code": said},
        {"error": said},
        {"results": [said], "total_count": said},
        [said],
        said,
    )
    answer.body = json.dumps(pick(scene, *shapes)).encode()
    if scene.chance.random() < 0.3:
        answer.body = said.encode("latin-1")
    # A list of texts is no list of rows, but may be one of something else.
    return False


@mutation(0.06)
def silence(answer: Answer, scene: Scene) -> bool:
    answer.pause_s = 0.7
    return True
