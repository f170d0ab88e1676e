"""Every row of the coverage table is called over a socket, and the portal has seen what it says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from coverage_automation import AUTOMATION
from coverage_rows import ROWS as READING
from coverage_rows import SIGNINGS, V21, Row, Signing

from ods_provider import OdsClient
from ods_provider.core.connection import from_parts
from ods_provider.testing.portal import LocalPortal

ROOT = Path(__file__).resolve().parents[2]
ROWS = (*READING, *AUTOMATION)
# Served so that a client may stumble over it, or another spelling of what has a row.
ELSEWHERE = (
    "/api/v2",
    "/api/explore/v2.0",
    "/aggregates",
    "/query",
    "boundingbox",
    "/catalog/datasets/{dataset_id}/alternative_exports",
    "/files/{file_id}/download",
    "/monitoring/datasets/{dataset_id}/files",
    "/monitoring/datasets/{dataset_id}/attachments/",
    "/monitoring/datasets/{dataset_id}/alternative_exports",
    "/apikeys/{key_uid}",
)


@pytest.fixture(scope="module")
def portal() -> Any:
    with LocalPortal() as made:
        yield made


def _name(row: Row) -> str:
    return f"{row.endpoint} {row.parameter} {row.client}"


def _pattern(endpoint: str) -> re.Pattern[str]:
    path = endpoint.partition(" ")[2]
    path = (path if path.startswith("/api/") else V21 + path).rstrip("/")
    return re.compile(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path)) + r"/?\Z")


@pytest.mark.at_length(but=40)
@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_the_portal_sees_what_the_row_says(row, portal):
    portal.reset()
    with OdsClient(portal.url, api_key=portal.api_key, push_api_key=portal.push_key) as client:
        row.call(client)
    method, pattern = row.endpoint.partition(" ")[0], _pattern(row.endpoint)
    seen = [entry for entry in portal.requests if entry.method == method and pattern.match(entry.path)]
    assert seen, [entry.path for entry in portal.requests]
    assert all(entry.status < 300 for entry in seen)
    # "group_by=range()" asks for a call of that name inside the parameter.
    name, _, call = row.parameter.partition("=")
    if name:
        values = [value for entry in seen for value in parse_qs(entry.query, keep_blank_values=True).get(name, [])]
        assert any(call.rstrip(")") in value for value in values), [entry.query for entry in seen]


@pytest.mark.parametrize("signing", SIGNINGS, ids=lambda signing: signing.logged or "anonymous")
def test_the_portal_sees_who_asks(signing: Signing, portal, tmp_path, monkeypatch):
    monkeypatch.setenv("ODS_TOKEN_STORE", str(tmp_path))
    portal.reset()
    with OdsClient(from_parts(host=portal.url, **signing.parts(portal))) as client:
        signing.call(client)
    calls = [entry for entry in portal.requests if entry.path.startswith("/api/")]
    assert {(entry.auth, entry.status) for entry in calls} == {(signing.logged, 200)}
    tokens = [entry.path for entry in portal.requests if entry not in calls]
    assert tokens == (["/oauth2/token/"] if signing.logged == "bearer" else [])


@cache
def _operators() -> dict[str, set[str]]:
    """Return the arguments of every operator by its name."""
    found = {}
    for path in (ROOT / "ods_provider" / "operators").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                inits = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
                found[node.name] = {arg.arg for init in inits for arg in init.args.kwonlyargs}
    return found


@pytest.mark.parametrize("name", sorted({row.operator for row in ROWS if row.operator}))
def test_the_operator_has_that_argument(name):
    class_name, _, argument = name.partition(".")
    assert class_name in _operators()
    assert not argument or argument in _operators()[class_name]


def test_the_client_has_these_methods():
    client = OdsClient("127.0.0.1")
    for name in sorted({row.client for row in ROWS}):
        assert callable(attrgetter(name.partition("(")[0])(client)), name


def test_every_route_of_the_portal_for_data_has_a_row():
    """What the portal serves and no row reaches is either out of scope or forgotten."""
    with LocalPortal() as made:
        paths = {path for path in made.paths if path.startswith("/api/")}
    known = [_pattern(row.endpoint) for row in ROWS]
    unreached = set()
    for path in paths:
        sample = re.sub(r"\{\w+(?::int)?\}", "300", path)
        if not any(one.match(sample) for one in known) and not any(part in path for part in ELSEWHERE):
            unreached.add(path)
    assert not unreached


def test_the_page_is_made_of_these_rows():
    command = [sys.executable, ROOT / "docs" / "tools" / "coverage.py", "--check"]
    assert subprocess.run(command, check=False).returncode == 0, "run: python docs/tools/coverage.py"
