"""Operators: templates, execution against a portal, waiting, failing for good, and being killed."""

from __future__ import annotations

import inspect
import json
import re
import signal
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowTaskTimeout, TaskDeferred
from airflow_task import context_of, events_of, resume_task, revived, run_task

from ods_provider.airflow.legs import hasten
from ods_provider.airflow.policy import deferrable_by_default
from ods_provider.core.errors import OdsServerError, OdsTransportError
from ods_provider.jobs.context import Suspended
from ods_provider.operators.analysis import OdsAnalysisOperator
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.job import OdsJobOperator
from ods_provider.operators.media import OdsMediaOperator
from ods_provider.operators.push import OdsPushOperator
from ods_provider.operators.search import OdsSearchOperator
from ods_provider.testing.portal import LocalPortal
from ods_provider.triggers.wait import OdsWaitTrigger

OPERATORS: list[type[OdsJobOperator]] = [
    OdsSearchOperator,
    OdsAnalysisOperator,
    OdsDownloadOperator,
    OdsMediaOperator,
    OdsPushOperator,
]
# A deferral is decided by these; Airflow reads them before anything is rendered.
NOT_TEMPLATES = {"deferrable", "part"}
each = pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)


def own_arguments(operator: type[Any]) -> set[str]:
    own = {name for name, p in inspect.signature(operator.__init__).parameters.items() if p.kind is p.KEYWORD_ONLY}
    shared = {"ods_conn_id", "deferrable"}
    return own | shared


# Constructors and templates


@each
def test_every_argument_is_a_template(operator: type[OdsJobOperator]) -> None:
    assert set(operator.template_fields) == own_arguments(operator) - NOT_TEMPLATES


@each
def test_the_constructor_only_assigns(operator: type[OdsJobOperator]) -> None:
    given: dict[str, Any] = {name: object() for name in own_arguments(operator) - NOT_TEMPLATES}
    task = operator(task_id="t", **given)
    for name, value in given.items():
        assert getattr(task, name) is value


def test_what_renders_to_text_works_as_what_it_was(connect: Any, tmp_path: Path) -> None:
    task = OdsDownloadOperator(
        task_id="t",
        ods_conn_id="{{ params.conn }}",
        dataset_id="{{ params.dataset }}",
        path="{{ params.folder }}/capitals.csv",
        format="{{ params.format }}",
        where=["population > {{ params.least }}", "country_code IS NOT NULL"],
        refine={"cou_name_en": "{{ params.country }}"},
        limit="{{ params.limit }}",
        min_rows="{{ params.min_rows }}",
        format_options={"delimiter": "{{ params.delimiter }}", "with_bom": "{{ params.bom }}"},
        if_moved="{{ params.if_moved }}",
    )
    params = {
        "conn": "ods_default",
        "dataset": "world-capitals",
        "folder": str(tmp_path),
        "format": "csv",
        "least": 1000,
        "country": "France",
        "limit": 5,
        "min_rows": 1,
        "delimiter": ";",
        "bom": True,
        "if_moved": "fail",
    }
    outcome = run_task(task, context_of(task, params=params))
    assert outcome["rows"] == 1
    lines = (tmp_path / "capitals.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("\ufeffgeoname_id;name;")
    assert "Paris" in lines[1]


def test_a_template_that_renders_to_nothing_is_left_out(connect: Any) -> None:
    task = OdsSearchOperator(
        task_id="t", dataset_id="world-capitals", select="name", where="{{ params.where }}", limit="{{ params.limit }}"
    )
    assert len(run_task(task, context_of(task, params={"where": "", "limit": None}))) == 110


def test_an_argument_that_cannot_be_understood_fails_the_task_for_good(connect: Any) -> None:
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals", limit="{{ params.limit }}")
    with pytest.raises(AirflowFailException, match=r"OdsConfigError: .*argument limit"):
        run_task(task, context_of(task, params={"limit": "a few"}))


@each
def test_an_operator_can_be_copied_and_mapped(operator: type[OdsJobOperator]) -> None:
    needed = {
        name: "x"
        for name, p in inspect.signature(operator.__init__).parameters.items()
        if p.kind is p.KEYWORD_ONLY and p.default is p.empty
    }
    with DAG("a_dag"):
        mapped = operator.partial(task_id="t", **needed).expand(ods_conn_id=["one", "two"])
    assert mapped.task_id == "t"


# What they bring


def test_a_search_returns_rows_that_xcom_can_carry(connect: Any, ods_portal: LocalPortal) -> None:
    task = OdsSearchOperator(
        task_id="t", dataset_id="world-capitals", select="name, population", order_by="population DESC", limit=3
    )
    rows = run_task(task)
    largest = sorted(ods_portal.rows("world-capitals"), key=lambda row: -row["population"])[:3]
    assert rows == [{"name": row["name"], "population": row["population"]} for row in largest]
    assert rows == json.loads(json.dumps(rows))


def test_a_search_without_a_dataset_finds_datasets(connect: Any) -> None:
    found = run_task(OdsSearchOperator(task_id="t", where='dataset_id = "world-capitals"'))
    assert [dataset["dataset_id"] for dataset in found] == ["world-capitals"]


def test_rows_that_are_too_many_for_xcom_ask_for_a_path(connect: Any) -> None:
    with pytest.raises(AirflowFailException, match="Give a path"):
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals", max_xcom_bytes="2000"))


def test_an_analysis_returns_groups(connect: Any) -> None:
    rows = run_task(
        OdsAnalysisOperator(
            task_id="t",
            dataset_id="world-capitals",
            select="count(*) as capitals",
            group_by="country_code",
            limit="{{ 2 }}",
            order_by="country_code",
        )
    )
    assert [row["capitals"] for row in rows] == [1, 1]


def test_a_download_holds_exactly_the_rows_of_the_portal(connect: Any, ods_portal: LocalPortal, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "capitals.parquet"
    outcome = run_task(OdsDownloadOperator(task_id="t", dataset_id="world-capitals", path=path))
    assert outcome["rows"] == 110
    assert outcome["verified"] == "counted"
    assert pyarrow.parquet.read_table(path).num_rows == 110
    assert outcome == json.loads(json.dumps(outcome))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_download_goes_to_airflows_object_storage(connect: Any, tmp_path: Path) -> None:
    from airflow.sdk import ObjectStoragePath

    outcome = run_task(
        OdsDownloadOperator(
            task_id="t", dataset_id="world-capitals", path=ObjectStoragePath(f"file://{tmp_path}/capitals.parquet")
        )
    )
    assert outcome["rows"] == pyarrow.parquet.read_table(tmp_path / "capitals.parquet").num_rows


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("s3://conn@bucket/x.parquet", "apache-airflow-providers-amazon[s3fs]"),
        ("gs://conn@bucket/x.parquet", "apache-airflow-providers-google"),
        ("abfs://conn@container/x.parquet", "apache-airflow-providers-microsoft-azure"),
    ],
)
def test_a_path_with_a_connection_names_the_package_that_opens_it(
    connect: Any, ods_portal: LocalPortal, path: str, package: str
) -> None:
    with pytest.raises(AirflowFailException, match=re.escape(f"pip install '{package}'")):
        run_task(OdsDownloadOperator(task_id="t", dataset_id="world-capitals", path=path))
    assert not any("/exports/" in call.path for call in ods_portal.requests)


def test_media_come_with_a_manifest(connect: Any, tmp_path: Path) -> None:
    task = OdsMediaOperator(task_id="t", dataset_id="landmark-photos", path=str(tmp_path), kind="files", parallel="3")
    outcome = run_task(task)
    assert outcome["files"] == 40
    assert len(list(tmp_path.glob("*.png"))) == 40
    assert len((tmp_path / "manifest.jsonl").read_text().splitlines()) == 40


def test_pushed_records_stand_on_the_portal(connect: Any, ods_portal: LocalPortal) -> None:
    records = [{"sensor_id": "s-9", "at": "2026-02-01T00:00:00+00:00", "value": 1.5, "note": "Zürich 東京"}]
    outcome = run_task(
        OdsPushOperator(task_id="t", dataset_id="live-readings", resource_id="realtime", records=records)
    )
    assert (outcome["rows"], outcome["batches"]) == (1, 1)
    assert any(row["note"] == "Zürich 東京" for row in ods_portal.rows("live-readings"))


def test_records_that_a_template_made_into_text_are_pushed_too(connect: Any, ods_portal: LocalPortal) -> None:
    task = OdsPushOperator(
        task_id="t", dataset_id="live-readings", resource_id="realtime", records="{{ params.records }}"
    )
    records = [{"sensor_id": "s-8", "at": "2026-02-01T00:00:00+00:00", "value": None, "note": "it's"}]
    assert run_task(task, context_of(task, params={"records": records}))["rows"] == 1
    assert any(row["sensor_id"] == "s-8" for row in ods_portal.rows("live-readings"))


# Waiting for a quota


def long_wait(ods_portal: LocalPortal, *, after: int = 0) -> datetime:
    """Order a refusal that lasts an hour, after so many calls that go well."""
    ods_portal.fault("quota", reset_in_s=3600, skip=after, times=None)
    return datetime.now(UTC) + timedelta(hours=1)


def over(trigger: Any) -> Any:
    """The trigger of a wait that has come to its end."""
    made = revived(trigger)
    made.until = datetime.now(UTC)
    return made


def test_a_long_quota_defers_until_the_portals_own_time(connect: Any, ods_portal: LocalPortal) -> None:
    expected = long_wait(ods_portal)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))
    trigger = deferred.value.trigger
    assert isinstance(trigger, OdsWaitTrigger)
    assert timedelta(seconds=-2) < trigger.until - expected < timedelta(seconds=35)
    assert "Too many requests" in trigger.reason
    assert len(ods_portal.requests) == 1


def test_it_goes_on_after_the_wait_without_asking_again_for_what_is_confirmed(
    connect: Any, ods_portal: LocalPortal, tmp_path: Path
) -> None:
    task = OdsMediaOperator(task_id="t", dataset_id="landmark-photos", path=str(tmp_path), kind="files", parallel=1)
    context = context_of(task)
    long_wait(ods_portal, after=12)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    ods_portal.clear_faults()
    assert not (tmp_path / "manifest.jsonl").exists()
    trigger = revived(deferred.value.trigger)
    trigger.until = datetime.now(UTC)
    outcome = resume_task(task, context, deferred.value, events_of(trigger)[0])
    assert outcome["files"] == 40
    asked = [entry.path for entry in ods_portal.requests if "/files/" in entry.path and entry.status == 200]
    assert len(asked) == len(set(asked)) == 40


def test_pages_of_a_search_are_kept_in_airflows_task_state(connect: Any, ods_portal: LocalPortal) -> None:
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals", select="name", order_by="geoname_id")
    context = context_of(task)
    long_wait(ods_portal, after=2)  # the description and the first page
    with pytest.raises(TaskDeferred) as deferred:
        run_task(task, context)
    ods_portal.clear_faults()
    assert context["task_state_store"].kept
    rows = resume_task(task, context, deferred.value, {"status": "resume", "checkpoint": {}})
    assert len(rows) == 110
    offsets = [entry.query for entry in ods_portal.requests if entry.status == 200 and "offset=" in entry.query]
    assert len(offsets) == 2
    assert not context["task_state_store"].kept


@pytest.mark.at_length(but=4)
@pytest.mark.parametrize("key", ["ods/units", "ods/job", "ods/start", "ods/page-0000"])
@pytest.mark.parametrize("kept", [7, "x", [7], {}, {"rows": 1}])
def test_what_another_hand_put_into_the_task_state_is_no_progress(
    connect: Any, ods_portal: LocalPortal, key: str, kept: Any
) -> None:
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals", select="name", order_by="geoname_id")
    context = context_of(task)
    long_wait(ods_portal, after=2)
    with pytest.raises(TaskDeferred):
        run_task(task, context)
    ods_portal.clear_faults()
    assert key in context["task_state_store"].kept
    context["task_state_store"].set(key, kept)
    assert len(run_task(task, context)) == 110


def test_a_task_resumed_by_a_foreign_event_says_so(connect: Any) -> None:
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals")
    with pytest.raises(AirflowFailException, match="none of ours"):
        task.resume(context_of(task), event={"status": "something else"})


def test_without_a_triggerer_it_is_rescheduled_for_the_same_time(connect: Any, ods_portal: LocalPortal) -> None:
    expected = long_wait(ods_portal)
    with pytest.raises(AirflowRescheduleException) as rescheduled:
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals", deferrable=False))
    assert timedelta(seconds=-2) < rescheduled.value.reschedule_date - expected < timedelta(seconds=35)


def test_a_short_quota_is_waited_for_in_place(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_wait_s": 10})
    ods_portal.fault("quota", reset_in_s=1)
    started = time.monotonic()
    assert len(run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals", limit=2))) == 2
    assert time.monotonic() - started > 0.5


def test_a_quota_that_returns_too_late_fails_and_says_when(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_quota_wait_s": 600})
    long_wait(ods_portal)
    with pytest.raises(AirflowFailException, match="raise max_quota_wait_s"):
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))


def test_the_sum_of_the_waits_is_bounded_when_it_is_deferred(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_quota_wait_s": 1000})
    ods_portal.fault("status", status=503, retry_after=400, times=None)
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals")
    context = context_of(task)
    with pytest.raises(TaskDeferred) as first:
        run_task(task, context)
    with pytest.raises(TaskDeferred) as second:
        resume_task(task, context, first.value, events_of(over(first.value.trigger))[0])
    with pytest.raises(AirflowFailException, match="longer than max_quota_wait_s allows"):
        resume_task(task, context, second.value, events_of(over(second.value.trigger))[0])


@pytest.mark.parametrize("stores", ["3.3", "3.2"])
def test_the_sum_of_the_waits_is_bounded_when_it_is_rescheduled(
    stores: str, connect: Any, ods_portal: LocalPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    connect(extra={"max_quota_wait_s": 1000})
    ods_portal.fault("status", status=503, retry_after=400, skip=2, times=None)
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals", order_by="geoname_id", deferrable=False)
    context = context_of(task) if stores == "3.3" else context_of(task, task_state_store=None)
    for _ in range(2):
        with pytest.raises(AirflowRescheduleException):
            run_task(task, context)
    # Another try of the task begins anew, and forgets nothing of what is confirmed.
    context["ti"].try_number = 2
    for _ in range(2):
        with pytest.raises(AirflowRescheduleException):
            run_task(task, context)
    with pytest.raises(AirflowFailException, match="longer than max_quota_wait_s allows"):
        run_task(task, context)
    ods_portal.clear_faults()
    assert len(run_task(task, context)) == 110
    assert sum("offset=0" in entry.query for entry in ods_portal.requests if entry.status == 200) <= 1


def test_a_short_wait_is_no_short_deferral(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_wait_s": 0})
    ods_portal.fault("quota", reset_in_s=3)
    began = datetime.now(UTC)
    with pytest.raises(TaskDeferred) as deferred:
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))
    assert timedelta(seconds=10) <= deferred.value.trigger.until - began < timedelta(seconds=60)


# execution_timeout


def test_a_deferral_may_last_as_long_as_is_left_of_execution_timeout(connect: Any, ods_portal: LocalPortal) -> None:
    long_wait(ods_portal)
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals", execution_timeout=timedelta(seconds=900))
    context = context_of(task)
    with pytest.raises(TaskDeferred) as first:
        run_task(task, context)
    assert timedelta(seconds=800) < first.value.timeout <= timedelta(seconds=900)
    trigger = over(first.value.trigger)
    # The wait took ten minutes.
    trigger.deadline = (datetime.fromisoformat(trigger.deadline) - timedelta(seconds=600)).isoformat()
    with pytest.raises(TaskDeferred) as second:
        resume_task(task, context, first.value, events_of(trigger)[0])
    assert timedelta(seconds=200) < second.value.timeout <= timedelta(seconds=300)
    late = {"status": "resume", "checkpoint": {}, "deadline": datetime.now(UTC).isoformat()}
    with pytest.raises(AirflowTaskTimeout, match="all legs and waits of a try together"):
        resume_task(task, context, second.value, late)
    with pytest.raises(AirflowTaskTimeout, match="while the task waited for the portal") as caught:
        task.resume_execution("__fail__", {"error": "Trigger timeout"}, context)
    assert caught.value.__suppress_context__
    with pytest.raises(TaskDeferred) as unlimited:
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))
    assert unlimited.value.timeout is None


def test_the_alarm_of_a_later_leg_comes_when_the_whole_time_is_over() -> None:
    from airflow.sdk.execution_time.timeout import timeout

    began = time.monotonic()
    with pytest.raises(AirflowTaskTimeout), timeout(60):
        hasten(datetime.now(UTC) + timedelta(seconds=0.3))
        time.sleep(30)
    assert time.monotonic() - began < 25
    # Nobody set one: none is set.
    hasten(datetime.now(UTC) + timedelta(seconds=0.01))
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_the_limit_is_kept_over_legs_that_are_rescheduled(connect: Any, ods_portal: LocalPortal) -> None:
    long_wait(ods_portal)
    limit = timedelta(seconds=1.5)
    task = OdsSearchOperator(task_id="t", dataset_id="world-capitals", deferrable=False, execution_timeout=limit)
    context = context_of(task)
    with pytest.raises(AirflowRescheduleException):
        run_task(task, context)
    time.sleep(limit.total_seconds())
    with pytest.raises(AirflowTaskTimeout):
        run_task(task, context)


# Who decides about deferral


def test_tasks_defer_where_nobody_has_set_airflows_default() -> None:
    assert deferrable_by_default()


@pytest.mark.parametrize(("value", "expected"), [("False", False), ("true", True)])
def test_airflows_default_wins_where_somebody_has_set_it(
    value: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", value)
    assert deferrable_by_default() is expected


def test_the_argument_wins_over_airflows_default(
    connect: Any, ods_portal: LocalPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "False")
    long_wait(ods_portal)
    with pytest.raises(TaskDeferred):
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals", deferrable=True))
    with pytest.raises(AirflowRescheduleException):
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))


# Failing


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "login_html"}, "OdsAuthError"),
        ({"kind": "html"}, "OdsNotAPortal"),
        ({"kind": "status", "status": 401}, "OdsAuthError"),
        ({"kind": "status", "status": 400}, "OdsQueryError"),
    ],
)
def test_what_no_retry_can_cure_fails_the_task_at_once(
    fault: dict[str, Any], said: str, connect: Any, ods_portal: LocalPortal
) -> None:
    ods_portal.fault(**fault, times=None)
    with pytest.raises(AirflowFailException, match=said) as caught:
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))
    assert len(ods_portal.requests) == 1
    # Airflow's log shows one traceback.
    assert "".join(traceback.format_exception(caught.value)).count("Traceback") == 1


def test_an_unknown_dataset_fails_at_once(connect: Any) -> None:
    with pytest.raises(AirflowFailException, match="OdsNotFound: The requested dataset no-such"):
        run_task(OdsSearchOperator(task_id="t", dataset_id="no-such"))


def test_a_query_that_the_portal_refuses_fails_at_once(connect: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"OdsQueryError: .*malformed"):
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals", where="no_such_field = 1"))


def test_a_portal_that_is_down_leaves_the_task_its_retries(connect: Any, ods_portal: LocalPortal) -> None:
    connect(extra={"max_retries": 1})
    ods_portal.fault("status", status=503, times=None)
    with pytest.raises(OdsServerError):
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))
    ods_portal.clear_faults()
    ods_portal.fault("drop", times=None)
    with pytest.raises(OdsTransportError):
        run_task(OdsSearchOperator(task_id="t", dataset_id="world-capitals"))


def test_a_cut_stream_leaves_no_file_and_the_older_one_stands(
    connect: Any, ods_portal: LocalPortal, tmp_path: Path
) -> None:
    connect(extra={"max_retries": 0})
    path = tmp_path / "capitals.csv"
    path.write_text("the older file")
    ods_portal.fault("cut", path="/exports/", times=None)
    with pytest.raises(OdsTransportError):
        run_task(OdsDownloadOperator(task_id="t", dataset_id="world-capitals", path=path, format="csv"))
    assert path.read_text() == "the older file"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_no_key_stands_in_any_failure(connect: Any, ods_portal: LocalPortal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    connect(extra={"max_retries": 0})
    for kind in ("drop", "bare_429", "login_html", "html", "redirect"):
        ods_portal.fault(kind, path="/push/")
        task = OdsPushOperator(
            task_id="t", dataset_id="live-readings", resource_id="realtime", records=[{"sensor_id": "s"}]
        )
        with pytest.raises(Exception, match="push") as caught:
            run_task(task)
        chain: BaseException | None = caught.value
        while chain is not None:
            assert ods_portal.push_key not in repr(chain)
            chain = chain.__cause__ or chain.__context__
    assert ods_portal.push_key not in caplog.text
    assert ods_portal.api_key not in caplog.text


# Being killed


@pytest.mark.at_length
def test_a_kill_suspends_and_the_next_try_goes_on(connect: Any, ods_portal: LocalPortal, tmp_path: Path) -> None:
    task = OdsMediaOperator(task_id="t", dataset_id="landmark-photos", path=str(tmp_path), kind="files", parallel=1)
    context = context_of(task)
    ods_portal.fault("stall", path="/files/", skip=10, times=1, seconds=1.5)

    def kill_in_the_middle() -> None:
        while sum("/files/" in entry.path for entry in ods_portal.requests) < 11:
            time.sleep(0.02)
        # What Airflow's signal handler does, but from beside: the exception goes nowhere, the flag must do.
        with pytest.raises(Suspended):
            task.on_kill()

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    with pytest.raises(SystemExit, match="the next try goes on"):
        run_task(task, context)
    killer.join()
    ods_portal.clear_faults()
    assert not list(tmp_path.glob(".*.part"))
    before = {entry.path for entry in ods_portal.requests if "/files/" in entry.path and entry.bytes_sent}
    ods_portal.requests.clear()
    again = OdsMediaOperator(task_id="t", dataset_id="landmark-photos", path=str(tmp_path), kind="files", parallel=1)
    assert run_task(again, context)["files"] == 40
    after = [entry.path for entry in ods_portal.requests if "/files/" in entry.path]
    assert len(before & set(after)) <= 1  # the one that was on its way
    assert len(after) <= 41 - len(before)


def test_a_kill_outside_of_the_work_does_nothing() -> None:
    OdsSearchOperator(task_id="t").on_kill()
