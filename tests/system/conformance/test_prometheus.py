"""The Prometheus plugin of the docs: what its HTTP address shows after real runs."""

import socket
import subprocess
import sys
from urllib.request import urlopen

import pytest
from airflow_daemons import free_port
from plugin_site import install, with_site
from prometheus_client.parser import text_string_to_metric_families

RUNS = """
import contextlib, sys
from ods_provider.errors import OdsError
from ods_provider.jobs.arguments import download_job, search_job
from ods_provider.jobs.runner import run_job

def go(job):
    with contextlib.suppress(OdsError):
        run_job(job, scheduler="cli", native=job.dataset_id)

go(search_job(dataset_id="world-capitals", limit=7))
go(download_job(dataset_id="world-capitals", path=sys.argv[1] + "/a.csv", if_unchanged="keep"))
go(download_job(dataset_id="world-capitals", path=sys.argv[1] + "/a.csv", if_unchanged="keep"))
go(search_job(dataset_id="all-types"))  # has to wait
go(search_job(dataset_id="no-such-dataset"))
print("done", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def environ(tmp_path, ods_portal):
    install("prometheus-plugin", tmp_path / "site")
    mine = {"ODS_HOST": ods_portal.url, "ODS_API_KEY": ods_portal.api_key, "XDG_STATE_HOME": str(tmp_path / "state")}
    return with_site(tmp_path / "site") | mine | {"ODS_PROMETHEUS_PORT": str(free_port()), "ODS_MAX_WAIT_S": "0.5"}


def shown(port: str) -> dict:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("ods_")
    }


def test_calls_rows_waits_and_failures_are_counted(environ, ods_portal, tmp_path):
    ods_portal.fault("quota", path="all-types/records", reset_in_s=600)
    with subprocess.Popen(
        [sys.executable, "-c", RUNS, str(tmp_path)],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "done\n"
        seen = shown(environ["ODS_PROMETHEUS_PORT"])
        process.stdin.close()
    assert seen["ods_rows_total", "search", "world-capitals"] == 7
    assert seen["ods_rows_total", "download", "world-capitals"] == 110  # what was unchanged is not counted again
    assert seen["ods_waits_total", "all-types", "search"] == 1
    assert 590 < seen["ods_wait_seconds_total", "all-types", "search"] < 640
    assert seen["ods_failures_total", "OdsNotFound", "no-such-dataset", "search"] == 1
    assert not any(name == "ods_failures_total" and "all-types" in labels for name, *labels in seen)
    calls = [entry for entry in ods_portal.requests if entry.path.startswith("/api/")]
    assert sum(value for (name, *_), value in seen.items() if name == "ods_calls_total") == len(calls)
    assert sum(value for (name, *_), value in seen.items() if name == "ods_call_seconds_count") == len(calls)
    assert not any(ods_portal.api_key in label for labels in seen for label in labels)


def test_a_port_that_is_taken_stops_no_job(environ, ods_portal, tmp_path):
    with socket.create_server(("127.0.0.1", int(environ["ODS_PROMETHEUS_PORT"]))):
        ended = subprocess.run(
            [sys.executable, "-m", "ods_provider.cli", "records", "world-capitals", "--limit", "3", "--json"],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert "The plugin ods-prometheus:prometheus is broken" in ended.stderr
    assert len(ended.stdout.splitlines()) == 3
