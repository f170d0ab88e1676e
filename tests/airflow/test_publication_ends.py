"""Every end of a publication, and every step that fails, as a task tells it, and whether it is tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow_task import at_once, context_of, events_of, finish_task, resume_task, run_task

from ods_provider import OdsClient
from ods_provider.core.errors import OdsError, OdsPublicationRunning
from ods_provider.operators.publish import OdsPublishFileOperator, OdsPublishOperator
from ods_provider.testing.portal import LocalPortal

BEFORE, AFTER = "name;n\na;1\nb;2\nc;3\n", "name;n\nd;4\ne;5\nf;6\n"
CELLS = [{"record_id": str(n), "field_uid": "n", "message": "no number"} for n in range(2)]


@pytest.fixture
def mine(connect: Any, ods_portal: LocalPortal, tmp_path: Path) -> Path:
    """A file for a dataset that shows another one."""
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        client.automation.datasets.create({"default": {"title": {"value": "Mine"}}}, dataset_id="mine")
    path = tmp_path / "a.csv"
    path.write_text(BEFORE)
    finish_task(publish(path))
    path.write_text(AFTER)
    ods_portal.requests.clear()
    return path


def publish(path: Path, **given: Any) -> OdsPublishFileOperator:
    return OdsPublishFileOperator(task_id="t", dataset_id="mine", path=str(path), if_unchanged="publish", **given)


def names(portal: LocalPortal) -> str:
    return "".join(sorted(row["name"] for row in portal.rows("mine")))


def orders(portal: LocalPortal) -> int:
    return sum(call.method == "POST" and call.path.endswith("/publish/") for call in portal.requests)


@dataclass(frozen=True)
class End:
    """How the portal ends a run.

    Attributes:
        outcome: What is ordered of it.
        said: What the task says of it; None where it succeeds.
        again: Whether the new rows were public meanwhile, so that the earlier file is published again.
        given: Arguments of the task.
    """

    outcome: dict[str, Any]
    said: str | None = None
    again: bool = False
    given: dict[str, Any] = field(default_factory=dict)


ENDS = {
    "idle": End({"status": "idle"}),
    "idle, cells are lost": End({"records_errors": CELLS}, r"2 cells do not fit .*0 n: no number", again=True),
    "idle, one cell is lost": End({"records_errors": CELLS[:1]}, "1 cell does not fit its field", again=True),
    "idle, no more cells than allowed": End({"records_errors": CELLS}, given={"max_errors": 2}),
    "error": End({"status": "error", "message": "No such encoding"}, "error: No such encoding.*before still is"),
    "error, no message": End({"status": "error"}, r"the portal says: error.*before still is"),
    "limit_reached": End(
        {"status": "limit_reached", "params": {"error": {"limit_type": "records", "limit": 2}}},
        "limit_reached: limit_type records, limit 2",
        again=True,
    ),
}


@pytest.mark.at_length
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_each_end_is_told_and_what_is_public_is_right(mine: Path, ods_portal: LocalPortal, end: End) -> None:
    ods_portal.office.outcome(dataset_id="mine", **end.outcome)
    if end.said is None:
        result = finish_task(publish(mine, **end.given))
        assert (result["rows"], result["records_errors"]) == (3, len(end.outcome.get("records_errors", ())))
        assert (names(ods_portal), orders(ods_portal)) == ("def", 1)
        return
    # No retry can help: the same file would end in the same way.
    with pytest.raises(AirflowFailException, match=end.said):
        finish_task(publish(mine, **end.given))
    assert (names(ods_portal), orders(ods_portal)) == ("abc", 1 + end.again)


@pytest.mark.at_length(but=2)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_each_end_of_a_first_publication_is_told_and_the_dataset_is_made_once(
    mine: Path, ods_portal: LocalPortal, end: End
) -> None:
    def first() -> Any:
        task = OdsPublishFileOperator(task_id="t", dataset_id="new", path=str(mine), new_title="New", **end.given)
        return finish_task(task)

    def made() -> Any:
        (dataset,) = ods_portal.office.drafts.named("new")
        return dataset

    # It is made by a run whose upload fails: an outcome can be ordered of what is there.
    ods_portal.fault("status", method="POST", path="/files/", status=400, body="{}")
    with pytest.raises(AirflowFailException, match="HTTP 400"):
        first()
    draft = made()
    assert (draft.is_restricted, draft.resources, "new" in ods_portal.store.datasets) == (True, [], False)
    ods_portal.office.outcome(dataset_id="new", **end.outcome)
    if end.said is None:
        assert first()["rows"] == 3
    else:
        with pytest.raises(AirflowFailException, match=end.said.replace(".*before still is", "")):
            first()
        assert first()["verified"] == "counted"
    assert (made().uid, len(made().resources)) == (draft.uid, 1)
    assert sorted(row["name"] for row in ods_portal.rows("new")) == ["d", "e", "f"]


@pytest.mark.at_length
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_an_order_tells_the_same_end(mine: Path, ods_portal: LocalPortal, end: End) -> None:
    ods_portal.office.outcome(dataset_id="mine", **end.outcome)
    task = OdsPublishOperator(task_id="t", dataset_id="mine")
    if end.outcome.get("status", "idle") == "idle":
        assert finish_task(task)["records_errors"] == len(end.outcome.get("records_errors", ()))
    else:
        with pytest.raises(AirflowFailException, match=str(end.outcome["status"])):
            finish_task(task)
    assert orders(ods_portal) == 1


class TestWhileItIsDeferred:
    @pytest.fixture
    def ended(self, mine: Path, ods_portal: LocalPortal) -> Callable[[Callable[[Any], None]], Any]:
        """Publishes, has somebody do something meanwhile, and returns what the task does then."""
        ods_portal.office.switch(processing_s=None)
        task = publish(mine)
        context = context_of(task)

        def run(meanwhile: Callable[[Any], None]) -> Any:
            with pytest.raises(TaskDeferred) as deferred:
                run_task(task, context)
            trigger = at_once(deferred.value.trigger)
            trigger.poll_interval_s = 0.2

            def others() -> None:
                with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
                    ods_portal.office.switch(processing_s=0.0)
                    meanwhile(client.automation.datasets)
                ods_portal.office.settle()

            (event,) = events_of(trigger, meanwhile=others)
            return resume_task(task, context, deferred.value, event)

        return run

    @pytest.mark.at_length
    def test_a_run_that_somebody_stops_is_no_success(self, ended: Any, ods_portal: LocalPortal) -> None:
        with pytest.raises(
            AirflowFailException, match=r"it was aborted: the records may be incomplete.*published again"
        ):
            ended(lambda datasets: datasets.abort("mine"))
        assert names(ods_portal) == "abc"

    @pytest.mark.at_length
    def test_a_dataset_that_somebody_withdraws_is_no_success(self, ended: Any, ods_portal: LocalPortal) -> None:
        def withdrawn(datasets: Any) -> None:
            ods_portal.office.settle()
            datasets.unpublish("mine")

        with pytest.raises(AirflowFailException, match=r"the dataset is not published.*Nothing is public"):
            ended(withdrawn)
        assert "mine" not in ods_portal.store.datasets


@pytest.mark.at_length
def test_a_word_that_nobody_knows_is_waited_for_and_a_deadline_may_be_tried_again(
    mine: Path, ods_portal: LocalPortal
) -> None:
    # It comes after the portal's work, however long that takes here: another one is given more time until it is seen.
    for timeout in ("0.5", "8", "60"):
        with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
            client.automation.datasets.create({"default": {"title": {"value": "Resting"}}}, dataset_id=f"n-{timeout}")
        ods_portal.office.outcome(dataset_id=f"n-{timeout}", status="resting")
        ods_portal.requests.clear()
        task = OdsPublishFileOperator(task_id="t", dataset_id=f"n-{timeout}", path=str(mine), timeout=timeout)
        with pytest.raises(OdsPublicationRunning) as running:
            finish_task(task)
        if "resting" in str(running.value):
            break
    assert "resting" in str(running.value)
    assert orders(ods_portal) == 1


STEPS = {
    "find the dataset": ("GET", "/datasets/?"),
    "list resources": ("GET", "/resources/"),
    "upload": ("POST", "/files/"),
    "point at the file": ("PUT", "/resources/"),
    "read the status": ("GET", "/status/"),
    "order": ("POST", "/publish/"),
    "read back": ("GET", "/api/explore/"),
}


@pytest.mark.at_length
@pytest.mark.parametrize("status", [401, 403, 400, 500, 503])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_told_and_the_next_run_finishes_it(
    mine: Path, ods_portal: LocalPortal, step: str, status: int
) -> None:
    method, path = STEPS[step]
    body = '{"error_code": "of_some_kind", "message": "Not in my house"}'
    ods_portal.fault("status", method=method, path=path.rstrip("?"), times=None, status=status, body=body)
    if step == "read back" and status in (401, 403):
        # The key may publish and not read: that is told, and no failure.
        told = finish_task(publish(mine))
        assert (told["rows_shown"], told["verified"], names(ods_portal)) == (None, "published", "def")
        assert "Not in my house" in told["note"]
        return
    with pytest.raises(AirflowFailException if status < 500 else OdsError, match="Not in my house"):
        finish_task(publish(mine))
    assert names(ods_portal) in ("abc", "def")
    ods_portal.clear_faults()
    assert finish_task(publish(mine))["verified"] == "counted"
    assert names(ods_portal) == "def"
    taken = [call.path for call in ods_portal.requests if call.method == "POST" and (call.status or 0) < 400]
    # A file that was sent before something failed is sent again; an order that was given is not.
    sent = Counter(path.rsplit("/", 2)[1] for path in taken)
    assert sent.keys() == {"files", "publish"}
    assert (sent["publish"], sent["files"] <= 2) == (1, True)
