"""Luigi's real release on the exit-code contract: docs/examples/ods_luigi.py, run again as cron would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from scenario import MediaScenario, Scenario, SearchScenario

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
PAGE = (EXAMPLES.parent / "cron-and-luigi.md").read_text()
LINE = re.search(r"^    \S+ \* \* \* \*  (cd /srv && .*)$", PAGE, re.MULTILINE)[1]  # the crontab's


def luigi(*words: str, state: Path, env: dict[str, str]) -> tuple[int, str]:
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        ["sh", "-c", LINE.replace("/srv", shlex.quote(str(EXAMPLES))).replace("Photos", shlex.join(words))],
        # Of an environment where only the line itself says where the module is.
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        | {"PATH": f"{scripts}:{os.environ['PATH']}", "XDG_STATE_HOME": str(state)}
        | {"LUIGI_CONFIG_PATH": str(EXAMPLES / "luigi.cfg")}
        | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def words(scenario: Scenario) -> list[str]:
    given = scenario.arguments
    if isinstance(scenario, MediaScenario):
        return ["Photos", "--dataset", given["dataset_id"], "--folder", given["path"]]
    return ["Rows", "--dataset", given["dataset_id"], "--order-by", given["order_by"], "--path", given["path"]]


@pytest.mark.parametrize("made", [MediaScenario, SearchScenario])
def test_it_is_run_again_until_it_is_done(made, tmp_path):
    with made(tmp_path / "job") as scenario:
        codes, said = [], ""
        while 0 not in codes:
            code, out = luigi(*words(scenario), state=tmp_path / "state", env=scenario.environment())
            codes.append(code)
            said += out
            # 1: the process that did the work was killed.
            assert code in (0, 1, 75), out
            assert len(codes) < 40, said
            time.sleep(0.5)
        assert codes.count(1) == 1 and codes.count(75) >= 2
        scenario.assert_done()
        scenario.assert_no_key(tmp_path, said)
        assert scenario.freed == [True, True]
        scenario.record_result(
            "Luigi with cron",
            worker_freed=True,
            why="ends with 75 (`missing_data`); cron starts it again, what is there is not done again",
            version=version("luigi"),
        )


def test_a_failure_is_told_apart_from_a_wait(ods_portal, tmp_path):
    env = {"ODS_HOST": ods_portal.url, "ODS_API_KEY": ods_portal.api_key}
    code, out = luigi("Photos", "--dataset", "nope", "--folder", str(tmp_path / "x"), state=tmp_path, env=env)
    assert code == 1
    assert "nope does not exist" in out
    ods_portal.set_quota(limit=10, remaining=0, reset_in_s=3600)
    code, out = luigi("Photos", "--folder", str(tmp_path / "x"), state=tmp_path, env=env)
    assert code == 75
    assert ods_portal.api_key not in out
