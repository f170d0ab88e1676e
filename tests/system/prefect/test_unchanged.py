"""``if_unchanged``: the memory is a variable of the flow; what takes or awaits a skipped task does not run."""

import pytest
from prefect import flow, task
from prefect.client.schemas import State
from prefect.variables import Variable

from ods_provider.schedulers.prefect import OdsCredentials, ods_download
from ods_provider.schedulers.prefect.updates import remember_outcome

API_KEY = "k3y-that-nobody-may-read"
DATASET = "world-capitals"


@pytest.fixture(scope="module")
def portal():
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(api_key=API_KEY) as portal:
        yield portal


@pytest.fixture
def credentials(server, portal):
    portal.reset()
    return OdsCredentials(host=portal.url, api_key=API_KEY, settings={"max_wait_s": 1})


def exports(portal):
    return sum("/exports/" in entry.path for entry in portal.requests)


def test_what_takes_or_awaits_a_skipped_task_is_not_run_and_the_flow_completes(credentials, portal, tmp_path):
    ran = []

    @task
    def take(told, what):
        ran.append(what)

    @flow
    def nightly_skip(how):
        given = {"if_unchanged": "skip", "credentials": credentials}
        if how == "called":
            outcome = ods_download(DATASET, tmp_path / "c.csv", **given)
            take(outcome, "taken")
            take(None, "awaiting", wait_for=[outcome])
        else:
            outcome = ods_download.submit(DATASET, tmp_path / "c.csv", **given)
            take.submit(outcome, "taken").wait()
            take.submit(None, "awaiting", wait_for=[outcome]).wait()
            take.submit(None, "beside").wait()

    assert nightly_skip("called", return_state=True).is_completed()
    assert ran == ["taken", "awaiting"]
    for how in ("called", "submitted"):
        assert nightly_skip(how, return_state=True).is_completed()
    assert ran == ["taken", "awaiting", "beside"]
    assert exports(portal) == 1


def test_a_skipped_task_says_why_in_a_cancelled_state(credentials, portal, tmp_path):
    seen = []

    @flow
    def tells_why():
        for _ in range(2):
            seen.append(ods_download(DATASET, tmp_path / "c.csv", if_unchanged="skip", credentials=credentials))

    tells_why()
    first, second = seen
    assert first["unchanged"] is False
    assert isinstance(second, State)
    assert (second.name, second.is_cancelled()) == ("Skipped", True)
    assert second.message.startswith(f"Skipped: {DATASET} has not changed since {first['data_processed']}")


def test_a_path_of_another_day_is_served_by_what_the_flow_loaded_last(credentials, portal, tmp_path):
    @flow
    def nightly_path(day):
        return ods_download(DATASET, f"{tmp_path}/2026-01-0{day}.csv", if_unchanged="keep", credentials=credentials)

    first, second = nightly_path(1), nightly_path(2)
    assert (second["unchanged"], second["path"]) == (True, first["path"])
    portal.touch(DATASET, rows=1)
    assert nightly_path(3)["rows"] == 111
    assert exports(portal) == 2

    @flow
    def somebody_elses():
        return ods_download(DATASET, f"{tmp_path}/2026-01-04.csv", if_unchanged="keep", credentials=credentials)

    assert somebody_elses()["unchanged"] is False


def test_the_memory_is_never_moved_back(server):
    told = {"fingerprint": "f" * 16, "dataset_state": "s", "rows": None}

    @flow
    def remembers(*days):
        from ods_provider.schedulers.prefect.updates import last_outcome, outcome_name

        for day in days:
            remember_outcome(told | {"data_processed": f"2026-01-0{day}T00:00:00+00:00"})
        assert Variable.get(outcome_name("f" * 16))["data_processed"].startswith(f"2026-01-0{max(days)}")
        assert last_outcome("e" * 16) == {}
        return "rows" in last_outcome("f" * 16)

    assert remembers(2, 3, 1) is False


def test_who_does_not_ask_has_no_variable(credentials, portal, tmp_path):
    @flow
    def plain_download():
        return ods_download(DATASET, tmp_path / "c.csv", credentials=credentials)

    told = plain_download()

    @flow
    def looks():
        from ods_provider.schedulers.prefect.updates import outcome_name

        return Variable.get(outcome_name(told["fingerprint"]))

    assert looks() is None


def test_as_a_plain_function_it_is_the_same(credentials, portal, tmp_path):
    outcomes = [
        ods_download.fn(DATASET, tmp_path / "c.csv", if_unchanged="keep", credentials=credentials) for _ in range(2)
    ]
    assert [outcome["unchanged"] for outcome in outcomes] == [False, True]
