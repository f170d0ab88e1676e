"""The jobs that every scheduler must bring to their end, on the bare command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from scenario import MediaScenario, Scenario, SearchScenario

SCENARIOS = [MediaScenario, SearchScenario]


def words(scenario: Scenario) -> list[str]:
    given: dict[str, Any] = scenario.arguments
    if isinstance(scenario, MediaScenario):
        return ["media", given["dataset_id"], given["path"], "--kind", given["kind"]]
    return ["records", given["dataset_id"], "--order-by", given["order_by"], "--output", given["path"]]


def run(scenario: Scenario, state: Path, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "ods_provider.cli", *words(scenario), "--debug", *more],
        env=os.environ | scenario.environment() | {"XDG_STATE_HOME": str(state)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("made", SCENARIOS)
def test_run_again_every_second_as_cron_would(made, tmp_path):
    with made(tmp_path / "job") as scenario:
        codes, said = [], ""
        while 0 not in codes:
            code, out = run(scenario, tmp_path / "state")
            codes.append(code)
            said += out
            assert code in (0, 75, -9), out
            time.sleep(1)
        assert codes.count(-9) == 1 and codes.count(75) >= 2
        scenario.assert_done()
        scenario.assert_no_key(tmp_path, said)
        assert scenario.freed == [True, True]
        scenario.record_result(
            "Command line, run again",
            worker_freed=True,
            why="exit code 75; cron or whoever started it runs it again",
            version=version("ods-provider"),
        )


@pytest.mark.parametrize("made", SCENARIOS)
def test_with_wait_one_process_goes_on(made, tmp_path):
    with made(tmp_path / "job") as scenario:
        killed, first = run(scenario, tmp_path / "state", "--wait")
        ended, second = run(scenario, tmp_path / "state", "--wait")
        assert (killed, ended) == (-9, 0), second
        scenario.assert_done()
        scenario.assert_no_key(tmp_path, first, second)
        assert scenario.freed == [False, False]
        scenario.record_result(
            "Command line, --wait",
            worker_freed=False,
            why="the process sleeps until the reset, because it was told to",
            version=version("ods-provider"),
        )
