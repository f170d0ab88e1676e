"""Airflow's own commands find the provider, and a configuration file of Airflow's own is told from a person's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from airflow_commands import COMMANDS, run
from packaging.version import Version

from ods_provider.testing.portal import LocalPortal


def test_airflows_own_commands_list_the_provider_and_test_the_connection_both_ways(tmp_path: Path) -> None:
    with LocalPortal(api_key="command-key-73") as portal:
        test = ["connections", "test", "portal"]
        wrong = f"ods://:wrong-key-74@{portal.netloc}"
        commands = [(portal.airflow_uri, test), (wrong, test), ("", ["providers", "list", "-o", "plain"])]
        done = run("-c", COMMANDS, json.dumps(commands), home=tmp_path)
    assert done.returncode == 0, done.stderr
    good, bad, listed = done.stdout.split("---")[:3]
    assert "Connection success!" in good
    assert "exit code 0" in good
    assert "The provided API key is not valid" in bad
    # Before 3.3 Airflow's command said that it failed, and ended as if it had not.
    assert f"exit code {int(Version(version('apache-airflow')) >= Version('3.3'))}" in bad
    assert "ods-provider" in listed
    assert "key-7" not in done.stdout + done.stderr


@pytest.mark.parametrize("written_by", ["airflow", "a person"])
def test_only_an_airflow_cfg_that_a_person_wrote_is_a_choice(written_by: str, tmp_path: Path) -> None:
    from airflow.sdk.configuration import conf

    shown = conf.as_dict(display_source=True, display_sensitive=True, raw=True, include_cmds=False)["operators"]
    shipped = {name: value for name, (value, _) in shown.items()}
    options = shipped if written_by == "airflow" else {"default_deferrable": "false"}
    lines = [f"{name} = {value}" for name, value in options.items()]
    (tmp_path / "airflow.cfg").write_text("\n".join(["[operators]", *lines]))
    code = "from ods_provider.airflow.policy import deferrable_by_default as asked; print(asked())"
    environ = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(written_by == "airflow")
