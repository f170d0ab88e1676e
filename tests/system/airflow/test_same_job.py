"""The two jobs that every scheduler must bring to their end, under Airflow with its real triggerer."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from airflow_daemons import Airflow
from scenario import MediaScenario, Scenario, SearchScenario


@pytest.mark.parametrize("kind", [MediaScenario, SearchScenario])
def test_the_same_job_is_done_in_spite_of_two_quotas_and_a_kill(
    kind: type[Scenario], airflow: Airflow, keys: list[str], tmp_path: Path
) -> None:
    # Airflow's supervisor may notice up to five seconds late that a deferred task's process has ended. When the task
    # was resumed meanwhile, the scheduler takes that end for the end of the resumed one and runs it once more.
    with kind(tmp_path, reset_s=12.0) as scenario:
        keys.extend((scenario.api_key, scenario.push_key))
        conn_id = f"ods_same_{scenario.job}"
        airflow.connect(conn_id, scenario, **scenario.settings)
        dag_id = f"same_job_{scenario.job}"
        run = airflow.trigger(dag_id, connection=conn_id, **scenario.arguments)
        assert airflow.wait_for_end(dag_id, run) == "success"
        scenario.assert_done()
        scenario.assert_no_key(*(content for _, content in (*airflow.kept(), *airflow.tables())))
        assert scenario.freed == [True, True]
        scenario.record_result(
            "Airflow (real triggerer)",
            worker_freed=all(scenario.freed),
            why="deferred to the triggerer",
            version=version("apache-airflow"),
        )
