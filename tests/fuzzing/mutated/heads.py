"""Status lines and headers that lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fuzzing.mutated.mutations import Scene, changed, mutation, pick
from fuzzing.mutated.wire import Answer

_CODES = (100, 101, 199, 201, 202, 203, 204, 205, 206, 226, 299, 300, 301, 302, 303, 304, 305, 307, 308, 310, 399, 400)
_CODES += (401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 413, 414, 415, 416, 418, 421, 422, 423, 425, 426, 428)
_CODES += (429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 522, 530, 599, 600, 799, 999)
_TEXTS = (
    "",
    " ",
    "-1",
    "0",
    "1e400",
    "nan",
    "²",
    "9" * 23,
    "9" * 5000,
    "x" * 9000,
    "\x1b[2Jx",
    "é€",
    "null",
    "true",
    "1.5",
)
_MOMENTS = ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 32 Oct 9999999 07:28:00 GMT", "3600", "202401011200", "2026-13-45")
_MOMENTS += ("1787000000", "1787000000000", "2026-08-18 00:00:00+00:00", "0001-01-01T00:00:00+14:00", "-99999999999999")
_QUOTAS = tuple(f"X-RateLimit-{whose}{what}" for whose in ("", "Dataset-") for what in ("Limit", "Remaining", "Reset"))


@mutation(3)
def another_status(answer: Answer, scene: Scene) -> bool:
    answer.status = pick(scene, *_CODES)
    return True


@mutation()
def a_status_line_that_is_none(answer: Answer, scene: Scene) -> bool:
    answer.line = pick(
        scene,
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 " + b"x" * scene.chance.choice((100, 70_000)),
        b"HTTP/1.1 200 \xff\xfe\x1b[2J",
        b"HTTP/1.1  OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 -1 OK",
        b"HTTP/1.1 20x OK",
        b"HTTP/9.9 200 OK",
        b"HTTP/1.0 200 OK",
        b"ICY 200 OK",
        b"",
        b"\x16\x03\x01\x00\x02\x02\x28",
        b"<html>",
    )
    return True


@mutation()
def interim_answers_before(answer: Answer, scene: Scene) -> bool:
    one = pick(
        scene,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 199 x\r\nContent-Length: 5\r\n\r\n",
    )
    answer.first = one * pick(scene, 1, 2, 30, 300)
    return True


@mutation()
def a_refusal_with_a_time_to_come_back(answer: Answer, scene: Scene) -> bool:
    answer.status, answer.reason = pick(
        scene, (429, "Too Many"), (503, "Busy"), (413, "No"), (200, "OK"), (301, "Gone")
    )
    answer.headers.append(("Retry-After", pick(scene, "1", "3600", *_TEXTS, *_MOMENTS)))
    return True


@mutation()
def quotas_forged(answer: Answer, scene: Scene) -> bool:
    soon = datetime.now(UTC) + timedelta(seconds=scene.chance.uniform(-100, 1e6))
    for name in scene.chance.sample(_QUOTAS, scene.chance.randint(1, 4)):
        answer.headers = answer.without(name.lower())
        answer.headers.append((name, pick(scene, soon.isoformat(), "0", "-5", *_TEXTS, *_MOMENTS)))
    if scene.chance.random() < 0.3:
        answer.status = 429
    return True


@mutation()
def a_header_dropped(answer: Answer, scene: Scene) -> bool | None:
    if not answer.headers:
        return None
    answer.headers.remove(scene.chance.choice(answer.headers))
    return True


@mutation()
def a_header_doubled(answer: Answer, scene: Scene) -> bool | None:
    if not answer.headers:
        return None
    name, value = scene.chance.choice(answer.headers)
    answer.headers.append((name, pick(scene, value, *_TEXTS)))
    return True


@mutation(2)
def a_header_forged(answer: Answer, scene: Scene) -> bool:
    name = pick(scene, "Date", "Content-Type", "Content-Encoding", "Link", "ODS-Explore-API-Deprecation", "Set-Cookie")
    types = (
        "text/html",
        "application/octet-stream",
        "text/csv; charset=utf-16",
        "application/json; charset=x",
        "image/png",
    )
    special = {
        "Content-Type": types,
        "Content-Encoding": (
            "gzip",
            "deflate",
            "br",
            "zstd",
            "identity",
            "gzip, gzip",
            "x",
            "gzip, identity",
            "compress",
        ),
        "Link": ('<x>; rel="deprecation"', "<" * 500),
    }
    answer.headers = answer.without(name.lower())
    answer.headers.append((name, pick(scene, *special.get(name, ()), *_TEXTS, *_MOMENTS)))
    return True


@mutation(0.5)
def headers_by_the_hundred(answer: Answer, scene: Scene) -> bool:
    number = pick(scene, 90, 150, 1000)
    answer.headers += [(f"X-{each}", "y" * scene.chance.choice((1, 300))) for each in range(number)]
    return True


@mutation(0.5)
def a_header_line_that_is_none(answer: Answer, scene: Scene) -> bool:
    answer.headers.insert(
        scene.chance.randint(0, len(answer.headers)),
        pick(
            scene,
            ("", ""),
            (" folded", "x"),
            ("no colon\r\nat all", ""),
            ("X", "a\r\n b"),
            ("x" * 66_000, "y"),
            ("\0", "\0"),
        ),
    )
    # A line that ends the headers, or hides one of those behind it, makes another answer of what follows.
    return False


@mutation(2)
def a_length_that_lies(answer: Answer, scene: Scene) -> bool:
    size, visible = len(answer.body), changed(answer, scene)
    said = pick(scene, size + 1, size * 2 + 5, 10**15, -1, "x", "", "1e3", "+5", f"{size}, {size}", f"{size}, 1", "²")
    answer.length = f"Content-Length: {said}\r\n"
    return visible if said == "+5" else True


@mutation()
def a_length_that_is_too_short(answer: Answer, scene: Scene) -> bool | None:
    if len(answer.body) < 2:
        return None
    visible = changed(answer, scene)
    answer.length = f"Content-Length: {scene.chance.randint(0, len(answer.body) - 1)}\r\n"
    return visible


@mutation()
def two_lengths(answer: Answer, scene: Scene) -> bool:
    size = len(answer.body)
    other = pick(scene, size, size + 7, "x")
    answer.length = f"Content-Length: {size}\r\nContent-Length: {other}\r\n"
    return True


@mutation()
def chunks_that_are_none(answer: Answer, scene: Scene) -> bool:
    forged = "Transfer-Encoding: chunked\r\n" + pick(scene, "", f"Content-Length: {len(answer.body)}\r\n")
    answer.length = forged
    if scene.chance.random() < 0.5:
        size = pick(scene, b"zz", b"-1", b"FFFFFFFFFFFFFFFF", b"5;x=y", b" ", b"%x" % (len(answer.body) + 9))
        answer.body = size + b"\r\n" + answer.body + b"\r\n0\r\n\r\n"
    return answer.body[:4] != b"5;x="


@mutation()
def sent_another_way(answer: Answer, scene: Scene) -> bool:
    answer.length = pick(scene, "none", "chunked", "Transfer-Encoding: identity\r\n")
    return True


@mutation(2)
def a_redirect(answer: Answer, scene: Scene) -> bool:
    answer.status, answer.reason = scene.chance.choice((301, 302, 303, 307, 308, 300, 304, 201)), "Elsewhere"
    to = pick(
        scene,
        scene.asked.target,
        "/",
        "/login/?next=/x",
        "",
        "http://127.0.0.1:1/x",
        "https://[::1",
        "//",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://user:pw@127.0.0.1:1/",
        "http://127.0.0.1:99999/",
        "http://\x1b[2J/",
        "x" * 9000,
        "http://é€\ud800.example/",
        "http://xn--/",
        "..//..//%2e%2e/",
        "?" + "a=b&" * 900,
    )
    answer.headers = [*answer.without("location"), ("Location", to)]
    # Another place of the same portal may hold as good an answer to another question.
    return not to.startswith(("?", ".."))
