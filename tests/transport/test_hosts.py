"""Where a key may go is decided by the origin, read as the library reads it that makes the connection."""

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.wire import Request
from ods_provider.transport.hosts import Itinerary

PORTAL = Itinerary("https://data.example.org", ("mirror.example.org", "other.example.org:8443", "[::1]:9443"))
FILE, API = Request("/f", kind="file"), Request("/a")


@pytest.mark.parametrize(
    "url",
    [
        "https://data.example.org/x",
        "https://data.example.org:443/x",
        "HTTPS://DATA.example.org/x",
        "https://mirror.example.org/x",
        "https://other.example.org:8443/x",
        "https://[::1]:9443/x",
    ],
)
def test_the_portal_and_its_other_names_get_the_key(url: str) -> None:
    target = PORTAL.follow(API, "https://data.example.org/a", url)
    assert target is not None
    assert target.trusted


@pytest.mark.parametrize(
    "url",
    [
        "https://data.example.org:8443/x",
        "https://data.example.org:80/x",
        "https://mirror.example.org:444/x",
        "https://other.example.org/x",
        "https://data.example.org.evil.example/x",
        "https://data.example.org@evil.example/x",
        "https://evil.example\\@data.example.org/x",
        "//evil.example/x",
        "https://sub.data.example.org/x",
    ],
)
def test_everything_else_gets_none_and_only_files_are_fetched_there(url: str) -> None:
    assert PORTAL.follow(API, "https://data.example.org/a", url) is None
    target = PORTAL.follow(FILE, "https://data.example.org/a", url)
    assert target is None or not target.trusted


@pytest.mark.parametrize(
    "url",
    [
        "http://data.example.org/x",
        "http://mirror.example.org/x",
        "ftp://data.example.org/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user:pw@data.example.org/x",
        "https://[data.example.org/x",
        "https://da ta.example.org/x",
        "https://data.example.org:99999/x",
    ],
)
def test_what_is_no_address_for_us_is_not_followed_even_for_a_file(url: str) -> None:
    assert PORTAL.follow(FILE, "https://data.example.org/a", url) is None
    if "://" in url:
        with pytest.raises(OdsConfigError, match="not the portal's host"):
            PORTAL.start(Request(url, kind="file"))


def test_http_may_become_https_on_the_usual_ports_and_on_no_other() -> None:
    plain = Itinerary("http://data.example.org")
    up = plain.follow(API, "http://data.example.org/a", "https://data.example.org/a")
    assert up is not None
    assert up.trusted
    assert plain.follow(API, "http://data.example.org/a", "https://data.example.org:8443/a") is None
    odd = Itinerary("http://data.example.org:8080")
    assert odd.follow(API, "http://data.example.org:8080/a", "https://data.example.org/a") is None


CHANGES = [Request("/p", method="POST"), Request("/d", kind="push"), Request("/t", method="POST", kind="token")]


@pytest.mark.parametrize("request_", CHANGES, ids=["post", "push", "token"])
def test_what_changes_something_follows_nothing(request_: Request) -> None:
    assert PORTAL.follow(request_, "https://data.example.org/p", "https://data.example.org/p/") is None


def test_a_path_never_leaves_the_portal() -> None:
    for path in ("/a", "a", "//evil.example/a", "/@evil.example", "\\evil.example"):
        assert PORTAL.start(Request(path)).url.startswith("https://data.example.org/")
