"""``airflow ods …`` is ``ods …`` with Airflow's connection."""

from __future__ import annotations

import warnings

import pytest

pytest.importorskip("airflow.sdk")


@pytest.fixture(scope="module")
def parser():
    # Warnings are errors here, but not those that Airflow's own commands give while they are imported.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.cli.cli_parser import get_parser

        return get_parser()


def run(parser, *arguments):
    args = parser.parse_args(["ods", *arguments])
    with pytest.raises(SystemExit) as end:
        args.func(args)
    return end.value.code


@pytest.fixture(autouse=True)
def connection(monkeypatch, ods_portal, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", ods_portal.airflow_uri)
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("ODS_HOST", raising=False)
    monkeypatch.chdir(tmp_path)


def test_airflow_knows_every_command(parser):
    from ods_provider.airflow.commands import get_cli_commands
    from ods_provider.cli import COMMANDS

    (group,) = get_cli_commands()
    assert group.name == "ods"
    assert [command.name for command in group.subcommands] == sorted(COMMANDS)


def test_options_and_arguments_reach_the_command(parser, capsys, tmp_path, ods_portal):
    assert run(parser, "download", "--json", "world-capitals", "--where", "population > 1000000", "big.csv") == 0
    assert '"path": "' + str(tmp_path / "big.csv") in capsys.readouterr().out
    assert {entry.auth for entry in ods_portal.requests} == {"apikey"}


def test_help_is_the_command_s_own(parser, capsys):
    assert run(parser, "download", "--help") == 0
    assert "Usage: airflow ods download [OPTIONS] DATASET_ID [PATH]" in capsys.readouterr().out


def test_exit_codes_are_the_same(parser, capsys):
    assert run(parser, "download", "nope") == 1
    assert run(parser, "download") == 2
    said = capsys.readouterr()
    assert "demo-key" not in said.out + said.err


def test_another_portal_can_be_named(parser, ods_portal, monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", ods_portal.airflow_uri)
    monkeypatch.setenv("AIRFLOW_CONN_ODS_DEFAULT", "ods://127.0.0.1:1")
    assert run(parser, "quota", "--airflow-conn", "other") == 0
    assert "calls left" in capsys.readouterr().out
