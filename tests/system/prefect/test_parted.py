"""A download by many task runs: tried again after a failed part, and continued after a part's wait for a quota."""

import json
from collections import Counter
from urllib.parse import parse_qs

import pytest
import running
from flows import example, in_parts
from prefect.deployments import run_deployment

from ods_provider.core.errors import OdsAuthError
from ods_provider.schedulers.prefect import OdsCredentials
from ods_provider.testing.portal import LocalPortal


@pytest.fixture
def portal():
    with LocalPortal(synthetic_rows=520) as portal:
        yield portal


@pytest.fixture
def credentials(server, portal):
    return OdsCredentials(host=portal.url, api_key=portal.api_key, settings={"max_wait_s": 1})


def asked(portal):
    """How often each part was asked for."""
    exports = (parse_qs(entry.query) for entry in portal.requests if "/exports/" in entry.path)
    return sorted(Counter(" and ".join(query.get("where", [])) for query in exports).values())


def ids(*paths):
    return sorted(json.loads(line)["id"] for path in paths for line in path.read_text().splitlines())


@pytest.mark.parametrize("mapped", [False, True])
def test_a_failed_part_is_fetched_by_the_flow_s_next_try_and_the_others_are_not(credentials, portal, tmp_path, mapped):
    portal.fault("status", path="/exports/", skip=1, times=1, status=403)
    whole = in_parts(str(tmp_path / "rows"), credentials, mapped=mapped)
    assert (whole["rows"], whole["parts"]) == (520, 5)
    assert ids(*(tmp_path / "rows").glob("*.jsonl")) == list(range(520))
    assert asked(portal) == [1, 1, 1, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_the_flow_of_the_page_brings_all_rows(credentials, tmp_path):
    credentials.save("ods-default", overwrite=True)
    assert example.in_parts("synthetic-rows", str(tmp_path / "rows"))["rows"] == 520


def test_nothing_is_committed_while_a_part_is_missing(credentials, portal, tmp_path):
    portal.fault("status", path="/exports/", skip=1, times=None, status=403)
    with pytest.raises(OdsAuthError):
        in_parts.with_options(retries=0)(str(tmp_path / "rows"), credentials)
    assert not (tmp_path / "rows").exists()


def test_a_part_that_waits_is_fetched_by_the_flow_run_that_continues(server, client, portal, credentials, tmp_path):
    credentials.save("in-parts", overwrite=True)
    portal.fault("quota", path="/exports/", skip=1, times=1, reset_in_s=8)
    parameters = {"path": str(tmp_path / "rows.jsonl"), "credentials": "in-parts", "layout": "file"}
    with server.runner() as printed:
        first = run_deployment(printed.named("in-parts"), parameters=parameters, timeout=0, as_subflow=False).id
        runs = running.ended(client, first)
    assert [run.state_name for run in runs] == ["Waiting", "Completed"], printed.read_text()
    assert ids(tmp_path / "rows.jsonl") == list(range(520))
    assert asked(portal) == [1, 1, 1, 1, 2]
