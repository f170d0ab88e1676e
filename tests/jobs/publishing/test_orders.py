"""Orders: given once, followed to any end, by whoever comes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from publishing_desk import Desk

from ods_provider.core.errors import OdsConfigError, OdsNotFound, OdsPublicationFailed
from ods_provider.core.outcome import Done, Wait
from ods_provider.jobs.publish import PublishJob


@pytest.fixture(autouse=True)
def _published(desk: Desk) -> None:
    desk.publish(desk.file())
    for path in desk.lab.checkpoints.iterdir():
        path.unlink()


@pytest.mark.at_length
def test_each_action_is_carried_out(desk: Desk) -> None:
    for action in ("publish", "publish_metadata", "unpublish"):
        result = desk.lab.done(PublishJob("mine", action))  # type: ignore[arg-type]
        assert (result["action"], result["status"], result["records_errors"]) == (action, "idle", 0)
        assert not desk.lab.checkpoints.exists()
    assert "mine" not in desk.portal.store.datasets


@pytest.mark.parametrize("status", ["error", "limit_reached"])
def test_any_end_is_an_end(desk: Desk, status: str) -> None:
    desk.office.outcome(dataset_id="mine", status=status, message="Enough")
    with pytest.raises(OdsPublicationFailed, match=f"{status}: Enough"):
        desk.lab.done(PublishJob("mine"))
    assert not desk.lab.checkpoints.exists()


@pytest.mark.at_length
def test_cells_that_do_not_fit_are_counted_and_shown(desk: Desk) -> None:
    errors = [{"record_id": str(n), "field_uid": "n", "message": "no number"} for n in range(12)]
    desk.office.outcome(dataset_id="mine", records_errors=errors)
    result = desk.lab.done(PublishJob("mine"))
    assert (result["records_errors"], len(result["shown_errors"])) == (12, 10)
    assert result["shown_errors"][0] == "0 n: no number"


@pytest.mark.at_length
def test_an_order_of_a_process_that_died_is_followed_and_an_old_one_forgotten(desk: Desk) -> None:
    desk.office.switch(processing_s=None)
    job = PublishJob("mine")
    before = desk.posts("/publish/")
    assert isinstance(desk.lab.run(job), Wait)
    assert isinstance(desk.lab.run(job), Wait)
    assert desk.posts("/publish/") == before + 1
    desk.office.switch(processing_s=0.0)
    desk.office.settle()
    unit = desk.lab.checkpoints / "publication.json"
    kept = json.loads(unit.read_text())
    kept["order"]["began"] = (desk.lab.now() - timedelta(days=3)).isoformat()
    unit.write_text(json.dumps(kept))
    # Who asks three days later means another publication.
    assert isinstance(desk.lab.run(job), Done)
    assert desk.posts("/publish/") == before + 2


def test_what_is_not_there_or_not_known_is_told(desk: Desk) -> None:
    with pytest.raises(OdsNotFound):
        desk.lab.run(PublishJob("nothing-of-the-kind"))
    with pytest.raises(OdsConfigError, match="publish, publish_metadata, unpublish"):
        PublishJob("mine", "retract")  # type: ignore[arg-type]
