"""Quotas are read whatever their spelling, and absence says nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from ods_provider.core.quota import Quota, QuotaBook, read_quota
from ods_provider.core.times import parse_reset, parse_time
from ods_provider.core.wire import Headers

MIDNIGHT = datetime(2026, 8, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-08-18 00:00:00+00:00",
        "2026-08-18T00:00:00Z",
        "2026-08-18T02:00:00+02:00",
        "2026-08-18 00:00:00",
        str(int(MIDNIGHT.timestamp())),
        str(int(MIDNIGHT.timestamp() * 1000)),
    ],
)
def test_every_spelling_of_a_reset_is_the_same_moment(text: str) -> None:
    assert parse_time(text) == MIDNIGHT


@pytest.mark.parametrize(
    "text", [None, "", "soon", "now", "P1D", True, "99999999999999999999999", "12", "3600", "0000", "9" * 400]
)
def test_what_is_no_time_is_none(text: object) -> None:
    assert parse_time(text) is None  # type: ignore[arg-type]


def test_names_are_found_in_any_case_and_a_23_digit_limit_stays_exact() -> None:
    headers = Headers(
        {
            "x-ratelimit-limit": "99999999999999999999999",
            "X-RateLimit-Remaining": "7",
            "X-RATELIMIT-RESET": "2026-08-18 00:00:00+00:00",
        }
    )
    assert read_quota(headers) == Quota(99999999999999999999999, 7, MIDNIGHT)


def test_an_answer_without_quota_headers_leaves_what_is_known() -> None:
    book = QuotaBook()
    book.observe(Headers({"x-ratelimit-limit": "10", "x-ratelimit-remaining": "3"}), "d")
    assert not book.observe(Headers(), "d")
    assert book.portal == Quota(10, 3, None)
    assert book.calls == 2


def test_the_tightest_of_the_portals_and_the_datasets_quota_binds() -> None:
    book = QuotaBook()
    headers = {
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "50",
        "x-ratelimit-dataset-limit": "10",
        "x-ratelimit-dataset-remaining": "0",
        "x-ratelimit-dataset-reset": "2026-08-18 00:00:00+00:00",
    }
    book.observe(Headers(headers), "d")
    assert book.tightest("d") == Quota(10, 0, MIDNIGHT)
    assert book.tightest("other") == Quota(100, 50, None)
    assert book.reset_when_spent("d") == MIDNIGHT
    assert book.reset_when_spent("other") is None


def test_garbage_in_a_quota_header_is_unknown_and_no_error() -> None:
    quota = read_quota(Headers({"x-ratelimit-limit": "many", "x-ratelimit-remaining": "4", "x-ratelimit-reset": "?"}))
    assert quota == Quota(None, 4, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("202401011200", datetime(2024, 1, 1, 12, tzinfo=UTC)),
        ("20240101120030", datetime(2024, 1, 1, 12, 0, 30, tzinfo=UTC)),
        (202401011200, datetime(2024, 1, 1, 12, tzinfo=UTC)),
        ("20240101", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024", datetime(2024, 1, 1, tzinfo=UTC)),
        ("1704110400", datetime(2024, 1, 1, 12, tzinfo=UTC)),
        ("1704110400000", datetime(2024, 1, 1, 12, tzinfo=UTC)),
        ("946684800000", datetime(2000, 1, 1, tzinfo=UTC)),
        ("209912312460", None),
    ],
)
def test_a_time_without_signs_between_is_read_as_it_is_written(text: str | int, moment: datetime | None) -> None:
    # What is no date is an epoch after all: in milliseconds, of long ago.
    assert parse_time(text) == (moment or datetime.fromtimestamp(209912312.460, UTC))


@pytest.mark.parametrize(("text", "seconds"), [("3600", 3600), ("0", 0), ("86400", 86400), ("12.5", 12), (60, 60)])
def test_a_reset_may_be_so_many_seconds_away(text: str | int, seconds: int) -> None:
    now = datetime(2026, 8, 17, 12, tzinfo=UTC)
    assert parse_reset(text, now) == now + timedelta(seconds=seconds)
    headers = Headers({"x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(text)})
    book = QuotaBook()
    book.observe(headers, None, now=now)
    assert book.reset_when_spent() == now + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", [str(int(MIDNIGHT.timestamp())), "2026-08-18 00:00:00+00:00", "20260818", "202608180000"]
)
def test_a_reset_that_is_a_moment_is_that_moment(text: str) -> None:
    assert parse_reset(text, datetime(2020, 1, 1, tzinfo=UTC)) == MIDNIGHT
