from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lab import API_KEY, Lab
from replay import answer, chunked, replay

from ods_provider.core.errors import (
    OdsAuthError,
    OdsConfigError,
    OdsError,
    OdsNotAPortal,
    OdsNotFound,
    OdsQueryError,
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
    assert lab.heard(Progress)[-1] == Progress(40, 40, "files")
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


def test_another_host_goes_on_where_the_first_stopped(lab: Lab, portal: LocalPortal, out: Path) -> None:
    job = MediaJob("landmark-photos", out, kind="files")
    portal.set_quota(remaining=12, reset_in_s=90)
    assert isinstance(lab.run(job), Wait)
    elsewhere = Lab(portal.url, lab.folder / "another-host", api_key=lab.api_key)
    portal.set_quota(remaining=1000, reset_in_s=90)
    assert elsewhere.done(job)["files"] == 40
    assert set(Counter(_fetched(portal)).values()) == {1}


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
        lab.run(MediaJob("landmark-photos", out, parallel=1))
    assert caught.value.transient
    assert sum("/attachments/" in request.path for request in portal.requests) == 2


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
    with replay(_dataset(), _photos(*values), gone, _image(b"A"), _image(b"C")) as server:
        result = make_lab(server.url).done(MediaJob("d", out, kind="thumbnails", parallel=1))
        assert [line.split()[1] for line in server.lines[2:]] == [
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


def _attached(title: str, mimetype: str | None) -> Any:
    return _dataset(attachments=[{"id": "a", "title": title, "mimetype": mimetype, "url": "odsfile://a"}])


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
    with replay(_attached(title, mimetype), answer(content, "200 OK", label)) as server:
        make_lab(server.url).done(MediaJob("d", out))
    assert (out / title).read_bytes() == content


@pytest.mark.parametrize(("title", "mimetype"), [("report.pdf", "application/pdf"), ("report", None)])
def test_a_page_that_nothing_announces_is_refused_and_the_error_says_what_would(
    make_lab: Callable[..., Lab], out: Path, title: str, mimetype: str | None
) -> None:
    page = answer(b"<html><p>Annual report</html>", "200 OK", "Content-Type: text/html")
    told = r"its mimetype or its name says so \(\.html\)"
    with replay(_attached(title, mimetype), page) as server, pytest.raises(OdsNotAPortal, match=told):
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
