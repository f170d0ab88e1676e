"""Who waits is patient by one rule, and never without a pause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ods_provider.core import errors
from ods_provider.core.patience import next_look, pace_s, patient_with

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOGIN = errors.OdsAuthError("the portal showed its login page instead of data", status=200)
PAGE = errors.OdsNotAPortal("the answer is a web page, not data", status=200)


@pytest.mark.parametrize(
    ("error", "first", "later"),
    [
        (errors.OdsQuotaExceeded("spent", status=429), True, True),
        (errors.OdsServerError("down", status=503), True, True),
        (errors.OdsTimeout("silent"), True, True),
        (errors.OdsPluginError("the vault timed out"), True, True),
        (errors.OdsSinkError("the token store is busy", cause=TimeoutError()), True, True),
        (PAGE, False, True),
        (LOGIN, False, True),
        (errors.OdsAuthError("wrong key", status=401), False, False),
        (errors.OdsNotFound("no such dataset", status=404), False, False),
        (errors.OdsUnreachable("the certificate is not trusted"), False, False),
        (errors.OdsBrokenPlugin("gave a str"), False, False),
        # It may come back when the secrets backend does; but the wait must not hide that nobody made it.
        (errors.OdsConfigError("there is no connection", cause=LookupError()), False, False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_with_what_a_waiter_is_patient(error: errors.OdsError, first: bool, later: bool) -> None:
    assert patient_with(error, answered=False) is first
    assert patient_with(error, answered=True) is later


def test_looks_are_never_without_a_pause() -> None:
    assert [pace_s(every_s) for every_s in (300, 0.2, 0, -1, float("nan"))] == [300, 0.2, 1, 1, 1]


def test_the_moment_that_a_portal_names_is_not_anticipated_and_not_believed_for_ever() -> None:
    assert next_look(NOW, every_s=60) == NOW + timedelta(seconds=60)
    assert next_look(NOW, every_s=60, named=NOW + timedelta(seconds=5)) == NOW + timedelta(seconds=60)
    assert next_look(NOW, every_s=60, named=NOW + timedelta(hours=3)) == NOW + timedelta(hours=3)
    assert next_look(NOW, every_s=60, named=datetime(3600, 1, 1, tzinfo=UTC)) == NOW + timedelta(days=1)
    assert next_look(NOW, every_s=7 * 86_400, named=NOW + timedelta(hours=3)) == NOW + timedelta(days=7)
