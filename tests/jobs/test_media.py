from __future__ import annotations

import hashlib
import json
import os
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from bucket import Bucket
from lab import API_KEY, Lab
from replay import answer, chunked, replay

from ods_provider.core.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsError,
    OdsMismatch,
    OdsMoved,
    OdsNotAPortal,
    OdsNotFound,
    OdsQueryError,
    OdsResponseError,
    OdsServerError,
    OdsTimeout,
)
from ods_provider.core.events import Progress
from ods_provider.core.outcome import Wait
from ods_provider.core.query import Query
from ods_provider.jobs.context import Suspended
from ods_provider.jobs.media import MANIFEST, MediaJob
from ods_provider.testing.portal import LocalPortal


def _manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / MANIFEST).read_text().splitlines()]


def _fetched(portal: LocalPortal) -> list[str]:
    return [request.path for request in portal.requests if "/files/" in request.path and request.status == 200]


def test_attachments_come_under_safe_names_with_a_manifest(lab: Lab, portal: LocalPortal, out: Path) -> None:
    result = lab.done(MediaJob("landmark-photos", out))
    assert lab.files() == ["landmarks.zip", MANIFEST, "readme.txt", "Übersicht 2026_.pdf"]
    kept = {item.title: item.content for item in portal.store.datasets["landmark-photos"].attachments}
    for entry in _manifest(out):
        content = (out / entry["file"]).read_bytes()
        assert content == kept[entry["title"]]
        assert entry["size_bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["url"].startswith(portal.url)
    assert result["files"] == 3
    assert result["manifest"] == str(out / MANIFEST)
    assert result["size_bytes"] == sum(map(len, kept.values()))


def test_the_files_of_records_all_come_in_parallel(lab: Lab, portal: LocalPortal, out: Path) -> None:
    result = lab.done(MediaJob("landmark-photos", out, kind="files", parallel=8))
    contents = {content for _, content in portal.store.datasets["landmark-photos"].files.values()}
    assert {(out / entry["file"]).read_bytes() for entry in _manifest(out)} == contents
    assert result["files"] == len(contents) == 40
    assert "Sehenswürdigkeit 07.png" in lab.files()
    last = lab.heard(Progress)[-1]
    assert (last.done, last.total, last.unit) == (40, 40, "files")
    assert len(lab.files()) == 41


def test_a_record_query_narrows_the_files(lab: Lab, out: Path) -> None:
    job = MediaJob("landmark-photos", out, kind="files", field="photo", where=("taken_on < date'2025-03-01'",))
    assert 0 < lab.done(job)["files"] < 40


def test_a_limit_is_the_number_of_files(lab: Lab, out: Path) -> None:
    assert lab.done(MediaJob("landmark-photos", out, kind="files", limit=3))["files"] == 3


def test_a_dataset_without_attachments_gives_an_empty_manifest(lab: Lab, out: Path) -> None:
    result = lab.done(MediaJob("world-capitals", out))
    assert result["files"] == 0
    assert lab.files() == [MANIFEST]


def test_a_field_that_holds_no_files_is_named_with_those_that_do(lab: Lab, out: Path) -> None:
    with pytest.raises(OdsConfigError, match=r"'title' is no field of files.*photo"):
        lab.run(MediaJob("landmark-photos", out, kind="files", field="title"))
    with pytest.raises(OdsConfigError, match="Fields of files are: none"):
        lab.run(MediaJob("world-capitals", out, kind="files"))


def test_unfit_arguments_are_refused_before_any_call(portal: LocalPortal, out: Path) -> None:
    with pytest.raises(OdsConfigError, match="kind='pictures'"):
        MediaJob("landmark-photos", out, kind="pictures")  # type: ignore[arg-type]
    with pytest.raises(OdsConfigError, match="field, where"):
        MediaJob("landmark-photos", out, where=("a",))
    assert portal.requests == []


@pytest.mark.at_length
def test_a_folder_in_an_object_store_is_filled_again_and_again(lab: Lab, portal: LocalPortal) -> None:
    lab.filesystems = {"bucket": Bucket()}
    for _ in range(2):
        result = lab.done(MediaJob("landmark-photos", "bucket://b/photos"))
        assert (result["files"], result["manifest"]) == (3, "bucket://b/photos/manifest.jsonl")
    with pytest.raises(OdsConfigError, match="holds attachments of dataset landmark-photos"):
        lab.run(MediaJob("landmark-photos", "bucket://b/photos", kind="files"))
    portal.set_quota(limit=10_000, remaining=20, reset_in_s=3600)
    job = MediaJob("landmark-photos", "bucket://b/files", kind="files", parallel=1)
    assert isinstance(lab.run(job), Wait)
    portal.set_quota(limit=10_000, remaining=10_000)
    assert lab.done(job)["files"] == 40
    assert set(Counter(_fetched(portal)).values()) == {1}
    assert len(lab.filesystems["bucket"].objects) == 4 + 41


def test_files_of_others_in_the_folder_are_left_alone(lab: Lab, out: Path) -> None:
    (out / "mine.txt").write_text("mine")
    lab.done(MediaJob("landmark-photos", out))
    assert (out / "mine.txt").read_text() == "mine"


def test_a_second_run_fetches_anew_and_replaces(lab: Lab, out: Path) -> None:
    lab.done(MediaJob("landmark-photos", out))
    (out / "readme.txt").write_text("spoiled")
    lab.done(MediaJob("landmark-photos", out))
    assert (out / "readme.txt").read_text() != "spoiled"


def test_a_spent_quota_becomes_a_wait_and_no_file_is_fetched_twice(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = MediaJob("landmark-photos", out, kind="files", parallel=2)
    lab.settings["max_wait_s"] = 1
    portal.set_quota(remaining=15, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    assert 10 <= len(_fetched(portal)) <= 15
    assert MANIFEST not in lab.files()
    portal.set_quota(remaining=1000, reset_in_s=90)
    assert lab.done(job)["files"] == 40
    assert set(Counter(_fetched(portal)).values()) == {1}
    assert len(lab.files()) == 41


@pytest.mark.at_length
def test_another_host_goes_on_where_the_first_stopped(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = MediaJob("landmark-photos", out, kind="files")
    portal.set_quota(remaining=12, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    elsewhere = Lab(portal.url, lab.folder / "another-host", api_key=lab.api_key)
    portal.set_quota(remaining=1000, reset_in_s=90)
    assert elsewhere.done(job)["files"] == 40
    assert set(Counter(_fetched(portal)).values()) == {1}


@pytest.mark.at_length
def test_a_confirmed_file_that_somebody_removed_is_fetched_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = MediaJob("landmark-photos", out, kind="files")
    portal.set_quota(remaining=12, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    gone = next(path for path in out.iterdir() if path.suffix == ".png")
    gone.unlink()
    portal.set_quota(remaining=1000, reset_in_s=90)
    lab.done(job)
    assert gone.exists()


def test_a_cut_file_is_fetched_again(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("cut", path="/attachments/", after_bytes=300, times=2)
    assert lab.done(MediaJob("landmark-photos", out))["files"] == 3
    assert len(lab.files()) == 4


@pytest.mark.at_length
def test_a_file_that_fails_for_good_fails_the_job_and_keeps_the_others(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    portal.fault("status", path="/files/", skip=10, times=None, status=404)
    with pytest.raises(OdsNotFound):
        lab.run(MediaJob("landmark-photos", out, kind="files", parallel=1))
    assert sum(name.endswith(".png") for name in lab.files()) == 10
    assert not any(name.endswith(".part") for name in lab.files())
    portal.clear_faults()
    assert lab.done(MediaJob("landmark-photos", out, kind="files"))["files"] == 40
    assert set(Counter(_fetched(portal)).values()) == {1}


def test_a_portal_that_fails_is_asked_as_often_as_the_connection_says(lab: Lab, portal: LocalPortal, out: Path) -> None:
    lab.settings["max_retries"] = 1
    portal.fault("status", path="/attachments/", times=None, status=503)
    with pytest.raises(OdsServerError) as caught:
        lab.run(MediaJob("landmark-photos", out, limit=1))
    assert caught.value.transient
    assert sum("/attachments/" in request.path for request in portal.requests) == 2


@pytest.mark.at_length
def test_a_file_that_never_begins_is_asked_for_as_often_as_the_connection_says(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    lab.settings |= {"timeout_s": 1.5, "max_retries": 2}
    portal.fault("stall", path="/files/", seconds=60, times=None)
    with pytest.raises(OdsTimeout):
        lab.run(MediaJob("landmark-photos", out, kind="files", limit=1))
    assert sum("/files/" in request.path for request in portal.requests) == 3


def test_a_file_cut_far_from_its_beginning_is_fetched_again(make_lab: Callable[..., Lab], out: Path) -> None:
    content = bytes(range(256)) * 800
    cut = chunked([content[:150_000]], "Content-Type: image/png", end=False)
    with replay(_dataset(), _photos({"id": "a", "filename": "a.png"}), cut, cut, _image(content)) as server:
        make_lab(server.url, max_retries=2).done(MediaJob("d", out, kind="files"))
        assert len(server.requests) == 5
    assert (out / "a.png").read_bytes() == content


def test_a_cancelled_fetch_stops_and_leaves_no_half_file(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("throttle", path="/attachments/", bytes_per_s=40_000, times=None)
    cancel = threading.Event()
    threading.Timer(0.4, cancel.set).start()
    with pytest.raises(Suspended):
        lab.run(MediaJob("landmark-photos", out), cancel=cancel)
    for thread in threading.enumerate():
        if thread.name.startswith("ods-media"):
            thread.join(30)
    assert MANIFEST not in lab.files()
    assert not any(name.endswith(".part") for name in lab.files())


class _TimedOut(BaseException):
    """What a scheduler raises inside a task that took too long: no Exception, and none of Python's own ends."""


class _TimeIsUp(threading.Event):
    """Interrupts the task's own thread, and that only, while others fetch files for it."""

    def is_set(self) -> bool:
        fetching = any(thread.name.startswith("ods-media") for thread in threading.enumerate())
        if fetching and threading.current_thread() is threading.main_thread():
            raise _TimedOut
        return False


def test_a_timeout_of_the_scheduler_ends_the_fetch_soon_and_nothing_is_asked_for_afterwards(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    lab.settings |= {"timeout_s": 6, "max_retries": 3}
    portal.fault("stall", path="/files/", seconds=60, times=None)
    with pytest.raises(_TimedOut):
        lab.run(MediaJob("landmark-photos", out, kind="files", parallel=4), cancel=_TimeIsUp())
    fetching = [thread for thread in threading.enumerate() if thread.name.startswith("ods-media")]
    assert fetching, "it waited for the threads, a timeout_s at least"
    for thread in fetching:
        thread.join(60)
    assert sum("/files/" in request.path for request in portal.requests) <= 4
    assert MANIFEST not in lab.files()


def test_a_file_that_waits_to_be_tried_again_is_not_once_the_scheduler_ends_the_task(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    portal.fault("status", path="/files/", times=None, status=503, retry_after=25)
    with pytest.raises(_TimedOut):
        lab.run(MediaJob("landmark-photos", out, kind="files", parallel=2), cancel=_TimeIsUp())
    for thread in threading.enumerate():
        if thread.name.startswith("ods-media"):
            thread.join(20)
            assert not thread.is_alive()
    assert sum("/files/" in request.path for request in portal.requests) <= 2


def test_the_manifest_tells_where_from_and_when(lab: Lab, out: Path) -> None:
    lab.done(MediaJob("landmark-photos", out))
    for entry in _manifest(out):
        assert entry["redirected_to"] is None
        assert datetime.fromisoformat(entry["fetched_at"]).tzinfo is not None


@pytest.mark.at_length
def test_facets_narrow_the_files_too(lab: Lab, portal: LocalPortal, out: Path) -> None:
    query = Query.of(exclude={"title": "Landmark 3: Tür №3"})
    assert lab.done(MediaJob("landmark-photos", out, kind="files", query=query))["files"] == 39
    with pytest.raises(OdsConfigError, match="refine and exclude"):
        MediaJob("landmark-photos", out, query=query)


def _dataset(**more: Any) -> Any:
    fields = [{"name": "photo", "type": "file"}]
    return answer(json.dumps({"dataset_id": "d", "fields": fields, **more}).encode())


def _photos(*values: dict[str, Any]) -> Any:
    return answer(json.dumps({"total_count": len(values), "results": [{"photo": value} for value in values]}).encode())


def _image(content: bytes) -> Any:
    return answer(content, "200 OK", "Content-Type: image/png")


def test_alternative_exports_are_fetched_by_their_endpoint_where_no_address_is_given(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    offered = [{"id": "gtfs", "title": "gtfs.zip", "mimetype": "application/zip", "url": "odsfile://gtfs.zip"}]
    with replay(_dataset(alternative_exports=offered), _image(b"PK")) as server:
        result = make_lab(server.url).done(MediaJob("d", out, kind="alternative_exports"))
        assert server.lines[1].startswith("GET /api/explore/v2.1/catalog/datasets/d/alternative_exports/gtfs ")
    assert result["files"] == 1
    assert (out / "gtfs.zip").read_bytes() == b"PK"


def test_thumbnails_are_those_of_images_at_the_address_that_the_portal_knows(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    gone = answer(b"{}", "404 Not Found")
    values = [
        {"id": "a", "filename": "a.png", "thumbnail": True},
        {"id": "b", "filename": "b.pdf", "thumbnail": False},
        {"id": "c", "filename": "c.png", "thumbnail": True},
    ]
    with replay(_dataset(), _photos(*values), gone, _image(b"A"), _image(b"C"), _dataset()) as server:
        result = make_lab(server.url).done(MediaJob("d", out, kind="thumbnails", parallel=1))
        assert [line.split()[1] for line in server.lines[2:-1]] == [
            "/api/datasets/1.0/d/files/a/300/",
            "/explore/dataset/d/files/a/300/",
            "/explore/dataset/d/files/c/300/",
        ]
    assert result["files"] == 2
    assert (out / "c.png").read_bytes() == b"C"


def test_a_thumbnail_that_is_nowhere_is_an_error(make_lab: Callable[..., Lab], out: Path) -> None:
    gone = answer(b"{}", "404 Not Found")
    with replay(_dataset(), _photos({"id": "a", "filename": "a.png"}), gone, gone, gone) as server:
        with pytest.raises(OdsNotFound):
            make_lab(server.url).run(MediaJob("d", out, kind="thumbnails"))
        assert len(server.requests) == 5


def test_a_file_without_an_address_is_fetched_by_its_id(make_lab: Callable[..., Lab], out: Path) -> None:
    with replay(_dataset(), _photos({"id": "f1", "filename": "x.png"}), _image(b"X")) as server:
        make_lab(server.url).done(MediaJob("d", out, kind="files"))
        assert server.lines[2].startswith("GET /api/explore/v2.1/catalog/datasets/d/files/f1 ")


def test_a_file_elsewhere_comes_without_the_key_and_its_host_is_told(
    make_lab: Callable[..., Lab], out: Path, tls: tuple[ssl.SSLContext, Path]
) -> None:
    context, authority = tls
    value = {"id": "f1", "filename": "x.png", "url": "/api/x"}
    with replay(_image(b"X"), tls=context) as store:
        signed = f"Location: https://127.0.0.1:{store.port}/bucket/x.png?X-Amz-Signature=s1gned"
        with replay(_dataset(), _photos(value), answer(b"", "303 See Other", signed)) as server:
            lab = make_lab(server.url, api_key=API_KEY, verify=str(authority))
            lab.done(MediaJob("d", out, kind="files"))
            assert server.header("Authorization") == f"Apikey {API_KEY}"
        assert store.header("Authorization") is None
        (entry,) = _manifest(out)
        assert entry["redirected_to"] == f"127.0.0.1:{store.port}"
        assert "s1gned" not in (out / MANIFEST).read_text()
    assert (out / "x.png").read_bytes() == b"X"


def test_alternative_exports_and_thumbnails_come_from_a_portal(lab: Lab, portal: LocalPortal, out: Path) -> None:
    result = lab.done(MediaJob("landmark-photos", out / "exports", kind="alternative_exports"))
    assert result["files"] == 2
    hosts = {entry["file"]: entry["redirected_to"] for entry in _manifest(out / "exports")}
    assert hosts == {"gtfs.zip": None, "archive.zip": f"localhost:{portal.port}"}
    result = lab.done(MediaJob("landmark-photos", out / "thumbs", kind="thumbnails", limit=5))
    assert result["files"] == 5
    assert all(entry["file"].endswith(".png") for entry in _manifest(out / "thumbs"))


@pytest.mark.at_length(but=3)
@pytest.mark.parametrize(
    ("fault", "error"), [("login_html", OdsAuthError), ("html", OdsNotAPortal), ("json_error", OdsQueryError)]
)
@pytest.mark.parametrize("kind", ["attachments", "alternative_exports", "files", "thumbnails"])
def test_what_a_portal_shows_in_place_of_a_file_is_an_error_and_no_file(
    lab: Lab, portal: LocalPortal, out: Path, fault: str, error: type[OdsError], kind: Any
) -> None:
    path = "/files/" if kind in ("files", "thumbnails") else f"/{kind}/"
    portal.fault(fault, path=path, times=None)
    with pytest.raises(error):
        lab.run(MediaJob("landmark-photos", out, kind=kind))
    assert not [name for name in lab.files() if not name.startswith(".")]
    portal.clear_faults()
    lab.done(MediaJob("landmark-photos", out, kind=kind))


PAGE = b"<!DOCTYPE html><html><body><a href='/login'>Log in</a> to see the annual report</body></html>"
MISHAP = b'{"error_code": "E1", "message": "a mishap"}'


def _attached(title: str, mimetype: str | None) -> list[Any]:
    listed = [{"id": "a", "title": title, "mimetype": mimetype, "url": "odsfile://a"}]
    return [_dataset(), answer(json.dumps({"attachments": listed}).encode())]


@pytest.mark.parametrize(
    ("title", "mimetype", "content"),
    [
        ("report.html", None, PAGE),
        ("Report.HTM", "application/octet-stream", PAGE),
        ("report.xhtml", "", PAGE),
        ("report", "text/html; charset=utf-8", PAGE),
        ("mishap.json", None, MISHAP),
        ("mishap.geojson", "text/plain", MISHAP),
        ("mishap", "application/json", MISHAP),
        ("nothing.bin", None, b""),
        ("note.txt", None, b"x"),
        ("object.txt", None, b"{}"),
    ],
)
def test_a_file_that_is_announced_as_a_page_or_as_json_comes_as_it_is(
    make_lab: Callable[..., Lab], out: Path, title: str, mimetype: str | None, content: bytes
) -> None:
    label = "Content-Type: text/html" if content in (PAGE, b"") else "Content-Type: application/json"
    with replay(*_attached(title, mimetype), answer(content, "200 OK", label)) as server:
        make_lab(server.url).done(MediaJob("d", out))
    assert (out / title).read_bytes() == content


@pytest.mark.parametrize(("title", "mimetype"), [("report.pdf", "application/pdf"), ("report", None)])
def test_a_page_that_nothing_announces_is_refused_and_the_error_says_what_would(
    make_lab: Callable[..., Lab], out: Path, title: str, mimetype: str | None
) -> None:
    page = answer(b"<html><p>Annual report</html>", "200 OK", "Content-Type: text/html")
    told = r"its mimetype or its name says so \(\.html\)"
    with replay(*_attached(title, mimetype), page) as server, pytest.raises(OdsNotAPortal, match=told):
        make_lab(server.url).run(MediaJob("d", out))
    assert not (out / title).exists()


def test_a_page_of_another_host_is_no_file_either(
    make_lab: Callable[..., Lab], out: Path, tls: tuple[ssl.SSLContext, Path]
) -> None:
    context, authority = tls
    with replay(answer(PAGE, "200 OK", "Content-Type: text/html"), tls=context) as store:
        moved = answer(b"", "302 Found", f"Location: https://127.0.0.1:{store.port}/sso/x.html")
        photos = _photos({"id": "f1", "filename": "x.png"})
        with replay(_dataset(), photos, moved) as server, pytest.raises(OdsAuthError, match="instead of the file"):
            make_lab(server.url, verify=str(authority)).run(MediaJob("d", out, kind="files"))
    assert not (out / "x.png").exists()


def test_a_page_at_one_address_of_a_thumbnail_does_not_hide_the_next(make_lab: Callable[..., Lab], out: Path) -> None:
    page = answer(b"<html><p>The portal</html>", "200 OK", "Content-Type: text/html")
    with replay(_dataset(), _photos({"id": "a", "filename": "a.png"}), page, page, _image(b"A")) as server:
        make_lab(server.url).done(MediaJob("d", out, kind="thumbnails"))
    assert (out / "a.png").read_bytes() == b"A"


# Files of one state, of one job, in one folder


def _stated(at: str, **more: Any) -> Any:
    return _dataset(metas={"default": {"data_processed": at, "modified": at}}, **more)


def _listed(*titles: str) -> Any:
    said = [{"id": title, "title": title, "mimetype": "image/png", "url": f"/f/{title}"} for title in titles]
    return answer(json.dumps({"attachments": said}).encode())


def test_files_of_a_failed_night_are_not_put_beside_those_of_the_next_day(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    names = ("a.png", "b.png", "c.png")
    job = MediaJob("d", out, parallel=1)
    failed = answer(b"{}", "400 Bad Request")
    with replay(_stated("2026-01-01"), _listed(*names), _image(b"a1"), _image(b"b1"), failed) as server:
        lab = make_lab(server.url)
        with pytest.raises(OdsQueryError):
            lab.run(job)
        assert [(out / name).exists() for name in names] == [True, True, False]
        # The next day all three are other files, under the same names and addresses.
        server.script[:] = [_stated("2026-01-02"), _listed(*names), *(_image(b"%c2" % name) for name in b"abc")]
        server.script.append(_stated("2026-01-02"))
        assert lab.done(job)["files"] == 3
    assert [(out / name).read_bytes() for name in names] == [b"a2", b"b2", b"c2"]
    assert [entry["sha256"] for entry in _manifest(out)] == [hashlib.sha256(b"%c2" % c).hexdigest() for c in b"abc"]


def test_a_file_that_the_list_describes_anew_is_fetched_anew_and_the_others_are_not(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    job = MediaJob("d", out, kind="files", parallel=1)
    old, new = ({"id": "b", "filename": "b.png", "last_synchronized": at} for at in ("2026-01-01", "2026-01-02"))
    kept = {"id": "a", "filename": "a.png", "last_synchronized": "2026-01-01"}
    last = {"id": "c", "filename": "c.png", "last_synchronized": "2026-01-01"}
    failed = answer(b"{}", "400 Bad Request")
    with replay(_stated("2026-01-01"), _photos(kept, old, last), _image(b"a1"), _image(b"b1"), failed) as server:
        lab = make_lab(server.url)
        with pytest.raises(OdsQueryError):
            lab.run(job)
        server.script[:] = [_stated("2026-01-02"), _photos(kept, new, last), _image(b"b2"), _image(b"c1")]
        server.script.append(_stated("2026-01-02"))
        lab.done(job)
        assert not server.script
    assert [(out / name).read_bytes() for name in ("a.png", "b.png", "c.png")] == [b"a1", b"b2", b"c1"]


def test_a_dataset_that_is_republished_meanwhile_is_fetched_again(make_lab: Callable[..., Lab], out: Path) -> None:
    script = [_stated("2026-01-01"), _listed("a.png", "b.png"), _image(b"a1"), _image(b"b2"), _stated("2026-01-02")]
    script += [_stated("2026-01-02"), _listed("a.png", "b.png"), _image(b"a2"), _image(b"b2"), _stated("2026-01-02")]
    with replay(*script) as server:
        result = make_lab(server.url).done(MediaJob("d", out, parallel=1))
    assert (out / "a.png").read_bytes() == b"a2"
    assert result["data_processed"] == "2026-01-02"


def test_a_dataset_that_is_always_republished_is_an_error(make_lab: Callable[..., Lab], out: Path) -> None:
    script = [
        part
        for day in (1, 3, 5)
        for part in (
            _stated(f"2026-01-0{day}"), _listed("a.png", "b.png"), _image(b"a"), _image(b"b"),
            _stated(f"2026-01-0{day + 1}"),
        )
    ]  # fmt: skip
    with replay(*script, _stated("2026-01-07"), _listed("a.png", "b.png")) as server:
        with pytest.raises(OdsMoved) as caught:
            make_lab(server.url).run(MediaJob("d", out, parallel=1))
        assert caught.value.transient
    assert not (out / MANIFEST).exists()


def test_a_record_that_is_added_meanwhile_does_not_fetch_the_others_again(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    a, b, c = ({"id": name, "filename": f"{name}.png", "last_synchronized": "2026-01-01"} for name in "abc")
    script = [_stated("1"), _photos(a, b), _image(b"a"), _image(b"b"), _stated("2")]
    script += [_stated("2"), _photos(a, b, c), _image(b"c"), _stated("3"), _stated("3"), _photos(a, b, c)]
    with replay(*script) as server:
        assert make_lab(server.url).done(MediaJob("d", out, kind="files", parallel=1))["files"] == 3
        assert not server.script


@pytest.mark.parametrize("change", ["other content", "other content of this length"])
def test_a_confirmed_file_that_another_job_replaced_is_fetched_again(
    make_lab: Callable[..., Lab], out: Path, change: str
) -> None:
    job = MediaJob("d", out, parallel=1)
    content = b"a" * len(change)
    failed = answer(b"{}", "400 Bad Request")
    with replay(_stated("1"), _listed("a.png", "b.png"), _image(content), failed) as server:
        lab = make_lab(server.url)
        with pytest.raises(OdsQueryError):
            lab.run(job)
        replaced = change.encode()
        (out / "a.png").write_bytes(replaced)
        os.utime(out / "a.png", ns=(1, 1))
        server.script[:] = [_stated("1"), _listed("a.png", "b.png"), _image(content), _image(b"b"), _stated("1")]
        lab.done(job)
    assert (out / "a.png").read_bytes() == content


def test_a_folder_of_another_dataset_or_kind_is_refused_and_left_as_it_is(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    lab.done(MediaJob("landmark-photos", out))
    before = {name: (out / name).read_bytes() for name in lab.files()}
    asked = len(portal.requests)
    for other in (MediaJob("world-capitals", out), MediaJob("landmark-photos", out, kind="alternative_exports")):
        with pytest.raises(OdsConfigError, match=r"holds attachments of dataset landmark-photos.*a folder of its own"):
            lab.run(other)
    assert len(portal.requests) == asked
    assert {name: (out / name).read_bytes() for name in lab.files()} == before


def test_a_folder_of_another_field_or_portal_is_refused(make_lab: Callable[..., Lab], out: Path) -> None:
    def job(field: str) -> MediaJob:
        return MediaJob("d", out, kind="files", field=field)

    fields = [{"name": "photo", "type": "file"}, {"name": "scan", "type": "file"}]
    dataset = _dataset(fields=fields)
    with replay(dataset, _photos({"id": "a", "filename": "a.png"}), _image(b"A")) as server:
        lab = make_lab(server.url)
        lab.done(job("photo"))
        asked = len(server.requests)
        with pytest.raises(OdsConfigError, match=r"holds files in field photo of dataset d \("):
            lab.run(job("scan"))
        assert len(server.requests) == asked
    with replay() as other:
        elsewhere = make_lab(other.url.replace("127.0.0.1", "localhost"))
        with pytest.raises(OdsConfigError, match=r"field photo of dataset d of 127\.0\.0\.1 \(.*folder of its own"):
            elsewhere.run(job("photo"))
        assert not other.requests
    # On another port it is the same portal.
    with replay(dataset, _photos({"id": "a", "filename": "a.png"}), _image(b"A")) as again:
        assert make_lab(again.url).done(job("photo"))["files"] == 1
    assert (out / "a.png").read_bytes() == b"A"


def test_a_manifest_that_is_none_is_not_replaced(lab: Lab, out: Path) -> None:
    (out / MANIFEST).write_text("my own notes")
    with pytest.raises(OdsConfigError, match="something else than files"):
        lab.run(MediaJob("landmark-photos", out))
    assert (out / MANIFEST).read_text() == "my own notes"


class _Meddling(threading.Event):
    """Another job, which writes into the folder while this one works."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def is_set(self) -> bool:
        if self._file.exists():
            self._file.write_text("another job's")
        return super().is_set()


def test_a_file_that_another_job_replaced_meanwhile_fails_the_job(lab: Lab, out: Path) -> None:
    with pytest.raises(OdsMismatch, match=r"'readme\.txt' was changed") as caught:
        lab.run(MediaJob("landmark-photos", out, parallel=1), cancel=_Meddling(out / "readme.txt"))
    assert caught.value.transient
    assert MANIFEST not in lab.files()


# Files that are listed and not there


def test_one_file_that_is_missing_keeps_none_of_the_others_away(lab: Lab, portal: LocalPortal, out: Path) -> None:
    portal.fault("status", path="/attachments/readme_txt", times=None, status=404)
    with pytest.raises(OdsNotFound, match=r"1 of 3 files.*'readme\.txt'.*if_missing='skip'"):
        lab.run(MediaJob("landmark-photos", out, parallel=1))
    assert {"landmarks.zip", "Übersicht 2026_.pdf"} <= set(lab.files())
    assert MANIFEST not in lab.files()


@pytest.mark.parametrize("status", [400, 401, 403, 451, 500])
def test_one_file_that_is_refused_keeps_none_of_the_others_away(
    lab: Lab, portal: LocalPortal, out: Path, status: int
) -> None:
    lab.settings["max_retries"] = 0
    portal.fault("status", path="/attachments/readme_txt", times=None, status=status)
    with pytest.raises(OdsResponseError, match="readme_txt") as caught:
        lab.run(MediaJob("landmark-photos", out, parallel=1))
    assert caught.value.status == status
    assert {"landmarks.zip", "Übersicht 2026_.pdf"} <= set(lab.files())
    assert MANIFEST not in lab.files()


@pytest.mark.parametrize(("status", "asked"), [(403, 10), (500, 2)])
def test_a_portal_that_refuses_every_file_is_soon_left_alone(
    lab: Lab, portal: LocalPortal, out: Path, status: int, asked: int
) -> None:
    lab.settings["max_retries"] = 0
    portal.fault("status", path="/files/", times=None, status=status)
    with pytest.raises(OdsResponseError):
        lab.run(MediaJob("landmark-photos", out, kind="files", parallel=1))
    assert sum("/files/" in request.path for request in portal.requests) == asked


def test_a_thumbnail_that_is_not_there_is_missing_whatever_a_portal_shows_at_its_other_addresses(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    page = answer(b"<html><p>The portal</html>", "200 OK", "Content-Type: text/html")
    gone = answer(b"", "404 Not Found")
    with replay(_dataset(), _photos({"id": "a", "filename": "a.png"}), page, gone, page) as server:
        result = make_lab(server.url).done(MediaJob("d", out, kind="thumbnails", if_missing="skip"))
    assert (result["files"], result["missing"]) == (0, 1)


def test_a_missing_file_is_skipped_on_request_and_told_in_the_manifest(
    lab: Lab, portal: LocalPortal, out: Path
) -> None:
    portal.fault("status", path="/attachments/readme_txt", times=None, status=410)
    result = lab.done(MediaJob("landmark-photos", out, if_missing="skip"))
    assert (result["files"], result["missing"]) == (2, 1)
    (gone,) = [entry for entry in _manifest(out) if entry["file"] is None]
    assert gone["title"] == "readme.txt"
    assert gone["missing"]
    assert gone["url"].endswith("/attachments/readme_txt")
    assert [entry for entry in _manifest(out) if "missing" in entry] == [gone]


def test_how_to_treat_a_missing_file_is_one_of_two_words(out: Path) -> None:
    with pytest.raises(OdsConfigError, match="if_missing='ignore'"):
        MediaJob("landmark-photos", out, if_missing="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("202 Accepted", OdsServerError),
        ("206 Partial Content", OdsServerError),
        ("204 No Content", OdsNotFound),
        ("205 Reset Content", OdsNotFound),
        ("201 Created", OdsNotFound),
    ],
)
def test_a_success_that_brings_no_whole_file_is_none(
    make_lab: Callable[..., Lab], out: Path, status: str, error: type[OdsError]
) -> None:
    brought = answer(b"" if status[2] in "45" else b"half", status, "Content-Type: image/png")
    with replay(_dataset(), _listed("a.png"), brought) as server, pytest.raises(error) as caught:
        make_lab(server.url, max_retries=0).run(MediaJob("d", out))
    assert caught.value.transient == (error is OdsServerError)
    assert not (out / "a.png").exists()


def test_a_file_that_is_not_ready_yet_is_asked_for_again(make_lab: Callable[..., Lab], out: Path) -> None:
    later = answer(b"", "202 Accepted", "Retry-After: 0")
    with replay(_dataset(), _listed("a.png"), later, _image(b"A")) as server:
        make_lab(server.url, max_retries=1).done(MediaJob("d", out))
    assert (out / "a.png").read_bytes() == b"A"


# What a portal may say of a file


@pytest.mark.parametrize(
    "value",
    [
        {"url": {"href": "x"}, "id": "a"},
        {"url": 5, "id": 7},
        {"url": None, "id": 1.5},
        {"id": True},
        {"id": {"a": 1}, "filename": {"b": 2}},
        {"id": "a", "filename": 5, "title": ["x"], "mimetype": {"c": 3}},
        {"url": "https://[::1", "id": "a"},
        7,
        "a.png",
        [1],
    ],
)
@pytest.mark.parametrize("kind", ["files", "thumbnails"])
def test_whatever_a_portal_says_of_a_file_is_fetched_or_an_error_of_ours(
    make_lab: Callable[..., Lab], out: Path, value: Any, kind: Any
) -> None:
    with replay(_dataset(), _photos(value), *[_image(b"A")] * 3) as server:
        try:
            result = make_lab(server.url, max_retries=0).done(MediaJob("d", out, kind=kind))
        except OdsError:
            return
    (entry,) = _manifest(out)
    assert (result["files"], (out / entry["file"]).read_bytes()) == (1, b"A")


def test_an_address_that_quotes_another_in_its_query_is_one_of_the_portal(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    value = {"id": "a", "filename": "a.png", "url": "/api/files/a?from=https://elsewhere.example/a.png"}
    with replay(_dataset(), _photos(value), _image(b"A")) as server:
        make_lab(server.url).done(MediaJob("d", out, kind="files"))
        assert server.lines[2].startswith("GET /api/files/a?from=https://elsewhere.example/a.png ")
        (entry,) = _manifest(out)
        assert entry["url"] == f"{server.url}/api/files/a?from=https://elsewhere.example/a.png"
        assert entry["redirected_to"] is None
