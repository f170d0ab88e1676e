"""A download by many steps: in processes of their own, executed again from a failure, and waiting for a quota."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from dagster import DagsterRunStatus, Definitions, ReexecutionOptions, execute_job, reconstructable
from parted import in_parts

from ods_provider.schedulers.dagster import ods_resume_sensor


@pytest.fixture
def config(portal, monkeypatch, tmp_path) -> dict[str, Any]:
    monkeypatch.setenv("TEST_ODS_HOST", portal.netloc)
    monkeypatch.setenv("TEST_ODS_KEY", portal.api_key)
    monkeypatch.chdir(Path(__file__).parent)  # where the processes of the steps look for the job's module
    return {"ops": {"ods_partition": {"config": {"path": str(tmp_path / "rows")}}}}


def ids(folder: Path) -> list[int]:
    return sorted(json.loads(line)["id"] for path in folder.glob("*.jsonl") for line in path.read_text().splitlines())


def asked(portal) -> Counter[str]:
    """Which part was asked for how often."""
    exports = (parse_qs(entry.query) for entry in portal.requests if "/exports/" in entry.path)
    return Counter(" and ".join(query.get("where", [])) for query in exports)


def steps(result, event) -> list[str]:
    return sorted(each.step_key for each in result.all_events if each.event_type_value == event)


def test_parts_are_steps_and_a_failed_one_is_executed_again_by_itself(portal, instance, config, tmp_path):
    portal.fault("status", path="/exports/", skip=1, times=1, status=403)
    with execute_job(reconstructable(in_parts), instance=instance, run_config=config) as failed:
        assert not failed.success
        (lost,) = steps(failed, "STEP_FAILURE")
        assert len(steps(failed, "STEP_SUCCESS")) == 5 and lost.startswith("ods_download[")
        assert steps(failed, "STEP_UP_FOR_RETRY") == []
    assert not (tmp_path / "rows").exists()

    again = ReexecutionOptions.from_failure(failed.run_id, instance)
    with execute_job(reconstructable(in_parts), instance=instance, reexecution_options=again) as result:
        assert result.success
        assert steps(result, "STEP_SUCCESS") == ["ods_assemble", lost]
        whole = result.output_for_node("ods_assemble")
    assert (whole["rows"], whole["parts"]) == (520, 5)
    assert ids(tmp_path / "rows") == list(range(520))
    assert sorted(asked(portal).values()) == [1, 1, 1, 1, 2]
    assert not list(tmp_path.glob(".rows*"))


def test_a_part_that_waits_does_not_hold_the_others_which_are_not_fetched_again(
    portal, instance, config, tick, tmp_path
):
    sensor = ods_resume_sensor(jobs=[in_parts])
    definitions = Definitions(jobs=[in_parts], sensors=[sensor])
    portal.fault("quota", path="/exports/", skip=1, times=1, reset_in_s=5)
    first = in_parts.execute_in_process(run_config=config, instance=instance)
    assert instance.get_run_by_id(first.run_id).status == DagsterRunStatus.SUCCESS
    assert not (tmp_path / "rows").exists()
    time.sleep(6)
    (request,) = tick(sensor, definitions).run_requests
    again = in_parts.execute_in_process(run_config=request.run_config, instance=instance, tags=request.tags)
    assert again.output_for_node("ods_assemble")["rows"] == 520
    assert ids(tmp_path / "rows") == list(range(520))
    assert sorted(asked(portal).values()) == [1, 1, 1, 1, 2]
    assert not tick(sensor, definitions).run_requests
