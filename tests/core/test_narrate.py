import logging
from datetime import UTC, datetime

import pytest

from ods_provider.core.errors import OdsError, OdsTimeout
from ods_provider.core.events import (
    JobDone,
    JobFailed,
    JobStarted,
    Progress,
    QuotaSeen,
    RequestSent,
    RetryScheduled,
    Waiting,
)
from ods_provider.core.narrate import narrate, summary
from ods_provider.core.outcome import outcome
from ods_provider.core.quota import Quota

UNTIL = datetime(2026, 8, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "level", "sentence"),
    [
        (JobStarted("download", "cities", False), logging.INFO, "Starting the download of cities"),
        (JobStarted("search", None, True), logging.INFO, "Going on with the search"),
        (
            JobStarted("download", "cities", False, portal="https://data.town.org", aim="as csv, where n > 5"),
            logging.INFO,
            "Starting the download of cities at data.town.org, as csv, where n > 5",
        ),
        (Progress(40, 110, "rows", 5_000, 20.0), logging.INFO, "40 of 110 rows, 5.0 KB (20 rows/s)"),
        (Progress(40, 110, "rows", None, None), logging.INFO, "40 of 110 rows"),
        (Progress(8_000, None, "bytes", 8_000, 2_000.0), logging.INFO, "8.0 KB (2.0 KB/s)"),
        (Progress(8_000, 16_000, "bytes"), logging.INFO, "8.0 KB of 16.0 KB"),
        (Progress(3_000, 10_000, "rows"), logging.INFO, "3,000 of 10,000 rows"),
        (Progress(1, None, "rows"), logging.INFO, "1 row"),
        (Progress(1, 1, "batches"), logging.INFO, "1 of 1 batch"),
        (Progress(1, 2, "files"), logging.INFO, "1 of 2 files"),
        (Progress(8_388_608, None, "bytes"), logging.INFO, "8.4 MB"),
        (Waiting(UNTIL, "quota spent"), logging.INFO, "Waiting until 2026-08-18T00:00:00+00:00: quota spent"),
        (JobDone([{}, {}]), logging.INFO, "Done: 2 rows"),
        (RequestSent("GET", "http://h/p", 200, 0.25), logging.DEBUG, "GET http://h/p 200 after 0.25 s"),
        (QuotaSeen(None, Quota(100, 7)), logging.DEBUG, "Quota: 7 of 100 calls left"),
    ],
)
def test_every_event_is_told_in_one_sentence(event, level, sentence):
    assert narrate(event) == (level, sentence)


def test_a_retry_is_a_warning_that_says_why():
    level, sentence = narrate(RetryScheduled(1, 0.5, OdsTimeout("the portal was silent", where="GET http://h/p"))) or (
        0,
        "",
    )
    assert level == logging.WARNING
    assert sentence == "Trying again in 0.5 s (attempt 1): the portal was silent (GET http://h/p)."


def test_a_failure_is_left_to_the_scheduler():
    assert narrate(JobFailed(OdsError("no"))) is None


def test_an_outcome_is_summed_up_by_the_keys_that_it_has():
    done = outcome(path="/d/c.csv", rows=69_472, size_bytes=2_100_000, sha256="ab", verified="counted", calls=5)
    assert summary(done) == "69,472 rows, 2.1 MB, verified: counted, at /d/c.csv, 5 calls, sha256 ab"
    assert summary(outcome(files=40, size_bytes=999, calls=41, quota_remaining=1_000)) == (
        "40 files, 999 B, 41 calls, 1,000 left"
    )


def test_one_is_not_plural():
    assert summary(outcome(rows=1, batches=1, calls=1)) == "1 row, 1 batch, 1 call"
