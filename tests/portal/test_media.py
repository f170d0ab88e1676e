"""Attachments, alternative exports, files of records, thumbnails, and files that are pushed."""

import base64
import hashlib
import io
import zipfile
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

PHOTOS = "/datasets/landmark-photos"
PUSH = "/api/push/1.0/camera-shots/realtime/push/"
KEY = {"pushkey": "demo-push-key"}


def local(ask, url):
    assert url.startswith(ask.portal.url)
    return ask(url.removeprefix(ask.portal.url))


def test_attachments_are_listed_in_two_places_with_one_address(ask):
    listed = ask.whole(f"{PHOTOS}/attachments")
    assert list(listed) == ["links", "attachments"]
    described = ask.whole(PHOTOS)["attachments"]
    assert [set(one) for one in described] == [{"id", "title", "mimetype", "url"}] * 3
    assert [one["metas"]["url"] for one in listed["attachments"]] == [one["url"] for one in described]
    for one in described:
        answer = local(ask, one["url"])
        assert answer.headers["content-type"].partition(";")[0] == one["mimetype"]
        name = unquote(answer.headers["content-disposition"].rpartition("UTF-8''")[2])
        assert name == one["title"]
        assert len(answer.content) == int(answer.headers["content-length"]) > 100


def test_what_there_is_not_is_not_found(ask):
    for path in ("attachments/nope", "files/nope", "files/nope/300/", "alternative_exports/nope", "attachments/../x"):
        assert ask.get(f"{PHOTOS}/{path}").status_code == 404


def test_an_alternative_export_is_a_file(ask):
    answer = ask.get(f"{PHOTOS}/alternative_exports/gtfs_zip")
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["stops.txt"]
    described = ask.whole(PHOTOS)["alternative_exports"][0]
    assert (described["id"], described["description"]) == ("gtfs_zip", "GTFS of 2026")
    assert local(ask, described["url"]).content == answer.content


def test_an_alternative_export_may_lie_with_another_host(ask):
    headers = {"authorization": "Apikey demo-key"}
    path = f"/api/explore/v2.1/catalog{PHOTOS}/alternative_exports/archive_zip"
    first = ask(path, headers=headers, allow_redirects=False)
    assert first.status_code == 303
    assert "x-ratelimit-limit" not in first.headers
    there = urlsplit(first.headers["location"])
    assert there.hostname == "localhost" != urlsplit(ask.portal.url).hostname
    followed = ask(path, headers=headers)
    assert followed.status_code == 200
    assert "x-ratelimit-limit" not in followed.headers
    assert ask.portal.requests[-1].auth is None
    assert ask(there.path, headers=headers).status_code == 400


def test_a_file_of_a_record_is_fetched_by_the_address_in_it(ask):
    for row in ask.rows("landmark-photos", limit=3):
        photo = row["photo"]
        assert set(photo) == {
            "id", "filename", "mimetype", "format", "width", "height", "thumbnail", "etag", "last_synchronized",
            "color_summary", "exif_orientation", "url",
        }  # fmt: skip
        answer = local(ask, photo["url"])
        assert hashlib.md5(answer.content).hexdigest() == photo["id"]
        assert Image.open(io.BytesIO(answer.content)).size == (photo["width"], photo["height"])
        page = f"/explore/dataset/landmark-photos/files/{photo['id']}"
        assert ask(page + "/download/").content == answer.content


def test_images_have_thumbnails_and_other_files_none(ask):
    photo = ask.rows("landmark-photos", limit=1)[0]["photo"]
    for root in (f"/api/explore/v2.1/catalog{PHOTOS}/files", "/explore/dataset/landmark-photos/files"):
        small = Image.open(io.BytesIO(ask(f"{root}/{photo['id']}/80/").content))
        assert max(small.size) == 80
    text = ask.rows("all-types", where="document is not null", limit=1)[0]["document"]
    assert text["thumbnail"] is False
    assert ask.get(f"/datasets/all-types/files/{text['id']}/300/").status_code == 404


@pytest.mark.parametrize("key", ["content-type", "content_type"])
def test_a_pushed_file_is_fetched_back(ask, key):
    image = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(image, "JPEG")
    content = base64.b64encode(image.getvalue()).decode()
    record = {"shot": "new", "taken_at": "2026-02-01T00:00:00Z", "image": {"content": content, key: "image/jpg"}}
    assert ask(PUSH, method="POST", params=KEY, json=record).json() == {"status": "OK"}
    (row,) = ask.rows("camera-shots", where="shot='new'")
    assert (row["image"]["mimetype"], row["image"]["format"]) == ("image/jpg", "JPEG")
    assert (row["image"]["width"], row["image"]["height"]) == (20, 10)
    answer = local(ask, row["image"]["url"])
    assert answer.content == image.getvalue()
    ask.portal.reset()
    assert local(ask, row["image"]["url"]).status_code == 404
    assert ask.total("camera-shots") == 1


@pytest.mark.parametrize("image", ["x", {"content": "%%%"}, {"content": 5}, {"url": "http://127.0.0.1/x"}, []])
def test_a_file_that_cannot_be_read_is_lost_without_a_word(ask, image):
    assert ask(PUSH, method="POST", params=KEY, json={"shot": "bad", "image": image}).json() == {"status": "OK"}
    assert ask.rows("camera-shots", where="shot='bad'")[0]["image"] is None


def test_a_file_counts_in_the_5_mb_as_it_is_sent(ask):
    content = base64.b64encode(b"x" * 3_900_000).decode()
    answer = ask(PUSH, method="POST", params=KEY, json={"shot": "big", "image": {"content": content}})
    assert answer.status_code == 413
