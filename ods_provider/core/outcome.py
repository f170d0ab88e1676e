"""How a job ends: with an Outcome, or with the wish to be run again later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

KEYS = (
    "dataset_id",
    "path",
    "format",
    "rows",
    "size_bytes",
    "sha256",
    "verified",
    "data_processed",
    "moved",
    "unchanged",
    "calls",
    "quota_remaining",
    "fingerprint",
    "dataset_state",
)


def outcome(**known: Any) -> dict[str, Any]:
    """Return an Outcome: a plain dict with every common key, None where a key does not apply.

    Keys:
        dataset_id, path, format: What was read or written, and where.
        rows: Rows counted in what was written or sent; None where the format cannot be counted.
        size_bytes, sha256: Of the file as it stands.
        verified: ``"counted"``, ``"container"`` (an intact file of a format without rows) or ``"transport"``.
        data_processed: State of the dataset that was read, ISO 8601.
        moved: True when the dataset was republished meanwhile and that was accepted.
        unchanged: True when an earlier run had written it and nothing was fetched, False when it was.
        calls: Requests this run made.
        quota_remaining: Calls left, as last seen.
        fingerprint: Tells what was asked, and where it lies but for digits, from other work.
        dataset_state: Tells the state of the dataset from its others: its times, counts and fields.
    """
    return dict.fromkeys(KEYS) | known


@dataclass(frozen=True, slots=True)
class Done:
    """The job is finished; ``result`` goes to whoever asked (an Outcome, or rows).

    Args:
        result: What came of it.
        skipped: Why nothing was done and what follows need not be either, one sentence; None where it was.
    """

    result: Any
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The job must be run again, not before ``until``; it will go on where it stopped.

    Args:
        until: Aware UTC; a lower bound only.
        reason: One sentence for people.
        checkpoint: Small JSON state that travels with the wait, such as how long the work has waited in all; progress
            stays in the checkpoint store.
        poll: Whether ``until`` is but the job's own next look: nobody named that moment, and nothing speaks against an
            earlier one.
        watching: What is waited for, as JSON, where a scheduler can look for itself and need not run the job for every
            look: ``{"publication": {…}}`` or ``{"publications": […]}`` of ``plans.automation.publications``, or
            ``{"harvest": {…}}`` of ``plans.automation.harvesters``. Others go by ``until``.
        latest: When the job itself must look, whatever a scheduler sees of what it watches: the job's own time is over.
    """

    until: datetime
    reason: str
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    poll: bool = False
    watching: Mapping[str, Any] | None = None
    latest: datetime | None = None
