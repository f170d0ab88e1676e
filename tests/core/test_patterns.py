"""No pattern and no reader of foreign text takes more than linear time: each is tried on a long text of the worst."""

import ast
import importlib
import json
import pkgutil
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from effort import effort

import ods_provider

MANY = effort(100_000, at_length=1_000_000)
# Of a processor, which no neighbour takes away: what is linear needs a tenth of a second, what is quadratic a minute.
MOST_CPU_S = 10
ROOT = Path(ods_provider.__file__).parent


def sources() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*.py")):
        if "testing" not in path.relative_to(ROOT).parts:
            yield path


Tried = tuple[str | bytes, int, str]  # a pattern, its flags, and how it is applied


def written() -> tuple[list[Tried], list[str]]:
    """Return the patterns that stand in the calls of ``re``, and the patterns that do not stand there."""
    found: list[Tried] = []
    other: list[str] = []
    for path in sources():
        text = path.read_text()
        if "re." not in text:
            continue
        tree = ast.parse(text)
        named = [node.value for node in ast.walk(tree) if isinstance(node, (ast.Assign, ast.AnnAssign))]
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re") or node.func.attr == "escape":
                continue
            given = node.args[0]
            if not isinstance(given, ast.Constant):
                other.append(ast.unparse(given))
            elif node.func.attr != "compile":
                found.append((given.value, _flags(node), _way(node.func.attr)))
            elif node not in named:
                # Those under a name of their own are found in their modules, with how they are used.
                found.append((given.value, _flags(node), "search"))
    return found, other


def _flags(node: ast.Call) -> int:
    given = [*node.args[1:], *(word.value for word in node.keywords)]
    names = {part.attr for each in given for part in ast.walk(each) if isinstance(part, ast.Attribute)}
    return sum(int(getattr(re, name)) for name in names if isinstance(getattr(re, name, None), re.RegexFlag))


def _way(method: str) -> str:
    # To look everywhere costs what to look at the beginning costs, at each place.
    return method if method in ("match", "fullmatch") else "search"


def compiled() -> list[Tried]:
    """Return the patterns that modules hold under a name, also within a dict or a list, with how they are applied."""
    found: list[Tried] = []
    for module in pkgutil.walk_packages([str(ROOT)], "ods_provider."):
        if ".testing" in module.name or module.name.endswith("__main__"):
            continue
        try:
            # Warnings are errors here, but not those that a scheduler gives while it is imported.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                held = importlib.import_module(module.name)
        except ImportError:  # of a scheduler that is not installed here
            continue
        source = Path(str(held.__file__)).read_text()
        for name, value in vars(held).items():
            several = (
                value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
            )
            for each in several:
                if isinstance(each, re.Pattern):
                    ways = {_way(method) for method in re.findall(rf"\b{name}\.(\w+)\(", source)} & WAYS or {"search"}
                    found += [(each.pattern, each.flags & ~re.UNICODE, way) for way in sorted(ways)]
    return found


WAYS = {"search", "match", "fullmatch"}

# Each text is of one thing, after something that a match may begin with, and before what lets it fail.
_LIMIT = """
import signal
def begin(most_s):
    # Nobody handles this signal, so that the system ends the process within a match too.
    signal.setitimer(signal.ITIMER_PROF, most_s)
"""
_FUZZ = (
    _LIMIT
    + r"""
import json, re, sys
tried, most_s, many = json.load(sys.stdin)
for name, pattern, as_bytes, flags, way in tried:
    print(name, flush=True)
    begin(most_s)
    compiled = re.compile(pattern.encode("latin-1") if as_bytes else pattern, flags)
    bare = re.sub(r"\\[a-zA-Z]", "", pattern)
    words = sorted(set(re.findall(r"[A-Za-z0-9]{2,}", bare)), key=len)[:4]
    signs = [sign for sign in sorted(set(re.sub(r"[A-Za-z0-9]", "", bare)) | set(" \n.")) if sign not in "[]^$|?*+{}"]
    pumps = ["a", *signs[:8], *words, "a.", "a://", *(words[:1] and [words[0] + " "])]
    for pump in pumps:
        for prefix, length in [("", many), (".", many // 4)]:
            text = prefix + pump * (length // len(pump)) + "\x00!"
            getattr(compiled, way)(text.encode("latin-1", "replace") if as_bytes else text)
print("linear")
"""
)


def fuzz(patterns: Mapping[str, Tried], *, most_cpu_s: float) -> str:
    """Try patterns in one process; return ``linear``, or the name of the first that takes more than its time."""
    tried = [
        (name, pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern, isinstance(pattern, bytes), *how)
        for name, (pattern, *how) in patterns.items()
    ]
    asked = json.dumps([tried, most_cpu_s, MANY])
    ran = subprocess.run([sys.executable, "-c", _FUZZ], input=asked, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, -signal.SIGPROF), ran.stderr
    return ran.stdout.splitlines()[-1]


@pytest.mark.at_length
def test_the_patterns_are_found_and_those_that_are_made_at_work_are_known() -> None:
    found, made = written()
    assert len([*found, *compiled()]) > 20
    # Of names of ours (held by a module, so tried as well), of the letters of a secret, of words, of names of ours.
    assert len(made) == 8, made


@pytest.mark.at_length
def test_a_pattern_takes_linear_time() -> None:
    every = {f"{way} {pattern!r:.60}": (pattern, flags, way) for pattern, flags, way in [*written()[0], *compiled()]}
    assert fuzz(every, most_cpu_s=MOST_CPU_S) == "linear"


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s\"']*@",
        rb"\A\s*(?:\xef\xbb\xbf)?\s*<(?:html|body)\b",
        r"[._][a-z]*json[a-z]*\Z",
        r"(a+)+b",
    ],
)
def test_a_pattern_that_is_not_linear_is_found_out(pattern: str | bytes) -> None:
    assert fuzz({"fine": ("a", 0, "search"), "this one": (pattern, 0, "search")}, most_cpu_s=0.25) == "this one"


_READ = (
    _LIMIT
    + """
import json, sys
from datetime import UTC, datetime
from ods_provider.core.errors import OdsError
from ods_provider.core.facets import Facet
from ods_provider.core.legible import legible, legible_json
from ods_provider.core.narrate import narrate, summary
from ods_provider.core.events import RequestSent
from ods_provider.core.quota import read_quota
from ods_provider.core.redact import Secret, scrub
from ods_provider.core.times import http_date, parse_reset, parse_time
from ods_provider.core.verdict import check
from ods_provider.core.wire import Headers, Request, Response

NOW = datetime(2026, 1, 1, tzinfo=UTC)
text = sys.stdin.read()
begin(MOST_CPU_S)

def tried(function, *given, **named):
    try:
        return function(*given, **named)
    except OdsError as error:
        assert len(str(error)) < 10_000, len(str(error))

for secrets in ((), (Secret("k3y"), Secret("aaaaaaaa"))):
    scrub(text, secrets)
tried(legible, text), tried(legible_json, text), tried(summary, {"note": text}), tried(parse_time, text)
tried(http_date, text), tried(parse_reset, text, NOW), tried(Facet.of, "facet(" + text), tried(Facet.of, text)
str(OdsError(text, where=text, advice=text))
tried(narrate, RequestSent("GET", text, 200, 1.0))
read_quota(Headers({"x-ratelimit-limit": text, "x-ratelimit-remaining": text, "x-ratelimit-reset": text}), now=NOW)
plain = text.encode()
bodies = [plain, json.dumps({"message": text, "error_code": text}).encode(), b"<html>" + plain]
for status, kind in zip((200, 200, 200, 302, 400, 404, 429), ("api", "export", "file", "api", "token", "api", "api")):
    for body in bodies:
        headers = Headers({"content-type": "text/html", "location": text, "retry-after": text})
        tried(check, Request("/x", kind=kind), Response(status, headers, "https://h/x", body=body), now=NOW)
print("read")
"""
).replace("MOST_CPU_S", str(MOST_CPU_S))


@pytest.mark.at_length(but=2)
@pytest.mark.parametrize("piece", ["a.", " ", "://", "%3F", '{"a":', "\x1b[31m"])
def test_a_long_text_of_anything_is_read_in_linear_time_and_told_in_a_sentence(piece: str) -> None:
    text = piece * (MANY // len(piece))
    ran = subprocess.run([sys.executable, "-c", _READ], input=text, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "read", ran.stderr[-2000:]
