"""The two scenarios that every scheduler must bring to their end, on Prefect: killed once, two waits for a quota."""

from pathlib import Path

import pytest
import running
from prefect import __version__
from prefect.deployments import run_deployment
from scenario import MediaScenario, SearchScenario

from ods_provider.schedulers.prefect import OdsCredentials

WAYS = {
    "auto": ("Prefect (served)", "a continuation run of the deployment begins then"),
    "retry": ("Prefect (served, wait_mode=retry)", "the flow run is given back as AwaitingRetry"),
}


@pytest.mark.parametrize(
    ("kind", "mode"), [(MediaScenario, "auto"), (SearchScenario, "auto"), (MediaScenario, "retry")]
)
def test_the_same_job_is_brought_to_its_end(server, client, tmp_path: Path, kind, mode):
    (tmp_path / "checkpoints").mkdir()
    # A process of Prefect's takes seconds to say goodbye to the server on a busy machine.
    with kind(tmp_path / "work", reset_s=12.0) as scenario:
        name = f"same-{scenario.job}-{mode}"
        OdsCredentials(
            host=scenario.host, api_key=scenario.api_key, push_api_key=scenario.push_key, settings=scenario.settings
        ).save(name, overwrite=True)
        parameters = {
            "job": scenario.job,
            "arguments": scenario.arguments,
            "credentials": name,
            "wait_mode": mode,
            "environ": {"ODS_CHECKPOINT_URL": str(tmp_path / "checkpoints")},
        }
        # Begun again after the kill by the flow's own hook, which Prefect's runner calls.
        with server.runner() as printed:
            first = run_deployment(printed.named("stubborn"), parameters=parameters, timeout=0, as_subflow=False).id
            runs = running.ended(client, first, crashed_ends=False)
        assert runs[-1].state_name == "Completed", printed.read_text()
        scenario.assert_done()
        assert scenario.freed == [True, True]
        scenario.assert_no_key(running.readable(client, runs), *server.logs, tmp_path / "checkpoints")
        scheduler, why = WAYS[mode]
        scenario.record_result(scheduler, worker_freed=True, why=why, version=__version__)
