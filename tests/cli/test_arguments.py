"""Commands take what the builders take, and say what is wrong in the words of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from faces import Ran, SameEverywhere, faced, pytest_generate_tests, signature_of
from inputs import Case

from ods_provider.cli import main
from ods_provider.cli.wording import words_of
from ods_provider.errors import OdsConfigError
from ods_provider.jobs import arguments
from ods_provider.testing.portal import LocalPortal

__all__ = ["faced", "pytest_generate_tests"]

COMMANDS = {
    "search": "records",
    "analysis": "analyze",
    "download": "download",
    "harvest": "harvest",
    "load": "load",
    "media": "media",
    "metadata": "metadata set",
    "publish": "publish",
    "publish_file": "publish-file",
    "push": "push",
    "sync": "sync",
    "visibility": "visibility",
    "watch": "watch",
}
# What the command line has no option for: it speaks the newer API, and rows go to a screen or a file.
UNSAID = frozenset({"v1", "max_xcom_bytes", "records", "action", "part"})
# Records to delete by their ids belong to `ods delete`.
# An order is always followed, by the same command at last.
ELSEWHERE = {"push": {"record_id"}, "publish": {"wait"}}


def command(name: str) -> click.Command:
    found: click.Command = main
    for word in name.split():
        assert isinstance(found, click.Group)
        below = found.get_command(click.Context(found), word)
        assert below is not None
        found = below
    return found


def _is_flag(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and param.is_flag


class TestCommands(SameEverywhere):
    """Commands in this process, with results as JSON."""

    unsaid = UNSAID

    @classmethod
    def cases(cls) -> list[Case]:
        """Leave out what a flag cannot say: it is there, or it is not."""
        flags = {param.name for job in cls.jobs for param in command(COMMANDS[job]).params if _is_flag(param)}
        return [case for case in super().cases() if case.refused is None or not flags & set(case.given)]

    def words(self, job: str) -> Mapping[str, str]:
        return words_of(command(COMMANDS[job]))

    def run(self, job: str, given: dict[str, Any], portal: LocalPortal, folder: Path) -> Ran:
        name = COMMANDS[job]
        if job == "search" and given["dataset_id"] is None:
            name = "datasets"
        env = {
            "ODS_HOST": portal.url,
            "ODS_API_KEY": portal.api_key,
            "ODS_PUSH_API_KEY": portal.push_key,
            "XDG_STATE_HOME": str(folder / "state"),
            "ODS_CONFIG": "",
        }
        more = {"watch": ["--since", "", "--once"], "visibility": ["--yes"]}
        once = more.get(job, [])
        done = CliRunner().invoke(main, [*name.split(), "--json", *typed(command(name), given), *once], env=env)
        if done.exit_code == 2:
            raise OdsConfigError(done.stderr.removeprefix("Error: "))
        assert done.exit_code == 0, done.output
        values = [json.loads(line) for line in done.stdout.splitlines()]
        if len(values) == 1 and isinstance(values[0], dict) and "sha256" in values[0]:
            return Ran(values[0]["files"] if values[0].get("files") is not None else values[0]["rows"])
        return Ran(len(values))


def typed(of: click.Command, given: Mapping[str, Any]) -> list[str]:
    """Return arguments as the words of a command line."""
    words: list[str] = []
    for param in of.params:
        if param.name not in given or given[param.name] is None:
            continue
        value = given[param.name]
        if isinstance(param, click.Argument) and isinstance(value, Mapping):
            words += [f"{key}={each if isinstance(each, str) else json.dumps(each)}" for key, each in value.items()]
        elif isinstance(param, click.Argument):
            words += ["--", value] if value.startswith("-") else [value]
        elif isinstance(param, click.Option) and param.is_flag:
            words += [param.opts[0]] if value and value != "False" else []
        elif isinstance(value, Mapping):
            sign = ":" if param.metavar == "FACET:VALUE" else "="
            words += [word for key, each in value.items() for word in (param.opts[0], f"{key}{sign}{each}")]
        else:
            words += [param.opts[0], str(value)]
    return words


# What belongs to the command and not to the job: how it waits, what it shows, and how a cluster is spelled here.
OWN = {
    "as_csv",
    "wait",
    "now",
    "every",
    "zoom",
    "radius",
    "once",
    "look",
    "no_wait",
    "metadata_only",
    "unpublish",
    "yes",
    "file",
}


@pytest.mark.parametrize("job", COMMANDS)
def test_a_command_takes_what_the_builder_takes(job: str) -> None:
    built = signature_of(getattr(arguments, f"{job}_job"))
    params = {param.name: param for param in command(COMMANDS[job]).params if param.expose_value}
    assert set(params) - OWN == set(built) - UNSAID - ELSEWHERE.get(job, set())
    for name, param in params.items():
        if isinstance(param, click.Option) and name not in OWN and type(built[name]) in (str, int, float):
            assert str(param.default) == str(int(built[name]) if isinstance(built[name], float) else built[name])


def test_an_error_of_a_job_at_work_speaks_of_options_too(ods: Callable[..., Any]) -> None:
    told = ods("media", "landmark-photos", "there", "--kind", "files", "--field", "title")
    assert (told.code, "(--field, dataset landmark-photos)" in told.err) == (2, True)
    asked = ods("analyze", "world-capitals", "--select", "count(*)", "--facet", "country_code")
    assert "(--select, --group-by, --geo-cluster, --facet)" in asked.err
