"""Answers of portals that were written down elsewhere, served byte for byte with their status and headers.

They lie outside this repository, in the folder ``ODS_RECORDED`` (else ``shared/recorded`` beside it). Each file is
claimed by exactly one test; where the folder is missing, those tests say that they were not run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import replay as play
from replay import replay

from ods_provider.client import OdsClient
from ods_provider.core.connection import from_parts

FOLDER = Path(os.environ.get("ODS_RECORDED") or Path(__file__).parents[2] / "shared" / "recorded")
OUT_OF_SCOPE = "automation-v1"  # an API that this package does not speak

Check = Callable[[str], None]
CLAIMS: dict[str, Check] = {}


def claims(*names: str) -> Callable[[Check], Check]:
    """Register what is expected of the files called ``names``; the function gets the name."""

    def register(check: Check) -> Check:
        for name in names:
            assert name not in CLAIMS, f"{name} is claimed twice"
            CLAIMS[name] = check
        return check

    return register


@cache
def index() -> dict[str, Any]:
    """What is known of each file; skips the test where there are none."""
    if not (FOLDER / "index.json").is_file():
        pytest.skip(f"not run: the recorded answers are not here ({FOLDER}; ODS_RECORDED names another folder)")
    files = json.loads((FOLDER / "index.json").read_text())["files"]
    return {entry["file"]: entry for entry in files}


def body(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def content(name: str) -> Any:
    return json.loads(body(name))


@contextmanager
def served(name: str, *, times: int = 1, **settings: Any) -> Iterator[OdsClient]:
    """A client of a portal that answers ``times`` with the file."""
    with answering(*[recorded(name)] * times, **settings) as client:
        yield client


@contextmanager
def answering(*answers: play.Play, **settings: Any) -> Iterator[OdsClient]:
    """A client that never tries again, of a portal that gives these answers."""
    with replay(*answers) as server:
        connection = from_parts(host=server.url, extra={"max_retries": 0, "timeout_s": 60} | settings)
        with OdsClient(connection) as client:
            yield client
    assert not server.script, "fewer calls came than there were answers"


def recorded(name: str, *, length: bool = True) -> play.Play:
    """The answer as it was: its status, its headers where they are known, its bytes."""
    entry = index()[name]
    headers = [f"{key}: {value}" for key, value in (entry["headers"] or {}).items()]
    kind = "text/csv" if name.endswith(".csv") else "application/json"
    status = HTTPStatus(entry["status"])
    line = f"{status.value} {status.phrase}"
    return play.answer(body(name), line, f"Content-Type: {kind}; charset=utf-8", *headers, length=length)
