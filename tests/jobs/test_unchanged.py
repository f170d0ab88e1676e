"""Not again: what an earlier run wrote is kept, or what follows is skipped, and only when nothing changed."""

from __future__ import annotations

import json
import os
import shutil
import threading
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from bucket import Bucket
from lab import Killed, Lab
from replay import answer, replay

from ods_provider.core.errors import OdsConfigError, OdsIncomplete
from ods_provider.core.events import Event, RequestSent
from ods_provider.core.formats.registry import format_named
from ods_provider.core.outcome import Done
from ods_provider.core.query import Query
from ods_provider.jobs.arguments import download_job, media_job, search_job
from ods_provider.jobs.context import Suspended
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.media import MediaJob
from ods_provider.jobs.search import SearchJob
from ods_provider.plugins.builtin import CommandLine
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.sinks import sidecar
from ods_provider.sinks.destination import destination
from ods_provider.sinks.litter import OF_RUNS, OF_STORES
from ods_provider.sinks.sidecar import Told
from ods_provider.stores import last
from ods_provider.testing.portal import LocalPortal

DATASET, PHOTOS = "world-capitals", "landmark-photos"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Forgetful(CommandLine):
    """A scheduler that remembers nothing."""

    name = "forgetful"

    @hookimpl
    def ods_get_scheduler(self, name: str) -> Forgetful | None:
        return self if name == self.name else None


def _job(
    path: Any, how: str = "keep", format: str = "csv", dataset_id: str | None = DATASET, **more: Any
) -> DownloadJob:
    return DownloadJob(dataset_id, path, format_named(format), if_unchanged=how, **more)  # type: ignore[arg-type]


def _exports(portal: LocalPortal) -> int:
    return sum("/exports/" in entry.path for entry in portal.requests)


def _done(lab: Lab, job: Any, **how: Any) -> Done:
    ended = lab.run(job, **how)
    assert isinstance(ended, Done)
    return ended


# The file that stands there


def test_a_file_of_a_dataset_that_did_not_change_is_kept_and_the_portal_is_looked_at_once(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    first = lab.done(_job(out / "a.csv"))
    before = (out / "a.csv").stat()
    portal.requests.clear()
    second = lab.done(_job(out / "a.csv"))
    assert first["unchanged"] is False
    assert second == first | {
        "unchanged": True,
        "calls": 2,
        "quota_remaining": second["quota_remaining"],
    }
    assert [entry.path.rpartition("/")[2] for entry in portal.requests] == [DATASET, "records"]
    assert os.path.samestat(before, (out / "a.csv").stat())
    assert lab.files() == [".a.csv.ods.json", "a.csv"]


def test_skip_says_why_and_gives_the_earlier_outcome(lab: Lab, out: Path) -> None:
    first = lab.done(_job(out / "a.csv", "skip"))
    ended = _done(lab, _job(out / "a.csv", "skip"))
    assert ended.result["unchanged"] is True
    assert ended.result["sha256"] == first["sha256"]
    assert ended.skipped == (
        f"{DATASET} has not changed since {first['data_processed']} and was loaded before, to {out / 'a.csv'}"
    )


def test_fetch_always_fetches_and_leaves_nothing_beside_the_file(lab: Lab, portal: LocalPortal, out: Path) -> None:
    for _ in range(2):
        assert lab.done(_job(out / "a.csv", "fetch"))["unchanged"] is False
    assert _exports(portal) == 2
    assert lab.files() == ["a.csv"]


def test_a_file_that_fetch_wrote_is_known_by_its_bytes_where_the_scheduler_remembers_it(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    lab.remembered = lab.done(_job(out / "a.csv", "fetch"))
    assert lab.done(_job(out / "a.csv"))["unchanged"] is True


@pytest.mark.parametrize("how", ["keep", "skip"])
def test_a_dataset_that_was_republished_is_fetched(lab: Lab, portal: LocalPortal, out: Path, how: str) -> None:
    lab.done(_job(out / "a.csv", how))
    portal.touch(DATASET, rows=2)
    ended = _done(lab, _job(out / "a.csv", how))
    assert (ended.result["rows"], ended.result["unchanged"], ended.skipped) == (112, False, None)
    assert _done(lab, _job(out / "a.csv", how)).result["unchanged"] is True


@pytest.mark.parametrize(
    "changed",
    [
        {"query": Query.of(where="population > 1000000")},
        {"query": Query.of(timezone="Europe/Paris")},
        {"limit": 17},
        {"format_options": {"delimiter": ";"}},
        {"format": "jsonl"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_question_is_fetched(lab: Lab, portal: LocalPortal, out: Path, changed: dict[str, Any]) -> None:
    lab.done(_job(out / "a"))
    assert lab.done(_job(out / "a", **changed))["unchanged"] is False
    assert lab.done(_job(out / "a", **changed))["unchanged"] is True


@pytest.mark.at_length(but=3)
@pytest.mark.parametrize("how", ["keep", "skip"])
@pytest.mark.parametrize("harm", ["other bytes", "shorter", "gone", "a broken sidecar", "another release"])
def test_a_file_that_does_not_stand_as_it_was_written_is_fetched(
    lab: Lab, portal: LocalPortal, out: Path, harm: str, how: str
) -> None:
    lab.remembered = {}
    path, beside = out / "a.csv", out / ".a.csv.ods.json"
    lab.done(_job(path, how))
    whole = path.read_bytes()
    if harm == "other bytes":
        path.write_bytes(whole[:-2] + b"X\n")
    elif harm == "shorter":
        path.write_bytes(whole[:-10])
    elif harm == "gone":
        path.unlink()
    elif harm == "a broken sidecar":
        beside.write_text('{"version": 1, "outcome"')
    else:
        beside.write_text(json.dumps(json.loads(beside.read_text()) | {"version": 99}))
    ended = _done(lab, _job(path, how))
    assert (ended.result["unchanged"], ended.skipped) == (False, None)
    assert path.read_bytes() == whole
    assert _exports(portal) == 2


@pytest.mark.at_length(but=2)
@pytest.mark.parametrize(
    "text", ["[]", "null", "{}", '{"version": 1, "files": {}, "outcome": []}', "\x00", "[" * 99_999]
)
def test_whatever_stands_in_a_sidecar_is_no_error(lab: Lab, out: Path, text: str) -> None:
    lab.remembered = {}
    lab.done(_job(out / "a.csv"))
    (out / ".a.csv.ods.json").write_text(text)
    assert lab.done(_job(out / "a.csv"))["unchanged"] is False


def test_a_sidecar_holds_no_key_and_no_question(lab: Lab, out: Path) -> None:
    lab.done(_job(out / "a.csv", query=Query.of(where="name = 'Kābul'")))
    told = json.loads((out / ".a.csv.ods.json").read_text())
    assert lab.api_key not in json.dumps(told)
    assert "name =" not in json.dumps(told)
    assert set(told) == {"version", "fingerprint", "run", "outcome", "files"}


def test_the_same_portal_under_another_port_is_the_same(lab: Lab, make_lab: Any, out: Path) -> None:
    lab.done(_job(out / "a.csv"))
    with LocalPortal(api_key=lab.api_key) as other:
        again = make_lab(other.url, api_key=lab.api_key)
        assert again.done(_job(out / "a.csv"))["unchanged"] is True


def test_a_link_is_followed_and_the_sidecar_lies_beside_what_it_leads_to(lab: Lab, out: Path) -> None:
    (out / "there").mkdir()
    (out / "a.csv").symlink_to(out / "there" / "b.csv")
    lab.done(_job(out / "a.csv"))
    assert lab.done(_job(out / "a.csv"))["unchanged"] is True
    assert lab.files() == ["a.csv", "there", "there/.b.csv.ods.json", "there/b.csv"]


def test_fewer_rows_than_are_wanted_now_are_not_kept(lab: Lab, out: Path) -> None:
    lab.done(_job(out / "a.csv"))
    assert lab.done(_job(out / "a.csv", min_rows=110))["unchanged"] is True
    with pytest.raises(OdsIncomplete):
        lab.run(_job(out / "a.csv", min_rows=111))


def test_a_question_about_today_is_asked_every_day(lab: Lab, out: Path) -> None:
    query = Query.of(where="population > 0 AND date'2020-01-01' < NOW()")
    for _ in range(2):
        assert lab.done(_job(out / "a.csv", query=query))["unchanged"] is False


def test_a_portal_that_does_not_say_when_the_data_changed_is_fetched_from(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    for _ in range(2):
        assert lab.done(_job(out / "c.csv", dataset_id=None))["unchanged"] is False
    assert lab.files() == ["c.csv"]


def test_a_file_of_either_of_two_states_is_not_kept(lab: Lab, portal: LocalPortal, out: Path) -> None:
    class Republishing:
        @hookimpl
        def ods_job_event(self, event: Event) -> None:
            if isinstance(event, RequestSent) and "/exports/" in event.url:
                portal.touch(DATASET, rows=3)

    lab.plugins = Plugins({"lab": lab, "republishing": Republishing()}, entry_points=False)
    for _ in range(2):
        moved = lab.done(_job(out / "a.csv", if_moved="accept"))
        assert (moved["moved"], moved["unchanged"], moved["dataset_state"]) == (True, False, None)
    assert lab.files() == ["a.csv"]


def test_a_job_that_is_told_to_stop_stops_while_it_reads_the_file(lab: Lab, out: Path) -> None:
    lab.done(_job(out / "a.csv"))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Suspended):
        lab.run(_job(out / "a.csv"), cancel=cancel)


@pytest.mark.parametrize("job", [_job, lambda path, how: SearchJob(DATASET, Query(), path=path, if_unchanged=how)])
def test_a_bad_word_is_an_error_that_lists_the_words(out: Path, job: Any) -> None:
    with pytest.raises(OdsConfigError, match="Use fetch, keep or skip"):
        job(out / "a.csv", "maybe")


# A bucket


@pytest.fixture
def bucket(lab: Lab) -> Bucket:
    made = Bucket()
    lab.filesystems["s3"] = made
    return made


@pytest.mark.parametrize("how", ["keep", "skip"])
def test_on_a_bucket_a_file_is_known_by_its_mark(lab: Lab, portal: LocalPortal, bucket: Bucket, how: str) -> None:
    lab.done(_job("s3://lake/x/a.csv", how))
    assert set(bucket.objects) == {"lake/x/a.csv", "lake/x/.a.csv.ods.json"}
    assert _done(lab, _job("s3://lake/x/a.csv", how)).result["unchanged"] is True
    bucket.objects["lake/x/a.csv"] = bucket.objects["lake/x/a.csv"][::-1]
    assert _done(lab, _job("s3://lake/x/a.csv", how)).result["unchanged"] is False
    assert _exports(portal) == 2


def test_whoever_may_write_but_not_read_a_bucket_fetches(lab: Lab, bucket: Bucket, shelf: Any) -> None:
    class Blind(Bucket):
        def info(self, path: str, **_: Any) -> dict[str, Any]:
            raise PermissionError("Forbidden")

        ls = find = info

        def _open(self, path: str, mode: str = "rb", **how: Any) -> Any:
            if mode == "rb":
                raise PermissionError("Forbidden")
            return super()._open(path, mode, **how)

    lab.filesystems["s3"] = blind = Blind()
    for _ in range(2):
        assert lab.done(_job("s3://lake/x/a.csv"))["unchanged"] is False
    assert set(blind.objects) == {"lake/x/a.csv"}
    assert any("may write there, but not look" in line and " INFO " in line for line in shelf.lines)


# Memory: paths that are new every night, and runs that failed


def test_a_path_that_is_new_every_night_is_served_by_what_stands_under_the_older_one(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    first = lab.done(_job(out / "2026-01-01" / "a.csv"), name="monday")
    second = lab.done(_job(out / "2026-01-02" / "a.csv"), name="tuesday")
    assert second["unchanged"] is True
    assert second["path"] == first["path"] == str(out / "2026-01-01" / "a.csv")
    assert second["fingerprint"] == first["fingerprint"]
    assert _exports(portal) == 1
    third = lab.done(_job(out / "2026-01-03" / "a.csv"), name="wednesday")
    assert third["path"] == first["path"]


def test_on_a_bucket_too(lab: Lab, bucket: Bucket) -> None:
    first = lab.done(_job("s3://lake/2026-01-01.csv"), name="monday")
    assert lab.done(_job("s3://lake/2026-01-02.csv"), name="tuesday")["path"] == first["path"]
    del bucket.objects["lake/2026-01-01.csv"]
    assert lab.done(_job("s3://lake/2026-01-02.csv"), name="tuesday")["unchanged"] is False


def test_an_older_file_that_is_gone_or_another_one_now_is_fetched_by_keep_and_skipped_by_skip(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    lab.done(_job(out / "1.csv"), name="monday")
    (out / "1.csv").unlink()
    assert _done(lab, _job(out / "2.csv", "skip"), name="tuesday").skipped is not None
    assert lab.done(_job(out / "2.csv"), name="tuesday")["path"] == str(out / "2.csv")
    (out / "2.csv").write_text("other")
    assert lab.done(_job(out / "3.csv"), name="wednesday")["path"] == str(out / "3.csv")


def test_another_path_but_for_digits_is_other_work(lab: Lab, out: Path) -> None:
    lab.done(_job(out / "a.csv"))
    assert lab.done(_job(out / "b.csv"))["path"] == str(out / "b.csv")


@pytest.mark.parametrize("how", ["keep", "skip"])
def test_a_backup_of_an_older_state_at_this_path_is_fetched_although_the_newer_one_was_loaded(
    lab: Lab, portal: LocalPortal, out: Path, how: str
) -> None:
    path = out / "a.csv"
    lab.done(_job(path, how))
    backup = out.parent / "backup"
    shutil.copytree(out, backup)
    portal.touch(DATASET, rows=1)
    lab.done(_job(path, how))
    shutil.rmtree(out)
    shutil.copytree(backup, out)
    ended = _done(lab, _job(path, how))
    assert (ended.result["rows"], ended.result["unchanged"], ended.skipped) == (111, False, None)


def test_a_run_that_wrote_and_never_succeeded_is_made_good_without_fetching_and_without_a_skip(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    older = lab.done(_job(out / "a.csv", "skip"))
    portal.touch(DATASET, rows=1)
    lab.done(_job(out / "a.csv", "skip"))
    # As a scheduler tells it whose worker died between the commit and the end of the task.
    lab.remembered = older
    ended = _done(lab, _job(out / "a.csv", "skip"), name="the next night")
    assert (ended.result["rows"], ended.result["unchanged"], ended.skipped) == (111, True, None)
    assert _exports(portal) == 2


def test_where_nobody_remembers_the_run_that_wrote_it_is_not_skipped_and_others_are(lab: Lab, out: Path) -> None:
    lab.scheduler = "forgetful"
    lab.plugins = Plugins({"lab": lab, "forgetful": Forgetful()}, entry_points=False)
    lab.done(_job(out / "a.csv", "skip"), name="monday")
    assert _done(lab, _job(out / "a.csv", "skip"), name="monday").skipped is None
    assert _done(lab, _job(out / "a.csv", "skip"), name="tuesday").skipped is not None


def test_a_failed_run_moves_no_memory(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.done(_job(out / "1.csv", "skip"), name="monday")
    portal.touch(DATASET, rows=1)
    portal.fault("short_rows", path="/exports/", times=None)
    with pytest.raises(OdsIncomplete):
        lab.run(_job(out / "2.csv", "skip"), name="tuesday")
    portal.clear_faults()
    assert _done(lab, _job(out / "3.csv", "skip"), name="wednesday").result["rows"] == 111


def test_the_command_lines_memory_is_never_moved_back(tmp_path: Path) -> None:
    told = {"fingerprint": "a" * 16, "dataset_state": "s", "data_processed": "2026-01-02T00:00:00+00:00"}
    last.remember(told)
    last.remember(told | {"data_processed": "2026-01-01T00:00:00+00:00"})
    assert last.last_success("a" * 16) == told
    last.remember(told | {"data_processed": "2026-01-03T00:00:00+00:00"})
    assert last.last_success("a" * 16)["data_processed"] == "2026-01-03T00:00:00+00:00"
    last.remember(told | {"data_processed": "2027-01-03T00:00:00+00:00", "dataset_state": None})
    assert last.last_success("a" * 16)["data_processed"] == "2026-01-03T00:00:00+00:00"


@pytest.mark.parametrize("told", [{"fingerprint": 3}, {"fingerprint": "x", "rows": "many"}])
def test_a_memory_of_anything_else_is_fetched_from(lab: Lab, out: Path, told: Any) -> None:
    lab.remembered = told
    assert lab.done(_job(out / "a.csv"))["unchanged"] is False


def test_no_rule_of_litter_takes_a_sidecar(out: Path) -> None:
    for name in ("a.csv", "manifest.jsonl", "0123456789ab.part", "a.0123456789ab.part"):
        beside = Told(destination(out / name)).sidecar.name
        assert not OF_RUNS.fullmatch(beside)
        assert not OF_STORES.fullmatch(beside)


# Other jobs


def test_a_search_to_a_file_is_kept_too(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = search_job(dataset_id=DATASET, path=out / "a.jsonl", order_by="name", if_unchanged=" Keep ")
    first = lab.done(job)
    portal.requests.clear()
    second = lab.done(job)
    assert (first["unchanged"], second["unchanged"], second["calls"]) == (False, True, 2)
    assert second["rows"] == 110
    assert second["data_processed"] == "2026-01-05T08:00:00+00:00"
    portal.touch(DATASET, rows=1)
    assert lab.done(job)["rows"] == 111


def test_a_search_that_returns_rows_has_nothing_to_keep(lab: Lab) -> None:
    with pytest.raises(OdsConfigError, match="Give a path"):
        search_job(dataset_id=DATASET, if_unchanged="keep")


def test_the_older_api_keeps_downloads_and_refuses_searches(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = download_job(dataset_id=DATASET, path=out / "a.csv", v1={"q": "a"}, if_unchanged="keep")
    assert [lab.done(job)["unchanged"] for _ in range(2)] == [False, True]
    other = download_job(dataset_id=DATASET, path=out / "a.csv", v1={"q": "b"}, if_unchanged="keep")
    assert lab.done(other)["unchanged"] is False
    with pytest.raises(OdsConfigError, match="a search with v1 is always fetched"):
        search_job(dataset_id=DATASET, path=out / "s.jsonl", v1={}, if_unchanged="skip")


@pytest.mark.at_length(but=1)
@pytest.mark.parametrize("v1", [None, {}])
@pytest.mark.parametrize("kind", ["attachments", "files"])
def test_files_of_a_dataset_that_did_not_change_are_kept(
    lab: Lab, portal: LocalPortal, out: Path, kind: str, v1: Any
) -> None:
    job = media_job(dataset_id=PHOTOS, path=out / "f", kind=kind, v1=v1, if_unchanged="keep")
    first = lab.done(job)
    portal.requests.clear()
    second = lab.done(job)
    assert (first["unchanged"], second["unchanged"], second["calls"]) == (False, True, 1)
    assert second["files"] == first["files"] > 0
    assert len(portal.requests) == 1


def test_a_file_of_a_folder_that_was_changed_or_removed_is_fetched_again(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    lab.remembered = {}
    job = MediaJob(PHOTOS, out / "f", if_unchanged="skip")
    lab.done(job)
    (victim, *_) = sorted(path for path in (out / "f").iterdir() if not path.name.startswith((".", "manifest")))
    whole = victim.read_bytes()
    victim.unlink()
    assert _done(lab, job).skipped is None
    assert victim.read_bytes() == whole
    portal.touch(PHOTOS)
    assert lab.done(job)["unchanged"] is False


def test_a_folder_that_is_new_every_night_is_served_by_the_older_one(lab: Lab, portal: LocalPortal, out: Path) -> None:
    first = lab.done(MediaJob(PHOTOS, out / "1", if_unchanged="keep"), name="monday")
    second = lab.done(MediaJob(PHOTOS, out / "2", if_unchanged="keep"), name="tuesday")
    assert (second["path"], second["manifest"]) == (first["path"], first["manifest"])
    assert not (out / "2").exists()
    shutil.rmtree(out / "1")
    assert _done(lab, MediaJob(PHOTOS, out / "2", if_unchanged="skip"), name="tuesday").skipped is not None
    assert lab.done(MediaJob(PHOTOS, out / "2", if_unchanged="keep"), name="tuesday")["path"] == str(out / "2")


@pytest.mark.at_length
@pytest.mark.parametrize("layout", ["file", "folder"])
def test_parts_of_a_dataset_that_did_not_change_are_kept(lab: Lab, portal: LocalPortal, out: Path, layout: str) -> None:
    def job(name: str, how: str = "keep") -> Any:
        given = {"dataset_id": DATASET, "format": "csv", "parallel": 3, "partition_by": "population", "layout": layout}
        return download_job(path=out / name, if_unchanged=how, **given)

    first = lab.done(job("1.csv"))
    assert first["parts"] == _exports(portal) == 4  # one of them holds the rows without a number
    portal.requests.clear()
    second = lab.done(job("1.csv"))
    assert (second["unchanged"], second["parts"], second["calls"]) == (True, 4, 2)
    assert lab.done(job("2.csv"), name="tomorrow")["path"] == first["path"]
    assert _done(lab, job("3.csv", "skip"), name="the day after").skipped is not None
    assert len(portal.requests) == 6
    victim = out / "1.csv" / "part-00001.csv" if layout == "folder" else out / "1.csv"
    whole = victim.read_bytes()
    victim.write_bytes(whole[::-1])
    assert lab.done(job("1.csv"))["unchanged"] is False
    assert victim.read_bytes() == whole
    portal.touch(DATASET, rows=1)
    assert lab.done(job("1.csv"))["rows"] == 111
    assert ".1.csv.ods.json" in lab.files()


@pytest.mark.parametrize(
    ("job", "path"),
    [
        (partial(download_job, dataset_id=DATASET, format="csv", parallel=3, partition_by="population"), "/exports/"),
        (
            partial(download_job, dataset_id=DATASET, parallel=3, partition_by="population", layout="folder"),
            "/exports/",
        ),
        (partial(media_job, dataset_id=PHOTOS), "/attachments/"),
        (partial(search_job, dataset_id=DATASET, order_by="name", limit=110), "/records"),
    ],
    ids=["file of parts", "folder of parts", "files", "pages"],
)
def test_what_is_committed_but_not_told_yet_is_not_fetched_again(
    lab: Lab, portal: LocalPortal, out: Path, monkeypatch: pytest.MonkeyPatch, job: Any, path: str
) -> None:
    def fetched() -> int:
        asked = (parse_qs(call.query) for call in portal.requests if path in call.path)
        return sum(query.get("limit") != ["0"] for query in asked)

    def killed(*_: object) -> None:
        raise Killed

    made = job(path=out / "made", if_unchanged="keep")
    with monkeypatch.context() as patch:
        patch.setattr(sidecar, "write", killed)
        with pytest.raises(Killed):
            lab.run(made)
    assert fetched() > 1
    portal.requests.clear()
    assert lab.done(made)["unchanged"] is False
    assert fetched() == 0
    assert lab.done(made)["unchanged"] is True
    assert not [name for name in lab.files() if ".progress" in name or name.endswith(".part")]


@pytest.mark.at_length
@pytest.mark.parametrize("layout", ["file", "folder"])
def test_parts_on_a_bucket_are_kept_too(lab: Lab, portal: LocalPortal, bucket: Bucket, layout: str) -> None:
    given = {"dataset_id": DATASET, "format": "csv", "parallel": 3, "partition_by": "population", "layout": layout}
    job = download_job(path="s3://lake/c.csv", if_unchanged="keep", **given)
    assert [lab.done(job)["unchanged"] for _ in range(2)] == [False, True]
    del bucket.objects["lake/c.csv/part-00001.csv" if layout == "folder" else "lake/c.csv"]
    assert lab.done(job)["unchanged"] is False


def test_files_that_were_missing_are_looked_for_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("status", status=404, path="/attachments/", times=1)
    job = MediaJob(PHOTOS, out / "f", if_missing="skip", if_unchanged="keep")
    assert lab.done(job)["missing"] == 1
    found = lab.done(job)
    assert (found["missing"], found["unchanged"]) == (0, False)


def test_whoever_sees_other_rows_at_the_same_time_fetches(out: Path, make_lab: Any) -> None:
    """A key that was given more rights is told another count by the same dataset."""

    def portal(count: int) -> list[Any]:
        metas = {"default": {"data_processed": "2026-01-01T00:00:00+00:00", "records_count": 2}}
        dataset = {"dataset_id": "d", "fields": [{"name": "n", "type": "int"}], "metas": metas}
        look = [answer(json.dumps(each).encode()) for each in (dataset, {"total_count": count, "results": []})]
        return [*look, answer(b"n\r\n" + b"1\r\n" * count, "200 OK", "Content-Type: text/csv"), *look]

    for count in (1, 2):
        with replay(*portal(count)) as served:
            job = _job(out / "a.csv", dataset_id="d")
            assert make_lab(served.url).done(job)["unchanged"] is False
