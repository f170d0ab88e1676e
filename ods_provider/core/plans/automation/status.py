"""Where a dataset is: the last word of its story, and what a program may do about it.

Source: Automation API v1.0, status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ods_provider.core.plans.automation.calls import as_object, call, not_shaped, told
from ods_provider.core.redact import masked
from ods_provider.core.times import http_date, parse_time, seconds_between
from ods_provider.core.wire import Plan

READY = frozenset({"idle", "error", "limit_reached"})
BUSY = frozenset({"queued", "processing", "aborting_processing", "deleting", "saving_version"})


@dataclass(frozen=True, slots=True)
class Status:
    """A status as the portal told it.

    Attributes:
        status: ``idle``, ``error``, ``limit_reached`` (an order is taken); ``queued``, ``processing``, ``deleting``,
            ``aborting_processing``, ``saving_version`` (at work); or a word that nobody knew when this was written.
        since: When it began, in the portal's spelling, mostly to the second; None where it does not say.
        previous, next: The statuses around it, None where they are not told.
        is_published: None where the portal does not say.
        message: Why it failed, None otherwise.
        records_errors: Cells that do not fit: ``[{record_id, field_uid, processor_uid, message}]``; their rows are
            there.
        params: What else it tells; of ``limit_reached`` which limit it was.
        raw: The whole object, with whatever this portal tells besides.
        told_at: When it was told, by the portal's own clock; None where it does not say.
    """

    status: str
    since: str | None = None
    previous: str | None = None
    next: str | None = None
    is_published: bool | None = None
    message: str | None = None
    records_errors: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    told_at: datetime | None = field(default=None, compare=False)

    @classmethod
    def of(cls, value: Mapping[str, Any], *, told_at: datetime | None = None) -> Status:
        """Return a status from the portal's object, in either of its spellings.

        Raises:
            OdsNotAPortal: It holds no status.
        """
        # The API's ancestor says name, or status, and published.
        word = value.get("status", value.get("name"))
        if not isinstance(word, str):
            raise not_shaped("status of a dataset", 200, "status expected")
        published = value.get("is_published", value.get("published"))
        params = value.get("params")
        return cls(
            word,
            _text(value.get("since")),
            _text(value.get("previous")),
            _text(value.get("next")),
            published if isinstance(published, bool) else None,
            _text(value.get("message")),
            tuple(each for each in value.get("records_errors") or () if isinstance(each, Mapping)),
            params if isinstance(params, Mapping) else {},
            dict(value),
            told_at,
        )

    @property
    def ready(self) -> bool:
        """Whether the dataset is at nothing, and takes an order."""
        return self.status in READY

    @property
    def busy(self) -> bool:
        """Whether the dataset is at work; neither, of a word that nobody knows."""
        return self.status in BUSY

    @property
    def seconds_old(self) -> float | None:
        """How long it had lasted when it was told, by the portal's clocks; None where they do not say."""
        return seconds_between(self.since, self.told_at)

    @property
    def to_the_second(self) -> bool:
        """Whether it is told without parts of a second, so that two statuses may seem to have begun together."""
        since = parse_time(self.since)
        return since is not None and not since.microsecond

    def said(self) -> str:
        """Return what it says in words: ``error: the file is gone``."""
        error = self.params.get("error")
        more = "" if not isinstance(error, Mapping) else ", ".join(f"{key} {value}" for key, value in error.items())
        return ": ".join(part for part in (self.status, self.message, more) if part)


def status(uid: str) -> Plan[Status]:
    """Return the status of a dataset. One call."""
    response = yield call("GET", "datasets", uid, "status")
    found = as_object(masked(told(response)), what=f"GET {response.url}")
    return Status.of(found, told_at=http_date(response.headers.get("date")))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
