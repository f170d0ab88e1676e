"""Answers that are lost and calls that fail, wherever they fall: all is there once, with this file's rows."""

from __future__ import annotations

import random

import pytest
from effort import effort

KINDS = ("lost", "drop", "status")
CALLS = 16  # about as many as the whole takes


@pytest.mark.parametrize("seed", range(effort(8, at_length=60)))
def test_wherever_it_storms_everything_is_there_once(desk, tmp_path, seed):
    chance = random.Random(seed)
    fallen = [chance.choice(KINDS) for _ in range(3)]
    for kind in fallen:
        desk.portal.fault(kind, path="/api/automation/", skip=chance.randrange(CALLS))
    automation = desk.automation
    metadata = {"default": {"title": {"value": "Trees"}}}
    uid = automation.datasets.create(metadata, dataset_id="trees", is_restricted=False)["uid"]
    path = desk.file(tmp_path)
    resource = desk.resource("trees", path)
    automation.fields.add("trees", {"type": "annotate", "label": "key", "field": "name", "annotation": "id"})
    automation.schedules.add("trees", {"cron_schedule": "0 6 * * *"})
    automation.attachments.add("trees", path)
    automation.datasets.wait(automation.datasets.publish("trees"))
    draft = desk.office.drafts.find(uid)
    assert [each.dataset_id for each in desk.office.drafts.all()].count("trees") == 1
    assert [each.uid for each in draft.resources] == [resource]
    kept = (draft.fields, draft.schedules, draft.attachments, draft.versions)
    assert [len(each) for each in kept] == [1, 1, 1, 1], fallen
    assert sorted(row["n"] for row in desk.client.records("trees")) == [1, 2]
