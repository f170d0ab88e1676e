"""``ods publish-file`` and ``ods publish`` against the local portal."""

from __future__ import annotations

import pytest

from ods_provider import OdsClient

CSV = "name;n\na;1\nb;2\nc;3\n"


@pytest.fixture
def mine(ods_portal, tmp_path):
    """A dataset of ours, and a file to publish into it."""
    (tmp_path / "here" / "trees.csv").write_text(CSV)
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        return client.automation.datasets.create({"default": {"title": {"value": "Mine"}}}, dataset_id="mine")["uid"]


def test_a_file_is_published_and_not_again(ods, ods_portal, mine):
    told = ods("publish-file", "mine", "trees.csv")
    assert told.code == 0, told.err
    assert told.out.startswith("3 rows, 19 B, verified: counted, at ")
    assert len(ods_portal.rows("mine")) == 3
    again = ods("publish-file", "mine", "trees.csv", "--json")
    # The earlier run had told of it: what follows was run.
    assert (again.code, again.json["unchanged"]) == (3, True)
    assert ods("publish-file", "mine", "trees.csv", "--if-unchanged", "keep").code == 0
    assert sum(call.path.endswith("/publish/") for call in ods_portal.requests) == 1


def test_a_dry_run_says_what_would_be_done(ods, ods_portal, mine):
    told = ods("publish-file", "mine", "trees.csv", "--dry-run", "--json")
    assert (told.code, told.json["rows"], told.json["dry_run"]) == (0, 3, True)
    assert "a first resource would be made" in told.json["note"]
    assert ods("publish", "mine", "--dry-run", "--json").json["note"].startswith("nothing was ordered: publish of")
    assert not [call for call in ods_portal.requests if call.method != "GET" and not call.path.endswith("/datasets/")]


def test_what_fails_is_told_in_words_of_the_command_line(ods, ods_portal, mine):
    few = ods("publish-file", "mine", "trees.csv", "--min-rows", "10")
    assert (few.code, "fewer than --min-rows=10" in few.err) == (1, True)
    for words, said in (
        (("--max-drop", "many"), "--max-drop"),
        (("--delimiter", "xy"), "--delimiter"),
        (("--timeout", "0"), "--timeout"),
    ):
        refused = ods("publish-file", "mine", "trees.csv", *words)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    ods_portal.office.outcome(dataset_id="mine", status="error", message="No such encoding")
    failed = ods("publish-file", "mine", "trees.csv", "--max-drop", "none")
    assert (failed.code, "the portal says: error: No such encoding" in failed.err) == (1, True)


def test_parameters_of_the_extractor_have_their_types(ods, ods_portal, mine, tmp_path):
    (tmp_path / "here" / "bare.csv").write_text("a,1\nb,2\n")
    told = ods("publish-file", "mine", "bare.csv", "--param", "headers_first_row=false", "--param", "separator=,")
    assert told.code == 0, told.err
    (resource,) = ods_portal.office.drafts.find(mine).resources
    assert (resource.params["headers_first_row"], resource.params["separator"]) == (False, ",")
    assert len(ods_portal.rows("mine")) == 2


def test_without_waiting_the_same_command_goes_on(ods, ods_portal, mine):
    ods_portal.office.switch(processing_s=None)
    waiting = ods("publish-file", "mine", "trees.csv", "--no-wait")
    assert (waiting.code, "publish of mine: processing" in waiting.err) == (75, True)
    ods_portal.office.settle()
    assert ods("publish-file", "mine", "trees.csv", "--no-wait").code == 0
    assert sum(call.path.endswith("/files/") for call in ods_portal.requests) == 1


def test_a_dataset_is_published_and_withdrawn(ods, ods_portal, mine):
    assert ods("publish-file", "mine", "trees.csv").code == 0
    told = ods("publish", "mine", "--metadata-only")
    assert (told.code, told.out.startswith("publish_metadata: idle")) == (0, True), told.err
    refused = ods("publish", "mine", "--unpublish")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert ods("publish", "mine", "--unpublish", "--metadata-only").code == 2
    assert ods("publish", "mine", "--unpublish", "--yes").code == 0
    assert "mine" not in ods_portal.store.datasets


@pytest.mark.at_length
def test_a_deadline_stops_the_portal_only_when_told(ods, ods_portal, mine):
    assert ods("publish-file", "mine", "trees.csv").code == 0
    ods_portal.office.switch(processing_s=None)
    late = ods("publish", "mine", "--timeout", "0.01")
    assert (late.code, "It goes on there" in late.err) == (1, True), late.err
    assert ods_portal.office.drafts.find(mine).status.status == "processing"
    stopped = ods("publish", "mine", "--timeout", "0.01", "--abort-on-timeout")
    assert (stopped.code, "told to stop" in stopped.err) == (1, True), stopped.err
    ods_portal.office.settle()
    assert ods_portal.office.drafts.find(mine).status.status == "idle"


@pytest.mark.at_length
def test_a_dataset_that_is_not_there_is_made_by_its_first_file(ods, ods_portal, mine):
    missing = ods("publish-file", "trees", "trees.csv")
    assert (missing.code, "pass --new-title 'Its title'" in missing.err) == (1, True), missing.err
    would = ods("publish-file", "trees", "trees.csv", "--new-title", "Our trees", "--dry-run", "--json")
    assert (would.code, "would be made, restricted, as 'Our trees'" in would.json["note"]) == (0, True)
    told = ods("publish-file", "trees", "trees.csv", "--new-title", "Our trees", "--json")
    assert (told.code, told.json["rows_shown"]) == (0, 3), told.err
    (dataset,) = ods_portal.office.drafts.named("trees")
    assert dataset.is_restricted
