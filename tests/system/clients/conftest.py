"""Clients that others wrote, each in an environment of its own: what one needs must not meet what another needs.

A program beside this file makes the main calls of one client against the portal whose address it is given, and prints
what it got as JSON. A client of another publisher is one more program and one more line in ``PYTHON``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from debian import install
from tls_front import tls_front

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(__file__).parent / "programs"
# The version that was tried last: a newer one may ask what no portal answers.
PYTHON = {
    "odsclient": ["odsclient==0.8.4"],
    "ukpyn": ["ukpyn==1.4.3"],
    "portalkit": ["portalkit==0.1.1"],
    "ods_utils": ["ods-utils-py==0.2.6"],
    "huwise_utils": ["httpx", "pydantic", "rich>=14.3.2"],
}
# These say that they need a newer Python than the oldest of ours, and run with it: without what they require, which is
# above as this Python can have it.
NEWER = {"huwise_utils": ["huwise-utils-py==1.5.1"]}
# These speak https only.
SECURE = {"ods_utils", "huwise_utils"}
NODE = {"api_client": ["@opendatasoft/api-client@21.8.1"]}


def _run(command: list[str | Path], **how: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **how)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _python(name: str, home: Path) -> list[str | Path]:
    uv = shutil.which("uv", path=f"{os.environ['PATH']}:{ROOT / '.tools' / 'bin'}")
    assert uv, "uv makes the environments: run `make venv`, which brings it"
    _run([uv, "venv", "--quiet", "--python", sys.executable, home])
    install_with = [uv, "pip", "install", "--quiet", "--python", home / "bin" / "python"]
    _run([*install_with, *PYTHON[name]])
    if name in NEWER:
        _run([*install_with, "--no-deps", "--python-version", "3.14", *NEWER[name]])
    return [home / "bin" / "python", PROGRAMS / f"{name}.py"]


def _node(name: str, home: Path) -> list[str | Path]:
    if not (shutil.which("node") and shutil.which("npm")):
        install("nodejs", "npm")
    home.mkdir()
    # A module is looked up from where its user lies.
    program = shutil.copy(PROGRAMS / f"{name}.mjs", home)
    (home / "package.json").write_text("{}")
    _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", *NODE[name]], cwd=home)
    return ["node", program]


@pytest.fixture(scope="session")
def _made() -> dict[str, list[str | Path]]:
    return {}


@pytest.fixture
def calls(
    ods_portal: Any, _made: dict[str, list[str | Path]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """Run a client's program against the portal and return what it says it got."""

    def run(name: str) -> Any:
        if name not in _made:
            make = _python if name in PYTHON else _node
            _made[name] = make(name, tmp_path_factory.mktemp("clients") / name)
        # None of the keys and proxies of whoever runs the tests.
        environ = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
        home = tmp_path_factory.mktemp("home")
        environ["HOME"] = str(home)
        with ExitStack() as stack:
            url = ods_portal.url
            if name in SECURE:
                front = stack.enter_context(tls_front(ods_portal.port, home / "ca.pem"))
                url = front.url
                environ |= {"REQUESTS_CA_BUNDLE": str(front.authority), "SSL_CERT_FILE": str(front.authority)}
            arguments = [url, ods_portal.api_key, ods_portal.push_key]
            return json.loads(_run([*_made[name], *arguments], env=environ, cwd=home))

    return run
