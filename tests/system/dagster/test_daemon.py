"""The sensor for updates under the real daemon, and what the UI is sent of it."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from dagster_stack import API_KEY, PUSH_KEY

from ods_provider.testing.portal import LocalPortal


@pytest.fixture
def portal():
    """A portal of its own, which the sensor goes on asking when the test is over."""
    with LocalPortal(api_key=API_KEY, push_key=PUSH_KEY, synthetic_rows=520) as portal:
        yield portal


def test_an_update_on_the_portal_makes_the_asset_once_and_no_key_is_told(portal, deploy, tmp_path):
    path = tmp_path / "capitals.parquet"
    work = {"name": "capitals", "job": "watch", "arguments": {"dataset_id": "world-capitals", "path": str(path)}}
    environ = {
        "TEST_WORK": json.dumps(work),
        "TEST_HOST": portal.netloc,
        "TEST_API_KEY": portal.api_key,
        "TEST_PUSH_KEY": portal.push_key,
    }
    stack = deploy(environ, "capitals")
    stack.wait_until(lambda: len(portal.requests) >= 2)
    assert not stack.runs()
    portal.touch("world-capitals", rows=1)
    stack.wait_until(stack.runs)
    assert stack.finish(stack.runs()[0]["runId"]) == "SUCCESS"
    calls = len(portal.requests)
    stack.wait_until(lambda: len(portal.requests) >= calls + 2)
    (run,) = stack.runs()
    everything = stack.everything()
    assert run["tags"]["ods/dataset_id"] == "world-capitals"
    assert pq.read_table(path).num_rows == len(portal.rows("world-capitals"))
    assert "OdsResource" in everything
    assert '"api_key", "value": "TEST_API_KEY"' in everything  # the page of the resource was among what was read
    assert portal.api_key not in everything and portal.push_key not in everything
