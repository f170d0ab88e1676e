"""An error that a portal tells with HTTP 200 is no success: of no change, in either envelope."""

from __future__ import annotations

import json
from typing import Any

import pytest
from publishing_desk import Desk

from ods_provider.core.errors import OdsQueryError
from ods_provider.jobs.metadata import MetadataJob
from ods_provider.jobs.publish import PublishJob
from ods_provider.jobs.visibility import VisibilityJob

ENVELOPES = [
    {"error_code": "validation_error", "message": "Not in my house", "detail": {"x": ["is none"]}},
    {
        "status_code": 400,
        "error_key": "ODSException",
        "message": "Not in my house",
        "raw_message": "",
        "raw_params": {},
    },
]
CHANGES: dict[str, tuple[str, str, Any]] = {
    "upload": ("POST", "/files/", None),
    "pointing": ("PUT", "/resources/", None),
    "order": ("POST", "/publish/", PublishJob("mine")),
    "metadata": ("PUT", "/title/", MetadataJob("mine", {"default.title": "Other"})),
    "visibility": ("PUT", "/datasets/", VisibilityJob("mine", public=False)),
}


@pytest.mark.at_length(but=3)
@pytest.mark.parametrize("envelope", ENVELOPES, ids=["new", "old"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_was_refused_is_not_taken_for_made(desk: Desk, change: str, envelope: dict[str, Any]) -> None:
    method, path, job = CHANGES[change]
    desk.publish(desk.file())
    if job is None:
        desk.file(content="name;n\nd;4\n")
    desk.portal.fault("status", status=200, body=json.dumps(envelope), method=method, path=path, times=None)
    with pytest.raises(OdsQueryError, match=r"Not in my house.*told with HTTP 200"):
        desk.lab.done(job) if job else desk.publish(desk.folder / "a.csv")
    assert sorted(row["name"] for row in desk.rows()) == ["a", "b", "c"]
