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

    with LocalPortal(api_key="k3y-nobody-may-read", synthetic_rows=520) as portal:
        yield portal


def start(client, portal, tmp_path, mode, deployment):
    name = f"waits-{mode}"
    OdsCredentials(host=portal.url, api_key=portal.api_key, settings={"max_wait_s": 1}).save(name, overwrite=True)
    portal.fault("quota", path="/files/", skip=20, reset_in_s=3)
    parameters = {"path": str(tmp_path / "photos"), "credentials": name, "wait_mode": mode}
    first: UUID = run_deployment(deployment, parameters=parameters, tags=["nightly"], timeout=0, as_subflow=False).id
    return running.ended(client, first)


def asked(portal, part):
    return sum(part in entry.path and entry.status == 200 for entry in portal.requests)


def test_a_wait_ends_the_flow_run_and_another_one_goes_on_without_doing_anything_again(
    server, client, portal, tmp_path
):
    with server.serving("two_tasks", "alone") as printed:
        runs = start(client, portal, tmp_path, "auto", printed.named("two-tasks"))
    assert [run.state_name for run in runs] == [WAITING, "Completed"]
    assert runs[0].state.is_completed()
    assert f"It goes on in the flow run {runs[1].name}." in runs[0].state.message
    assert runs[1].parameters == runs[0].parameters
    assert set(runs[1].tags) == {"nightly", f"{TAG}{runs[0].id}"}
    assert runs[1].expected_start_time > runs[0].end_time
    (refused_at,) = [entry.at for entry in portal.requests if entry.status == 429]
    assert not [entry.path for entry in portal.requests if refused_at < entry.at < refused_at + 3]
    assert runs[1].start_time.timestamp() >= refused_at + 3
    assert runs[-1].state.result() == {"rows": 5, "files": 40}
    assert asked(portal, "/files/") == 40
    assert asked(portal, "world-capitals/records") == 1
    tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id for run in runs])))
    assert sorted(task.state_name for task in tasks) == ["Cached", "Completed", "Completed", WAITING]


def test_a_flow_run_that_is_given_back_keeps_its_identity_and_does_nothing_again(server, client, portal, tmp_path):
    with server.runner() as printed:
        (run,) = start(client, portal, tmp_path, "retry", printed.named("two-tasks"))
    assert (run.state_name, run.run_count) == ("Completed", 2)
    assert run.state.result() == {"rows": 5, "files": 40}
    assert asked(portal, "/files/") == 40
    assert asked(portal, "world-capitals/records") == 1


def test_two_tasks_that_wait_at_the_same_time_are_continued_by_one_flow_run(server, client, portal, tmp_path):
    OdsCredentials(host=portal.url, settings={"max_wait_s": 1}).save("side-by-side", overwrite=True)
    portal.fault("quota", path="/files/", skip=20, times=2, reset_in_s=5)
    parameters = {"path": str(tmp_path), "credentials": "side-by-side"}
    with server.runner() as printed:
        first = run_deployment(printed.named("side-by-side"), parameters=parameters, timeout=0, as_subflow=False).id
        runs = running.ended(client, first)
    assert runs[-1].state.result() == [40, 40]
    assert [run.state_name for run in runs[:-1]] == [WAITING] * (len(runs) - 1)
    assert len(runs) == 2
    assert asked(portal, "/files/") == 80


# Calls from which nobody could end the flow run


@pytest.fixture
def as_functions(server):
    """The flow whose calls come without our hook."""
    with server.runner() as printed:
        yield printed.named("as-a-function")


def call(client, portal, deployment, **parameters):
    OdsCredentials(host=portal.url, settings={"max_wait_s": 1}).save("hooks", overwrite=True)
    portal.fault("quota", path="/records", skip=3, reset_in_s=3)
    first = run_deployment(
        deployment, parameters={"credentials": "hooks", **parameters}, timeout=0, as_subflow=False
    ).id
    return running.ended(client, first)


WAYS = ["in a task of one's own", "in the flow"]


@pytest.mark.parametrize("how", WAYS)
def test_where_no_task_of_ours_can_end_the_flow_run_the_process_holds_and_rows_come_back(
    as_functions, client, portal, tmp_path, how
):
    path = tmp_path / "rows.jsonl"
    (run,) = call(client, portal, as_functions, how=how, path=str(path))
    assert (run.state_name, run.state.result()) == ("Completed", 520)
    assert len(path.read_text().splitlines()) == 520
    assert [entry.status for entry in portal.requests].count(429) == 1
    text = running.readable(client, [run])
    assert "Holding this process until" in text
    assert "the task was called as a function" in text


@pytest.mark.parametrize("how", WAYS)
def test_a_mode_that_ends_the_flow_run_is_refused_where_no_task_of_ours_can(
    as_functions, client, portal, tmp_path, how
):
    (run,) = call(client, portal, as_functions, how=how, path=str(tmp_path / "rows.jsonl"), wait_mode="continue")
    assert run.state_name == "Failed"
    assert "wait_mode='continue' needs a task run of this task" in run.state.message
    assert "Call the task itself instead of .fn" in run.state.message


def test_a_hook_of_ones_own_hears_the_wait_and_the_process_is_free(server, client, portal, tmp_path):
    with server.runner() as printed:
        runs = call(client, portal, printed.named("with-a-hook"), path=str(tmp_path / "rows.jsonl"))
    assert [run.state_name for run in runs] == [WAITING, "Completed"]
    assert runs[-1].state.result() == 520
    assert f"a hook of one's own heard {WAITING}" in printed.read_text()
    assert "a hook of one's own heard Completed" in printed.read_text()
