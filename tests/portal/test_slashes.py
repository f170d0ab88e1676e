"""Addresses with a slash at their end, as the vendor's own client asks for them, and what they answer."""

import pytest

CAPITALS = "/datasets/world-capitals"
PHOTOS = "/datasets/landmark-photos"
PATHS = [
    "/datasets",
    "/facets",
    "/exports",
    "/exports/csv",
    CAPITALS,
    f"{CAPITALS}/records",
    f"{CAPITALS}/facets",
    f"{CAPITALS}/exports",
    f"{CAPITALS}/exports/json",
    f"{CAPITALS}/attachments",
    f"{PHOTOS}/attachments",
    f"{PHOTOS}/alternative_exports",
    f"{PHOTOS}/alternative_exports/gtfs_zip",
]


def same(ask, path, **params):
    plain, slashed = ask(path, params=params), ask(path + "/", params=params)
    assert plain.status_code == slashed.status_code
    assert slashed.history == []
    # Links name the address without the slash, whichever was asked.
    assert slashed.content == plain.content
    return slashed


@pytest.mark.at_length(but=10)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("root", ["/api/explore/v2.1/catalog", "/api/explore/v2.0/catalog", "/api/v2/catalog"])
def test_an_address_answers_with_and_without_a_slash(ask, root, path):
    assert same(ask, root + path).status_code == 200


def test_one_record_and_one_file_do_too(ask):
    record = ask.rows(limit=1, include_app_metas="true")[0]["_id"]
    assert same(ask, f"/api/explore/v2.1/catalog{CAPITALS}/records/{record}").json()["name"]
    photo = ask.rows("landmark-photos", limit=1)[0]["photo"]
    path = f"/api/explore/v2.1/catalog{PHOTOS}/files/{photo['id']}"
    for more in ("", "/300", "/download"):
        assert same(ask, path + more).status_code == 200


def test_links_to_pages_work_whichever_address_was_asked(ask):
    for end in ("", "/"):
        found = ask.whole(f"{CAPITALS}/records{end}", include_links="true", limit=2)
        following = next(link["href"] for link in found["links"] if link["rel"] == "next")
        assert "records?" in following
        assert ask(following.removeprefix(ask.portal.url)).json()["results"] != found["results"]


def test_what_there_is_not_is_not_found_with_a_slash_either(ask):
    assert ask.refused("/datasets/nope/")[:2] == (404, "NotFoundResource")
    assert ask.refused("/nowhere/")[:2] == (404, "NotFoundURI")
    assert ask.refused(f"{CAPITALS}/aggregates/")[:2] == (410, "GoneURI")
