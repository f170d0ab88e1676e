"""docs/plugins.md is a subject of tests: its headings are the code's signatures, its example is a plugin that runs."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import get_args

import pytest
from plugin_site import EXAMPLES, install

from ods_provider import errors
from ods_provider.conformance.work import Ran, Work
from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.events import Event
from ods_provider.core.oauth import TokenStore
from ods_provider.core.outcome import Done, Wait
from ods_provider.jobs import arguments
from ods_provider.plugins import hookspecs
from ods_provider.plugins.manager import known_hooks
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.sinks.abilities import _KNOWN as KNOWN

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text()
EXAMPLE = EXAMPLES / "team-plugin"
SECTIONS = {found[1]: found[2] for found in re.finditer(r"^### (.*?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)}
PROTOCOLS = [
    (protocol, name)
    for protocol in (SchedulerAdapter, CheckpointStore, TokenStore)
    for name, member in vars(protocol).items()
    if (inspect.isfunction(member) or isinstance(member, property)) and not name.startswith("_")
]


def signature(function, *, bound=False) -> str:
    made = inspect.signature(function)
    parameters = list(made.parameters.values())[1 if bound else 0 :]
    return str(made.replace(parameters=parameters)).replace("'", "")


def test_every_hook_has_one_section_and_no_section_is_of_another_hook():
    documented = [heading.partition("(")[0] for heading in SECTIONS if heading.startswith("ods_")]
    assert sorted(documented) == known_hooks()


@pytest.mark.parametrize("hook", known_hooks())
def test_a_hook_is_documented_with_its_exact_signature_and_all_that_an_author_asks(hook):
    function = getattr(hookspecs, hook)
    text = SECTIONS[f"{hook}{signature(function)}"]
    for word in ("Arguments", "When", "An exception", "Since"):
        assert f"- **{word}**: " in text, f"{hook} does not say {word}"
    for name in inspect.signature(function).parameters:
        assert f"`{name}`" in text, f"{hook} does not explain {name}"
    assert "<!-- example: docs/examples/team-plugin/" in text
    observes = "Observes" in (function.__doc__ or "")
    assert observes != bool(function.ods_provider_spec["firstresult"])
    assert ("is logged, and changes nothing" if observes else "ends the run") in text
    since = re.search(r"Since\*\*: (\d+)\.(\d+)", text)
    assert tuple(map(int, since.groups())) <= tuple(map(int, hookspecs.ODS_PLUGIN_API.split(".")))


@pytest.mark.parametrize(("protocol", "name"), PROTOCOLS, ids=lambda each: getattr(each, "__name__", each))
def test_a_method_of_a_protocol_is_documented_with_its_exact_signature(protocol, name):
    member = vars(protocol)[name]
    if isinstance(member, property):
        made = f": {inspect.signature(member.fget).return_annotation}"
    else:
        made = signature(member, bound=True)
    heading = f"{protocol.__name__}.{name}{made}"
    assert "xception ends the" in SECTIONS[heading]


def test_no_section_is_of_a_member_that_no_protocol_has():
    documented = [re.match(r"\w+\.\w+", heading)[0] for heading in SECTIONS if not heading.startswith("ods_")]
    assert sorted(documented) == sorted(f"{protocol.__name__}.{name}" for protocol, name in PROTOCOLS)


def test_the_fields_of_a_run_are_documented():
    text = next(text for heading, text in SECTIONS.items() if heading.startswith("SchedulerAdapter.run"))
    for name in Run.__dataclass_fields__:
        assert f"- `{name}`: " in text


def test_the_page_tells_the_version_of_the_contract_and_the_switches():
    assert f"This contract is version {hookspecs.ODS_PLUGIN_API} " in PAGE
    for switch in ("ODS_PLUGINS", "ODS_PLUGINS_DISABLE", "ODS_PLUGINS_STRICT"):
        assert f"| `{switch}` |" in PAGE


def test_every_hook_is_answered_by_the_example():
    source = (EXAMPLE / "ods_team_plugin.py").read_text()
    assert sorted(re.findall(r"^@hookimpl\ndef (\w+)", source, re.MULTILINE)) == known_hooks()


def rows_of(section: str) -> dict[str, str]:
    """Return the table of a section: what stands in its last column, by what stands in its first."""
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    cells = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {row[0].strip(): " | ".join(row[1:]).strip() for row in cells}


def test_an_event_is_documented_with_its_fields():
    told = rows_of("Events")
    for event in get_args(Event):
        text = told.pop(f"`{event.__name__}`")
        for name in event.__dataclass_fields__:
            assert f"`{name}`" in text, f"{event.__name__} does not explain {name}"
    assert not told


def test_every_job_is_documented_and_none_that_is_not_there():
    told = [name for cell in rows_of("Jobs") for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(told) == sorted(arguments.__all__)


def importable() -> set[tuple[str, str]]:
    """Return the names that the page says plugins stand on."""
    told = rows_of("Imports")
    found = {
        (module.strip("`"), name) for module, names in told.items() for name in re.findall(r"`([A-Za-z_]+)`", names)
    }
    found |= {("ods_provider.core.events", event.__name__) for event in get_args(Event)}
    return found | {("ods_provider.errors", name) for name in errors.__all__}


def test_the_names_that_plugins_stand_on_are_there():
    for module, name in importable():
        assert hasattr(import_module(module), name), f"{module} has no {name}"


WHOLE = sorted(EXAMPLES.glob("*-plugin/*.py"))


@pytest.mark.parametrize("module", WHOLE, ids=lambda path: path.stem)
def test_a_whole_plugin_stands_on_the_names_of_the_page_and_is_named_there(module):
    assert f"(examples/{module.relative_to(EXAMPLES)})" in PAGE
    imported = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("ods_provider")
        for alias in node.names
    }
    assert imported <= importable()


def test_the_fields_of_how_a_run_ends_are_documented():
    for made in (Done, Wait, Work, Ran):
        text = next(line for line in re.split(r"\n(?=- |\n)", PAGE) if re.match(rf"- `{made.__name__}\b", line))
        for name in made.__dataclass_fields__:
            assert re.search(rf"\b{name}\b", text), f"{made.__name__} does not explain {name}"


def test_the_ways_of_a_destination_are_those_of_the_sinks():
    told = [re.findall(r"`(\w+)`", row) for row in re.findall(r"^\| (`[a-z0-9`, ]+`) \| ", PAGE, re.MULTILINE)]
    assert [names for names in told if "file" in names or "s3" in names or "abfs" in names] == [
        ["file"],
        ["s3", "s3a", "gs", "gcs"],
        ["abfs", "abfss", "az", "adl", "oss", "oci"],
    ]
    assert sorted(name for names in told for name in names if name in KNOWN) == sorted(KNOWN)


@pytest.mark.at_length
def test_the_test_of_the_page_runs(tmp_path):
    (block,) = re.findall(r"```python\n# test_my_plugin\.py\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "test_my_plugin.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_plugin.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# The example runs, installed as pip installs it


@pytest.fixture
def team(tmp_path, ods_portal):
    """A folder with the installed distribution, and the environment of a process that uses it."""
    site, home = tmp_path / "site", tmp_path / "home"
    install("team-plugin", site)
    home.mkdir()
    (home / "connections.toml").write_text(f'[city]\nhost = "{ods_portal.url}"\nkey = "{ods_portal.api_key}"\n')
    return {**os.environ, "PYTHONPATH": str(site), "TEAM_HOME": str(home)}


def python(code: str, environ: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SEARCH = """
    import json, sys
    from ods_provider.core.query import Query
    from ods_provider.jobs.runner import run_job
    from ods_provider.jobs.search import SearchJob

    path = sys.argv[1] if sys.argv[1:] else None
    job = SearchJob("world-capitals", Query.of(order_by="geoname_id"), path={path})
    ended = run_job(job, scheduler="make", native="capitals", connection_ref="city")
    print(json.dumps([type(ended).__name__, getattr(ended, "result", None), str(getattr(ended, "until", None))]))
"""


def search(environ, path=None):
    return json.loads(python(SEARCH.replace("{path}", repr(path)), environ).splitlines()[-1])


@pytest.mark.at_length
def test_the_example_brings_a_scheduler_its_connections_destinations_and_metrics(team, ods_portal):
    kind, result, _ = search(team, path="reports:2026/capitals.jsonl")
    home = Path(team["TEAM_HOME"])
    assert kind == "Done"
    assert result["rows"] == len((home / "reports/2026/capitals.jsonl").read_text().splitlines()) == 110
    assert {entry.auth for entry in ods_portal.requests} == {"apikey"}
    metrics = [json.loads(line) for line in (home / "metrics.jsonl").read_text().splitlines()]
    assert [line["status"] for line in metrics[:-1]] == [200] * 4
    assert metrics[-1] == {"run": "make/capitals", "ended": "JobDone"}


@pytest.mark.at_length
def test_the_example_remembers_what_succeeded_last(team, ods_portal):
    code = """
        import json, sys
        from ods_provider.jobs.arguments import download_job
        from ods_provider.jobs.runner import run_job

        for day in (1, 2, 3):
            job = download_job(dataset_id="world-capitals", path=f"reports:{day}.csv", if_unchanged="skip")
            ended = run_job(job, scheduler="make", native=f"day-{day}", connection_ref="city")
            print(json.dumps([ended.skipped, ended.result["path"], ended.result["unchanged"]]))
    """
    (first, path, fetched), *others = [json.loads(line) for line in python(code, team).splitlines()[-3:]]
    assert (first, fetched) == (None, False)
    for skipped, kept, unchanged in others:
        assert skipped.startswith("world-capitals has not changed since")
        assert (kept, unchanged) == (path, True)
    assert sum("/exports/" in entry.path for entry in ods_portal.requests) == 1


@pytest.mark.at_length
def test_the_example_keeps_progress_and_decides_when_to_come_back(team, ods_portal):
    ods_portal.fault("quota", path="/records", skip=1, reset_in_s=3 * 3600)
    kind, _, until = search(team)
    assert kind == "Wait"
    assert 7 <= datetime.fromisoformat(until).hour < 19
    kind, rows, _ = search(team)
    assert (kind, len(rows)) == ("Done", 110)
    # The page before the wait was not asked for again, and the store is empty now.
    assert sum(entry.status == 200 and entry.path.endswith("/records") for entry in ods_portal.requests) == 2
    code = "from ods_team_plugin import *; print(Progress(HOME / 'progress.sqlite', 'make/capitals').load())"
    assert python(code, team).strip() == "{}"


def test_the_example_moves_a_return_at_night_to_the_morning(team):
    sys.path.insert(0, team["PYTHONPATH"])
    try:
        import ods_team_plugin as plugin
    finally:
        sys.path.remove(team["PYTHONPATH"])
    at = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
    assert plugin.ods_wait_policy(Wait(at, "quota")) is None
    for hour, day in ((3, 4), (19, 5), (23, 5)):
        moved = plugin.ods_wait_policy(Wait(at.replace(hour=hour), "quota"))
        assert moved.until == datetime(2026, 5, day, 7, tzinfo=UTC)


def test_the_example_masks_a_new_secret_and_names_a_store_of_tokens(team):
    code = """
        import logging
        from ods_provider.core.connection import from_parts
        from ods_provider.plugins.manager import plugins
        import ods_team_plugin

        extra = {"auth": "oauth2", "client_id": "a", "client_secret": "b", "refresh_token": "the-first-token"}
        connection = from_parts(host="data.example.org", extra=extra)
        store = plugins().token_store(connection, "make")
        print(store.where)
        from ods_provider.core.oauth import Grant
        from ods_provider.core.redact import Secret
        with store.lock():
            store.save(Grant(Secret("a-new-token")))
        record = logging.LogRecord("x", 20, "x", 1, "got %s", ("a-new-token",), None)
        ods_team_plugin.masked.filter(record)
        print(record.getMessage())
        misfit = logging.LogRecord("x", 20, "x", 1, "%d tokens", ("a-new-token",), None)
        ods_team_plugin.masked.filter(misfit)
        print(misfit.getMessage())
    """
    where, *told = python(code, team).splitlines()
    assert where.startswith(f"{team['TEAM_HOME']}/tokens/data.example.org-")
    assert told == [
        "got ***",
        "'%d tokens' ('***',)",
    ]


@pytest.mark.at_length
def test_the_example_is_listed_by_name_and_can_be_left_out(team):
    command = "from ods_provider.cli import main; main(['plugins'])"
    assert "ok      ods-team-plugin:team\n" in python(command, team)
    without = python(command, {**team, "ODS_PLUGINS_DISABLE": "ods-team-plugin:team"})
    assert "ods-team-plugin" not in without
