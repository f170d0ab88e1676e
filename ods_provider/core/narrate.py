"""What happens during a run, told in sentences: one wording for every scheduler's log."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from ods_provider.core.counting import counted, verb
from ods_provider.core.events import (
    Event,
    JobDone,
    JobStarted,
    Noticed,
    Partitioned,
    Progress,
    QuotaSeen,
    RequestSent,
    RetryScheduled,
    StepDone,
    Waiting,
)
from ods_provider.core.legible import legible

# Jobs whose name is no piece of work by itself, and the word between it and a dataset.
_NOUNS = {
    "media": ("media fetch", "of"),
    "delete": ("deletion of records", "from"),
    "push": ("push", "into"),
    "publish": ("publication", "of"),
    "publish-file": ("publication of a file", "in"),
    "metadata": ("change of the metadata", "of"),
    "visibility": ("change of visibility", "of"),
    "partition": ("cutting into parts", "of"),
    "assembly": ("joining of the parts", "of"),
    "mirror plan": ("plan of the mirror", "of"),
    "mirror report": ("report on the mirror", "of"),
    "look": ("look", "at"),
    "quota": ("look at the quota", "of"),
    "attachments list": ("look at the attachments", "of"),
    "attachments add": ("addition of an attachment", "to"),
    "attachments remove": ("removal of an attachment", "from"),
    "dataset create": ("making of the dataset", ""),
    "dataset delete": ("deletion of the dataset", ""),
}
_ORDERS = ("publish", "publish_metadata", "unpublish")
_DAY_S = 86_400
_LEAST_S = 60
_SPANS = (
    (365 * _DAY_S, "year"),
    (30 * _DAY_S, "month"),
    (_DAY_S, "day"),
    (3600, "hour"),
    (_LEAST_S, "minute"),
)  # of each, the longest that fits
_UNITS = ("B", "KB", "MB", "GB", "TB")


def narrate(event: Event) -> tuple[int, str] | None:
    """Return an event as a logging level and a sentence, or None for what the scheduler tells itself (failures)."""
    told = _told(event)
    return None if told is None else (told[0], legible(told[1]))


def _told(event: Event) -> tuple[int, str] | None:
    if isinstance(event, JobStarted):
        begun = "Going on with" if event.resumed else "Starting"
        what, between = _NOUNS.get(event.job, (event.job, "of"))
        which = (between, event.dataset_id) if event.dataset_id else ()
        where = ("at", event.portal.partition("://")[2]) if event.portal else ()
        said = " ".join(filter(None, (begun, "the", what, *which, *where)))
        return logging.INFO, said + (f", {event.aim}" if event.aim else "")
    if isinstance(event, Progress):
        return logging.INFO, far(event) + _rate(event)
    if isinstance(event, Partitioned):
        return logging.INFO, _cut(event)
    if isinstance(event, StepDone):
        return logging.INFO, _step(event)
    if isinstance(event, Noticed):
        return logging.INFO, event.sentence
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


def far(event: Progress) -> str:
    """Return how far a job is, in its unit and in bytes."""
    came = "" if event.size_bytes is None else size(event.size_bytes)
    if event.unit == "bytes":
        of = "" if event.total is None else f" of {size(event.total)}"
        return f"{size(event.done)}{of}"
    return ", ".join(filter(None, (counted(event.done, event.unit, event.total), came)))


def _rate(event: Progress) -> str:
    """Return how fast it is, where that is told."""
    if event.per_s is None:
        return ""
    return f" ({size(event.per_s)}/s)" if event.unit == "bytes" else f" ({event.per_s:,.0f} {event.unit}/s)"


def _step(event: StepDone) -> str:
    rows = "" if event.rows is None else f" {counted(event.rows, 'rows')}"
    rate = "" if not event.rows or event.wall_s < 0.01 else f" ({event.rows / event.wall_s:,.0f} rows/s)"
    return f"{event.step}{rows} in {event.wall_s:.1f} s{rate}" + (f": {event.note}" if event.note else "")


def _cut(event: Partitioned) -> str:
    why = "".join(f"; {sentence}" for sentence in event.tried)
    if event.field is None:
        return f"One stream{why}"
    here = f", {event.done} of which are here already" if event.done else ""
    calls = event.calls + event.parts
    parts = counted(event.parts, f"parts by {event.field}")
    return f"{parts}{here}: {counted(calls, 'calls')}, {event.calls} of them to find the parts{why}"


def summary(result: Any) -> str:
    """Return what came of a job in one line: an Outcome's telling keys, or the number of rows."""
    if not isinstance(result, Mapping):
        return counted(len(result), "rows") if isinstance(result, list) else legible(str(result))
    parts = [counted(result[name], name) for name in ("rows", "files", "batches") if result.get(name) is not None]
    if result.get("action") == "delete" and parts:
        parts[0] += " deleted"
    if result.get("equal") is not None:
        parts.append(", ".join(f"{result[name]:,} {name}" for name in ("new", "changed", "gone", "equal")))
    if result.get("size_bytes") is not None:
        parts.append(size(result["size_bytes"]))
    if result.get("verified"):
        parts.append(f"verified: {result['verified']}")
    if result.get("path"):
        parts.append(f"at {result['path']}")
    if result.get("unchanged"):
        parts.append("unchanged")
    parts += _described(result)
    parts += _published(result)
    parts += _administered(result)
    if result.get("moved"):
        parts.append("republished meanwhile")
    if result.get("calls") is not None:
        left = result.get("quota_remaining")
        parts.append(counted(result["calls"], "calls") + (f", {left:,} left" if left is not None else ""))
    if result.get("note"):
        parts.append(str(result["note"]))
    if result.get("sha256"):
        parts.append(f"sha256 {result['sha256']}")
    return legible(", ".join(parts)) or "nothing to tell"


def _described(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an Outcome tells of metadata."""
    would = "would be " if result.get("dry_run") else ""
    for key, said in (("changed_fields", f"{would}changed"), ("kept_fields", "kept")):
        if result.get(key):
            yield f"{counted(len(result[key]), 'fields')} {said}"


def _administered(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an Outcome tells of a harvest, or of who sees a dataset."""
    if result.get("harvester"):
        yield f"{counted(result['attached'], 'datasets')} of {result['harvester']}"
        yield from (f"{len(result[name]):,} {name}" for name in ("new", "gone") if result.get(name))
        if result.get("published") is not None:
            yield f"{result['published']:,} published"
        for each in result.get("failed") or ():
            yield f"{each['step']} of {each['dataset_id']} failed: {each['message']}"
    if result.get("anonymous"):
        records = result["anonymous"]["records"]
        sees = (
            "nothing" if not result["anonymous"]["seen"] else "it" if records is None else counted(records, "records")
        )
        yield f"{'public' if result['public'] else 'restricted'}, everybody sees {sees}"


def _published(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an Outcome tells of a publication."""
    if result.get("equal_rows"):
        yield f"{counted(result['equal_rows'], 'rows')} equal to others"
    if result.get("records_errors"):
        cells = result["records_errors"]
        yield f"{counted(cells, 'cells')} that {verb(cells, 'does', 'do')} not fit"
    if result.get("action") in _ORDERS:
        yield f"{result['action']}: {result.get('status')}"


def age(seconds: float) -> str:
    """Return how long ago a moment was, or in how long it will be, as people say it: ``3 hours ago``, ``in 2 days``."""
    far = abs(seconds)
    if far < _LEAST_S:
        return "now"
    unit_s, unit = next((length_s, name) for length_s, name in _SPANS if far >= length_s)
    number = int(far // unit_s)
    told = f"{number} {unit if number == 1 else unit + 's'}"
    return f"in {told}" if seconds < 0 else f"{told} ago"


def size(number: float) -> str:
    """Return a number of bytes in a unit that is easy to read."""
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError("the last unit takes everything")
