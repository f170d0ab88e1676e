"""What happens during a run, told in sentences: one wording for every scheduler's log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ods_provider.core.events import (
    Event,
    JobDone,
    JobStarted,
    Progress,
    QuotaSeen,
    RequestSent,
    RetryScheduled,
    Waiting,
)
from ods_provider.core.legible import legible

_NOUNS = {"media": "media fetch", "delete": "deletion"}  # jobs whose name is no piece of work by itself
_ONE = {"rows": "row", "files": "file", "batches": "batch", "calls": "call"}
_UNITS = ("B", "KB", "MB", "GB", "TB")


def narrate(event: Event) -> tuple[int, str] | None:
    """Return an event as a logging level and a sentence, or None for what the scheduler tells itself (failures)."""
    told = _told(event)
    return None if told is None else (told[0], legible(told[1]))


def _told(event: Event) -> tuple[int, str] | None:
    if isinstance(event, JobStarted):
        verb = "Going on with" if event.resumed else "Starting"
        what = _NOUNS.get(event.job, event.job)
        return logging.INFO, f"{verb} the {what}" + (f" of {event.dataset_id}" if event.dataset_id else "")
    if isinstance(event, Progress):
        of = f" of {event.total:,}" if event.total is not None else ""
        return logging.INFO, size(event.done) if event.unit == "bytes" else f"{event.done:,}{of} {event.unit}"
    if isinstance(event, RetryScheduled):
        return logging.WARNING, f"Trying again in {event.wait_s:.1f} s (attempt {event.attempt}): {event.caused_by}"
    if isinstance(event, Waiting):
        return logging.INFO, f"Waiting until {event.until.isoformat(timespec='seconds')}: {event.reason}"
    if isinstance(event, JobDone):
        return logging.INFO, f"Done: {summary(event.result)}"
    if isinstance(event, RequestSent):
        return logging.DEBUG, f"{event.method} {event.url} {event.status} after {event.wait_s:.2f} s"
    if isinstance(event, QuotaSeen):
        return logging.DEBUG, f"Quota: {event.quota.remaining} of {event.quota.limit} calls left"
    return None


def summary(result: Any) -> str:
    """Return what came of a job in one line: an Outcome's telling keys, or the number of rows."""
    if not isinstance(result, Mapping):
        return _counted(len(result), "rows") if isinstance(result, list) else legible(str(result))
    parts = [_counted(result[name], name) for name in ("rows", "files", "batches") if result.get(name) is not None]
    if result.get("action") == "delete" and parts:
        parts[0] += " deleted"
    if result.get("size_bytes") is not None:
        parts.append(size(result["size_bytes"]))
    if result.get("path"):
        parts.append(f"at {result['path']}")
    if result.get("sha256"):
        parts.append(f"sha256 {result['sha256']}")
    if result.get("verified"):
        parts.append(f"verified: {result['verified']}")
    if result.get("moved"):
        parts.append("republished meanwhile")
    if result.get("calls") is not None:
        left = result.get("quota_remaining")
        parts.append(_counted(result["calls"], "calls") + (f", {left:,} left" if left is not None else ""))
    if result.get("note"):
        parts.append(str(result["note"]))
    return legible(", ".join(parts)) or "nothing to tell"


def _counted(number: int, units: str) -> str:
    return f"{number:,} {_ONE[units] if number == 1 else units}"


def size(number: float) -> str:
    """Return a number of bytes in a unit that is easy to read."""
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError("the last unit takes everything")
