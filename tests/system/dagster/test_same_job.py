"""The two jobs that every scheduler must bring to their end, by Dagster's real daemon. See ``tests/scenario.py``."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest
from scenario import MediaScenario, SearchScenario


@pytest.mark.parametrize("kind", [MediaScenario, SearchScenario], ids=["media", "search"])
def test_the_daemon_brings_the_job_to_its_end(kind, deploy, tmp_path):
    # A run that is over takes seconds to leave, on a busy machine more of them.
    with kind(tmp_path / "work", reset_s=30.0) as scenario:
        name = f"same_job_{scenario.job}"
        work = {"name": name, "job": scenario.job, "arguments": scenario.arguments}
        environ = {
            "TEST_WORK": json.dumps(work),
            "TEST_HOST": scenario.host,
            "TEST_API_KEY": scenario.api_key,
            "TEST_PUSH_KEY": scenario.push_key,
        }
        stack = deploy(environ, name)
        status = stack.finish(stack.launch(name, "behind"))
        assert status == "SUCCESS", stack.logs()[-3000:]
        scenario.assert_done()
        scenario.assert_no_key(stack.everything(), stack.home)
        assert all(scenario.freed), f"a process stayed while the job waited: {scenario.freed}"
        made = [event for event in stack.events() if event["__typename"] == "MaterializationEvent"]
        assert len(made) == 2  # the work and what stands behind it, once each
        scenario.record_result(
            "Dagster (real daemon)",
            worker_freed=True,
            why="the run ends without its asset, and the resume sensor asks for a new one",
            version=version("dagster"),
        )
