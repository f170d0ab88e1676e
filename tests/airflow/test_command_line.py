"""``airflow ods …`` is ``ods …`` with Airflow's connection."""

from __future__ import annotations

import json
import warnings

import pytest

from ods_provider.cli.connecting import connect
from ods_provider.cli.settings import Settings
from ods_provider.plugins.manager import Plugins


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
    assert "Usage: airflow ods download [OPTIONS] DATASET [PATH]" in capsys.readouterr().out


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


NAMED = """
from airflow.sdk import DAG, Asset, AssetWatcher

from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor
from ods_provider.triggers.dataset import OdsDatasetEventTrigger

print("DAG files may print")


def watched(dataset_id, source="catalog"):
    seen = OdsDatasetEventTrigger(dataset_id=dataset_id, source=source)
    return Asset(f"ods://here/{dataset_id}", watchers=[AssetWatcher(f"sees {dataset_id}", trigger=seen)])


with DAG("city", schedule=(watched("world-capitalz") | watched("ods-api-monitoring", "monitoring"))):
    OdsDownloadOperator(task_id="right", dataset_id="world-capitals", path="x.csv")
    OdsDownloadOperator(task_id="made", dataset_id="{{ params.which }}", path="x.csv")
    OdsDownloadOperator(task_id="elsewhere", dataset_id="world-capitals", path="x.csv", ods_conn_id="nowhere")
    OdsDownloadOperator.partial(task_id="mapped", dataset_id="live-reading").expand(path=["x.csv"])
    OdsDatasetUpdateSensor(task_id="waits", dataset_id="no-such-thing-at-all")
"""


@pytest.mark.at_length
def test_dag_files_are_held_against_the_portals_they_name(parser, tmp_path, ods_portal, capsys, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "city.py").write_text(NAMED)
    (tmp_path / "dags" / "broken.py").write_text("import airflow  # dag\nimport no_such_package\n")
    assert run(parser, "check", "--json", "dags") == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = {line["check"]: (line["ok"], line["said"]) for line in told}
    portal = ods_portal.url
    assert said["city, watcher sees world-capitalz"] == (
        False,
        f"{portal} has no dataset 'world-capitalz'. Perhaps 'world-capitals' is meant",
    )
    assert said["city, watcher sees ods-api-monitoring"] == (True, f"ods-api-monitoring is on {portal}")
    assert said["city.right"] == (True, f"world-capitals is on {portal}")
    assert said["city.mapped"] == (
        False,
        f"{portal} has no dataset 'live-reading'. Perhaps 'live-readings' is meant",
    )
    assert said["city.waits"][1].endswith("Check its id, and what the key may see")
    assert "nowhere" in said["city.elsewhere"][1] and not said["city.elsewhere"][0]
    assert "no_such_package" in said["dags/broken.py"][1]
    assert len(said) == 7
    assert sum(entry.status == 200 for entry in ods_portal.requests) == 2  # one for each source


@pytest.mark.at_length
def test_a_folder_without_datasets_says_so(parser, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    (tmp_path / "dags").mkdir()
    assert run(parser, "check", "dags") == 0
    assert "no DAG here names a dataset" in capsys.readouterr().out


def test_any_connection_of_airflow_s_can_be_named(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CITY", "ods://:s3cret-0f-a-connection@city.example.org")
    made = connect(Settings(airflow_conn="city"), Plugins(), lambda text: None)
    assert (made.host, made.api_key.reveal()) == ("city.example.org", "s3cret-0f-a-connection")
