"""The two jobs that every scheduler must bring to their end, under Airflow with its real triggerer."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from scenario import MediaScenario, Scenario, SearchScenario
from side_by_side import beside


def done_in_spite_of_all(given: Any, kind: type[Scenario]) -> None:
    # Airflow's supervisor may notice up to five seconds late that a deferred task's process has ended. When the task
    # was resumed meanwhile, the scheduler takes that end for the end of the resumed one and runs it once more.
    with kind(given.tmp_path, reset_s=16.0) as scenario:
        # Searched for at the session's end, in whatever all tests left.
        given.keys.extend((scenario.api_key, scenario.push_key))
        conn_id = f"ods_same_{scenario.job}"
        given.airflow.connect(conn_id, scenario, **scenario.settings)
        dag_id = f"same_job_{scenario.job}"
        run = given.airflow.trigger(dag_id, connection=conn_id, **scenario.arguments)
        assert given.airflow.wait_for_end(dag_id, run) == "success"
        scenario.assert_done()
        assert scenario.freed == [True, True]
        scenario.record_result(
            "Airflow (real triggerer)",
            worker_freed=all(scenario.freed),
            why="deferred to the triggerer",
            version=version("apache-airflow"),
        )


@beside
def test_the_same_media_job_is_done_in_spite_of_two_quotas_and_a_kill(given: Any) -> None:
    done_in_spite_of_all(given, MediaScenario)


@beside
def test_the_same_search_job_is_done_in_spite_of_two_quotas_and_a_kill(given: Any) -> None:
    done_in_spite_of_all(given, SearchScenario)
