"""docs/testing.md is a subject of tests: each of its blocks is run, its tables are the code's."""

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from ods_provider.testing.backoffice.switches import CHOICES, Switches
from ods_provider.testing.faults import KINDS
from ods_provider.testing.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
FILES = {re.search(r"# (\S+\.py)", text)[1]: text for kind, text in BLOCKS if kind == "python"}
CALLS = [line for kind, text in BLOCKS if kind == "console" for line in text.splitlines()]


def table(heading):
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ][2:]


@pytest.mark.at_length
def test_the_python_blocks_pass_as_tests_of_a_stranger(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=240, check=False)
    expected = sum(text.count("def test_") for text in FILES.values())
    assert f"{expected} passed" in done.stdout, done.stdout + done.stderr
    assert expected == 7


@pytest.mark.parametrize("line", CALLS)
def test_each_call_is_answered(ask, line):
    own = [each for each in CALLS if "/mine" in each or "/ours" in each]
    # A dataset of one's own is what the lines above have made of it.
    for each in [*own[: own.index(line)], line] if line in own else [line]:
        url, method, data, headers = _parsed(each)
        answer = ask(url.replace("$PORTAL", ""), method=method, data=data, headers=headers)
        assert answer.status_code == 200, answer.text


def _parsed(line):
    command, *words = shlex.split(line)
    assert command == "curl"
    method, data, headers, url = "GET", None, {}, None
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-d":
            data = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        else:
            url = word
    return url, method, data, headers


def test_every_shell_block_names_a_command_that_there_is():
    for command in [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines()]:
        if command.startswith("ods "):
            said = subprocess.run(
                [Path(sys.executable).with_name("ods"), "portal", "--help"], capture_output=True, text=True, check=True
            ).stdout
            for option in re.findall(r"--[\w-]+", command):
                assert option in said
        else:
            assert command == "pip install 'ods-provider[portal]'"


def test_the_table_of_switches_is_the_code_s():
    rows = re.findall(
        r"^\| `(\w+)` \| `(.*?)` \| (.*) \|$", PAGE.split("### Switches")[1].split("\n## ")[0], re.MULTILINE
    )
    start = {name: json.dumps(value).strip('"') for name, value in asdict(Switches()).items()}
    assert {name: value for name, value, _ in rows} == start
    for name, words in CHOICES.items():
        (told,) = [text for found, _, text in rows if found == name]
        assert [f"`{word}`" in told for word in words] == [True] * len(words)


def test_the_table_of_faults_is_the_code_s():
    told = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in table("Faults")}
    assert told == {kind: set(options) for kind, options in KINDS.items()}


def test_the_table_of_datasets_is_the_code_s():
    store = Store("small", synthetic_rows=3, live_rows=3)
    told = {row[0].strip("`"): row[1] for row in table("Datasets")}
    assert set(told) == {*store.datasets, "doc-geonames-cities-5000"}
    for name in store.datasets:
        assert told[name] in (str(store.count(name)), "as many as asked for")
    store.close()


def test_every_setting_and_method_that_the_page_names_exists(ods_portal):
    for name, arguments in re.findall(r"`(\w+)\(([^)`]*)\)`", PAGE):
        target = type(ods_portal) if name == "LocalPortal" else getattr(ods_portal, name, None)
        if name in ("LocalPortal", "fault", "set_quota", "touch", "clear_faults", "reset"):
            known = inspect.signature(target).parameters
            assert set(re.findall(r"(\w+)=", arguments)) <= set(known), name
