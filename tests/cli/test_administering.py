"""``ods harvest``, ``ods visibility``, ``ods status`` and ``ods attachments`` against the local portal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from shell import on_a_terminal, plain

from ods_provider import OdsClient
from ods_provider.core.errors import OdsNotFound


def orders(portal):
    return [call.path.rsplit("/", 2)[1] for call in portal.requests if call.method not in ("GET", "HEAD")]


class TestHarvest:
    def test_a_harvest_says_what_came(self, ods, ods_portal):
        told = ods("harvest", "Town gardens")
        assert told.code == 0, told.err
        assert told.out.startswith("2 datasets of town-gardens, 2 new, 2 published, ")
        assert orders(ods_portal) == ["start", "publish"]
        again = ods("harvest", "town-gardens", "--no-publish", "--json")
        assert (again.json["attached"], again.json["new"], again.json["published"]) == (2, [], None)

    @pytest.mark.at_length
    def test_its_errors_are_told_and_end_with_1(self, ods, ods_portal):
        bad = {"dataset_id": "bad", "metadata": {}, "error": "The source has no rows"}
        ods_portal.office.add_harvester("Lakes", datasets=[bad])
        failed = ods("harvest", "lakes")
        assert (failed.code, "harvest of bad: The source has no rows" in failed.err) == (1, True)
        assert "let so many fail with --max-errors 1" in failed.err
        allowed = ods("harvest", "lakes", "--max-errors", "1")
        assert (allowed.code, "harvest of bad failed: The source has no rows" in allowed.out) == (0, True)

    @pytest.mark.at_length
    def test_without_waiting_the_same_command_goes_on(self, ods, ods_portal):
        ods_portal.office.switch(processing_s=None)
        assert ods("harvest", "town-gardens", "--no-wait").code == 75
        ods_portal.office.switch(processing_s=0.0)
        ods_portal.office.settle()
        assert ods("harvest", "town-gardens", "--no-wait").code == 0
        assert orders(ods_portal) == ["start", "publish"]

    @pytest.mark.at_length
    def test_a_dry_run_and_a_mistyped_id(self, ods, ods_portal):
        assert "nothing was ordered" in ods("harvest", "town-gardens", "--dry-run").out
        wrong = ods("harvest", "town-garden")
        assert (wrong.code, "Perhaps 'town-gardens'" in wrong.err) == (1, True)
        assert orders(ods_portal) == []


class TestVisibility:
    @pytest.mark.at_length
    def test_a_dataset_is_closed_without_a_question_and_opened_with_yes_only(self, ods, ods_portal):
        closed = ods("visibility", "world-capitals", "restricted")
        assert (closed.code, closed.out.startswith("restricted, everybody sees nothing")) == (0, True), closed.err
        with OdsClient(ods_portal.url) as anybody, pytest.raises(OdsNotFound):
            anybody.dataset("world-capitals")
        refused = ods("visibility", "world-capitals", "public")
        assert (refused.code, "--yes" in refused.err) == (2, True)
        opened = ods("visibility", "world-capitals", "public", "--yes", "--json")
        assert opened.json["anonymous"] == {"seen": True, "records": 110}

    def test_a_dry_run_changes_nothing_and_other_words_are_refused(self, ods, ods_portal):
        told = ods("visibility", "world-capitals", "restricted", "--dry-run")
        assert "now an anonymous call gets the dataset and 110 records" in told.out
        wrong = ods("visibility", "world-capitals", "privat")
        assert (wrong.code, "neither public nor restricted" in wrong.err) == (2, True)
        assert orders(ods_portal) == []


class TestStatus:
    @pytest.mark.at_length
    def test_many_datasets_are_shown_by_few_calls(self, ods, ods_portal):
        ods("harvest", "town-gardens")
        ods_portal.requests.clear()
        told = ods("status", "--where", 'title like "of the town"')
        assert told.code == 0, told.err
        assert [line.split()[0] for line in told.out.splitlines()[2:]] == ["town-benches", "town-gardens"]
        assert len(ods_portal.requests) == 2

    def test_what_failed_is_told_and_check_ends_with_1(self, ods, ods_portal):
        assert ods("status", "--check").code == 0
        ods_portal.office.outcome(dataset_id="world-capitals", status="error", message="No such encoding")
        ods("publish", "world-capitals")
        failed = ods("status", "--check", "--failed")
        assert (failed.code, "1 of 7 failed" in failed.err) == (1, True)
        (line,) = failed.out.splitlines()[2:]
        assert line.startswith("world-capitals")
        assert "No such encoding" in line

    @pytest.mark.at_length
    def test_json_has_exact_times_and_unpublished_datasets(self, ods, ods_portal):
        ods("harvest", "town-gardens", "--no-publish")
        rows = [json.loads(line) for line in ods("status", "--json").out.splitlines()]
        by_id = {row["dataset_id"]: row for row in rows}
        assert by_id["world-capitals"]["data_processed"] == "2026-01-05T08:00:00+00:00"
        assert (by_id["town-gardens"]["is_published"], by_id["town-gardens"]["title"]) == (False, "Gardens of the town")
        named = [
            json.loads(line) for line in ods("status", "town-gardens", "world-capitals", "--json").out.splitlines()
        ]
        assert [(row["dataset_id"], row["status"]) for row in named] == [
            ("town-gardens", "idle"),
            ("world-capitals", "idle"),
        ]

    @pytest.mark.at_length
    def test_without_a_key_it_tells_what_the_catalogue_does(self, ods):
        told = ods("status", "--search", "capitals", "--json", ODS_API_KEY="")
        assert (told.json["dataset_id"], told.json["records_count"], told.json["uid"] is None) == (
            "world-capitals",
            110,
            False,
        )

    @pytest.mark.at_length
    def test_a_mistyped_dataset_is_answered_with_what_is_like_it(self, ods):
        wrong = ods("status", "world-capital")
        assert (wrong.code, "Perhaps 'world-capitals' is meant" in wrong.err) == (1, True)


class TestAttachments:
    @pytest.fixture(autouse=True)
    def _file(self, ods, tmp_path):
        (tmp_path / "here" / "legend.txt").write_text("one")

    @pytest.mark.at_length
    def test_a_file_is_added_replaced_and_removed(self, ods, ods_portal, tmp_path):
        assert ods("attachments", "add", "world-capitals", "legend.txt").code == 0
        (tmp_path / "here" / "legend.txt").write_text("two")
        refused = ods("attachments", "add", "world-capitals", "legend.txt")
        assert (refused.code, "nobody can be asked here (--yes)" in refused.err) == (2, True)
        told = ods("attachments", "add", "world-capitals", "legend.txt", "--yes")
        assert told.out == "legend.txt added in place of 1 of that name\n"
        assert "ods publish world-capitals --metadata-only" in told.err
        there = ods("attachments", "list", "world-capitals", "--json").json
        with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
            assert b"".join(client.automation.attachments.download("world-capitals", there["uid"])) == b"two"
        assert ods("attachments", "remove", "world-capitals", "legend.txt", "--dry-run").out.endswith("be deleted\n")
        assert ods("attachments", "remove", "world-capitals", "legend.txt").code == 2
        assert ods("attachments", "remove", "world-capitals", there["uid"], "--yes").code == 0
        assert "There are none" in ods("attachments", "list", "world-capitals").err

    def test_it_is_served_once_it_is_published(self, ods, ods_portal):
        assert ods("attachments", "add", "world-capitals", "legend.txt", "--name", "key.txt").code == 0
        assert ods("publish", "world-capitals", "--metadata-only").code == 0
        told = ods("media", "world-capitals", "files")
        assert told.code == 0, told.err

    @pytest.mark.at_length
    def test_what_is_not_there_is_answered_with_what_is(self, ods, ods_portal):
        ods("attachments", "add", "world-capitals", "legend.txt")
        wrong = ods("attachments", "remove", "world-capitals", "legnd.txt", "--yes")
        assert (wrong.code, "There is 'legend.txt'" in wrong.err) == (1, True)
        assert ods("attachments", "add", "world-capitals", "nothing.txt").code == 2


@pytest.mark.at_length
def test_the_lines_of_cron_open_a_dataset_and_publish_a_harvest_and_say_nothing(ods_portal, surroundings, tmp_path):
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        client.automation.datasets.update("world-capitals", is_restricted=True)
        client.automation.datasets.wait(client.automation.datasets.publish("world-capitals"))
    script = Path(__file__).parents[2] / "docs" / "examples" / "administering.sh"
    env = os.environ | surroundings | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", str(script)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with OdsClient(ods_portal.url) as anybody:
        assert {"world-capitals", "town-gardens"} <= {row["dataset_id"] for row in anybody.datasets()}


@pytest.mark.at_length
@pytest.mark.parametrize(("word", "code", "seen"), [("y", 0, True), ("", 1, False)])
def test_on_a_terminal_a_person_is_asked_before_something_becomes_public(
    ods_portal, surroundings, tmp_path, word, code, seen
):
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        client.automation.datasets.update("world-capitals", is_restricted=True)
        client.automation.datasets.wait(client.automation.datasets.publish("world-capitals"))
    words = ["visibility", "world-capitals", "public"]
    keys = [(b"Show world-capitals to everybody? [y/N]:", f"{word}\n".encode())]
    ended, got = on_a_terminal(words, surroundings, tmp_path, keys=keys)
    assert ended == code, plain(got)
    with OdsClient(ods_portal.url) as anybody:
        assert ("world-capitals" in {row["dataset_id"] for row in anybody.datasets()}) is seen


@pytest.mark.at_length
@pytest.mark.parametrize(("word", "code", "left"), [("y", 0, 0), ("n", 1, 1)])
def test_on_a_terminal_a_person_is_asked_before_an_attachment_goes(
    ods, ods_portal, surroundings, tmp_path, word, code, left
):
    (tmp_path / "here" / "legend.txt").write_text("one")
    assert ods("attachments", "add", "world-capitals", "legend.txt").code == 0
    words = ["attachments", "remove", "world-capitals", "legend.txt"]
    keys = [(b"Delete legend.txt from world-capitals? [y/N]:", f"{word}\n".encode())]
    ended, got = on_a_terminal(words, surroundings, tmp_path, keys=keys)
    assert ended == code, plain(got)
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key) as client:
        names = [each["filename"] for each in client.automation.attachments.list("world-capitals")]
    assert names.count("legend.txt") == left
