"""The component under the real ``dg``: found, scaffolded, checked, listed and launched in a project of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from city import write_city

_BIN = Path(sys.executable).parent
TYPE = "ods_provider.dagster.OdsPortalComponent"


@pytest.fixture
def project(tmp_path):
    return write_city(tmp_path / "project")


@pytest.fixture
def dg(project, portal, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    environ = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "ODS_HOST": portal.netloc,
        "ODS_API_KEY": portal.api_key,
        "PYTHONPATH": str(project / "src"),
        "VIRTUAL_ENV": str(_BIN.parent),
        "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}",
    }

    def run(*command, succeeds=True):
        done = subprocess.run(  # noqa: PLW1510  how it ended is told below
            [str(_BIN / "dg"), *command], cwd=project, env=environ, capture_output=True, text=True, timeout=600
        )
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.at_length
def test_a_scaffolded_component_is_listed_checked_and_launched_and_keeps_the_key(dg, portal, project):
    listed = json.loads(dg("list", "components", "--json"))["items"]
    assert {each["key"]: each["summary"] for each in listed}[TYPE].startswith("Datasets of an Opendatasoft (Huwise)")
    dg("scaffold", "defs", TYPE, "portal")
    dg("check", "yaml")
    found = json.loads(dg("list", "defs", "--json"))
    host = portal.netloc.replace(".", "_").replace(":", "_")
    names = ("all-types", "camera-shots", "gated-loads", "landmark-photos", "live-readings")
    made = {each["asset_key"]: each for each in found["assets"]}
    assert list(made) == [*(f"{host}/{name}" for name in names), *(name.replace("-", "_") for name in names)]
    assert made["all_types"] == {
        "asset_key": "all_types",
        "asset_key_parts": ["all_types"],
        "description": "Every type of field\n\nWhat every type looks like in every format.",
        "group_name": "portal",
        "kinds": ["opendatasoft", "parquet"],
        "dependency_keys": [f"{host}/all-types"],
        "owners": [],
        "is_executable": True,
        "source": "src/city/defs/portal/defs.yaml:1",
    }
    checks = sorted(each["key"] for each in found["asset_checks"])
    assert checks == [f"{name.replace('-', '_')}:rows_counted" for name in names]
    assert len(found["sensors"]) == 1
    dg("launch", "--assets", "all_types")
    assert pq.read_table(project / "data" / "all-types.parquet").num_rows == len(portal.rows("all-types"))
    files = [path.read_bytes() for path in project.rglob("*") if path.is_file()]
    assert not any(portal.api_key.encode() in content for content in files)
    yaml = project / "src" / "city" / "defs" / "portal" / "defs.yaml"
    yaml.write_text(yaml.read_text().replace("portal:", "portall:", 1))
    said = dg("check", "yaml", succeeds=False)
    assert "'portal' is a required property" in said and "('portall' was unexpected)" in said
