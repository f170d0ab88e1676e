"""Files through Search API v1.0: its list, its query, its addresses, and nothing asked for twice."""

import json

import pytest

from ods_provider.core.outcome import Wait
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.errors import OdsAuthError, OdsConfigError, OdsNotAPortal, OdsNotFound, OdsQueryError
from ods_provider.jobs.v1_media import V1MediaJob

PHOTOS = "landmark-photos"
OLDER = f"/api/datasets/1.0/{PHOTOS}/"


def media(folder, v1=None, *, dataset_id=PHOTOS, kind="attachments", field=None):
    return V1MediaJob.of(dataset_id, folder, V1Query.of(v1 or {}), kind=kind, field=field, parallel=4)


def manifest(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def fetched(portal):
    return [
        call.path
        for call in portal.requests
        if call.status == 200 and call.path.startswith(OLDER) and call.path != OLDER
    ]


@pytest.mark.parametrize(("kind", "count"), [("attachments", 3), ("alternative_exports", 2), ("files", 40)])
def test_every_kind_comes_whole_and_from_that_api_alone(run, ods_portal, tmp_path, kind, count):
    outcome = run(media(tmp_path / "out", kind=kind), ods_portal).result
    state = ods_portal.store.datasets[PHOTOS]
    kept = {content for _, content in state.files.values()}
    if kind != "files":
        kept = {item.content for item in getattr(state, kind)}
    assert {(tmp_path / "out" / entry["file"]).read_bytes() for entry in manifest(tmp_path / "out")} == kept
    assert outcome["files"] == count == len(fetched(ods_portal))
    assert all("/api/explore/" not in call.path for call in ods_portal.requests)
    assert all(entry["url"].startswith(f"{ods_portal.url}{OLDER}{kind}/") for entry in manifest(tmp_path / "out"))


def test_thumbnails_are_those_of_images(run, ods_portal, tmp_path):
    assert run(media(tmp_path / "out", {"rows": 4}, kind="thumbnails"), ods_portal).result["files"] == 4
    assert all(path.endswith("/300/") for path in fetched(ods_portal))


def test_the_query_says_which_records_files_are_wanted(run, ods_portal, tmp_path):
    outcome = run(media(tmp_path / "out", {"q": "taken_on < 2025-03"}, kind="files", field="photo"), ods_portal).result
    rows = [row for row in ods_portal.rows(PHOTOS) if str(row["taken_on"]) < "2025-03"]
    assert 0 < outcome["files"] == len(rows) < 40


@pytest.mark.parametrize("kind", ["attachments", "files"])
def test_rows_is_the_number_of_files(run, ods_portal, tmp_path, kind):
    assert run(media(tmp_path / "out", {"rows": "2"}, kind=kind), ods_portal).result["files"] == 2


@pytest.mark.at_length
def test_after_a_quota_the_files_that_are_here_are_not_asked_for_again(run, ods_portal, tmp_path):
    ods_portal.set_quota(limit=12, remaining=12, reset_in_s=90)
    assert isinstance(run(media(tmp_path / "out", kind="files"), ods_portal), Wait)
    before = fetched(ods_portal)
    assert 10 <= len(before) < 14  # four at a time: the portal counts a call when it answers it
    ods_portal.set_quota(limit=1000, remaining=1000)
    assert run(media(tmp_path / "out", kind="files"), ods_portal).result["files"] == 40
    assert len(set(fetched(ods_portal))) == len(fetched(ods_portal)) == 40


@pytest.mark.parametrize(
    ("fault", "error"), [("login_html", OdsAuthError), ("html", OdsNotAPortal), ("json_error", OdsQueryError)]
)
def test_what_a_portal_shows_in_place_of_a_file_is_an_error_and_no_file(run, ods_portal, tmp_path, fault, error):
    ods_portal.fault(fault, path="/attachments/", times=None)
    with pytest.raises(error):
        run(media(tmp_path / "out"), ods_portal)
    ods_portal.clear_faults()
    assert not [path for path in (tmp_path / "out").glob("*") if not path.name.startswith(".")]


def test_what_cannot_be_meant_is_refused(run, ods_portal, tmp_path):
    with pytest.raises(OdsConfigError, match="nothing to do with attachments"):
        media(tmp_path, {"q": "paris"})
    with pytest.raises(OdsConfigError, match="kind='pictures' is not known"):
        media(tmp_path, kind="pictures")
    with pytest.raises(OdsConfigError, match=r"'title' is no field of files.*photo"):
        run(media(tmp_path, kind="files", field="title"), ods_portal)
    with pytest.raises(OdsNotFound):
        run(media(tmp_path, dataset_id="no-such-dataset"), ods_portal)


@pytest.mark.parametrize("fields", ["5", '"x"', "[1]", "true"])
def test_a_record_whose_fields_are_no_object_is_no_record_without_a_file(run, ods_portal, tmp_path, fields):
    records = f'[{{"recordid": "a", "fields": {fields}}}]'
    body = f'{{"nhits": 1, "parameters": {{}}, "records": {records}}}'
    ods_portal.fault("status", path="/records/1.0/search", body=body, status=200)
    ods_portal.fault("status", path="/records/1.0/download", body=records, status=200)
    with pytest.raises(OdsNotAPortal, match="fields of a record are no object"):
        run(media(tmp_path, {"rows": 1}, kind="files"), ods_portal)
