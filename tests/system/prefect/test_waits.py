"""A served flow of two tasks: what is finished is not done again when another task must wait."""

from uuid import UUID

import pytest
import running
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.deployments import run_deployment

from ods_provider.schedulers.prefect import OdsCredentials
from ods_provider.schedulers.prefect.waiting import TAG, WAITING


@pytest.fixture
def portal():
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(api_key="k3y-nobody-may-read") as portal:
        yield portal


def start(server, client, portal, tmp_path, mode):
    name = f"waits-{mode}"
    OdsCredentials(host=portal.url, api_key=portal.api_key, settings={"max_wait_s": 1}).save(name, overwrite=True)
    portal.fault("quota", path="/files/", skip=20, reset_in_s=3)
    parameters = {"path": str(tmp_path / "photos"), "credentials": name, "wait_mode": mode}
    with server.serving("two_tasks", name):
        first: UUID = run_deployment(
            f"two-tasks/{name}", parameters=parameters, tags=["nightly"], timeout=0, as_subflow=False
        ).id
        return running.ended(client, first)


def asked(portal, part):
    return sum(part in entry.path and entry.status == 200 for entry in portal.requests)


def test_a_wait_ends_the_flow_run_and_another_one_goes_on_without_doing_anything_again(
    server, client, portal, tmp_path
):
    runs = start(server, client, portal, tmp_path, "auto")
    assert [run.state_name for run in runs] == [WAITING, "Completed"]
    assert runs[0].state.is_completed()
    assert f"It goes on in the flow run {runs[1].name}." in runs[0].state.message
    assert runs[1].parameters == runs[0].parameters
    assert set(runs[1].tags) == {"nightly", f"{TAG}{runs[0].id}"}
    assert runs[1].start_time >= runs[1].expected_start_time > runs[0].end_time
    assert runs[-1].state.result() == {"rows": 5, "files": 40}
    assert asked(portal, "/files/") == 40
    assert asked(portal, "world-capitals/records") == 1
    tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id for run in runs])))
    assert sorted(task.state_name for task in tasks) == ["Cached", "Completed", "Completed", WAITING]


def test_a_flow_run_that_is_given_back_keeps_its_identity_and_does_nothing_again(server, client, portal, tmp_path):
    (run,) = start(server, client, portal, tmp_path, "retry")
    assert (run.state_name, run.run_count) == ("Completed", 2)
    assert run.state.result() == {"rows": 5, "files": 40}
    assert asked(portal, "/files/") == 40
    assert asked(portal, "world-capitals/records") == 1


def test_two_tasks_that_wait_at_the_same_time_are_continued_by_one_flow_run(server, client, portal, tmp_path):
    OdsCredentials(host=portal.url, settings={"max_wait_s": 1}).save("side-by-side", overwrite=True)
    portal.fault("quota", path="/files/", skip=20, times=2, reset_in_s=5)
    parameters = {"path": str(tmp_path), "credentials": "side-by-side"}
    with server.serving("side_by_side", "both"):
        first = run_deployment("side-by-side/both", parameters=parameters, timeout=0, as_subflow=False).id
        runs = running.ended(client, first)
    assert runs[-1].state.result() == [40, 40]
    assert [run.state_name for run in runs[:-1]] == [WAITING] * (len(runs) - 1)
    assert len(runs) == 2
    assert asked(portal, "/files/") == 80
