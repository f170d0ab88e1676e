"""What is told of a publication: what would be done, why it failed, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.counting import counted
from ods_provider.core.outcome import outcome
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.content import About
from ods_provider.jobs.publishing.orders import Ended
from ods_provider.jobs.publishing.pointing import file_of
from ods_provider.jobs.publishing.progress import Progress
from ods_provider.jobs.publishing.showing import Proof
from ods_provider.jobs.publishing.wanted import Wanted


def plan_of(
    ctx: JobContext, wanted: Wanted, dataset_id: str, resource: Mapping[str, Any] | None, begun: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what would be done, as an Outcome.

    Args:
        ctx: The job's.
        wanted: What is asked.
        dataset_id: The dataset.
        resource: Which of its resources would read the file; None where one would be made.
        begun: What the publication would begin with.
    """
    would = "a first resource would be made" if resource is None else f"{resource['uid']} would read this file"
    return outcome(
        dataset_id=dataset_id,
        path=wanted.given({}).place(ctx),
        **_content(About(**begun["content"])),
        dataset_state=begun["state"],
        resource=None if resource is None else resource["uid"],
        file=file_of(resource),
        dry_run=True,
        note="; ".join(["nothing was changed: " + would, *filter(None, [begun.get("unread")])]),
        calls=ctx.calls,
    )


def failure_of(ended: Ended, max_errors: int) -> str | None:
    """Return why a publication that has ended is no good, None where nothing is said against it."""
    if ended.failed:
        return f"the portal says: {ended.failed}"
    if ended.errors > max_errors:
        shown = "; ".join([*ended.shown, *(["…"] if ended.errors > len(ended.shown) else [])])
        fit = "does not fit its field" if ended.errors == 1 else "do not fit their fields"
        return f"{counted(ended.errors, 'cells')} {fit}, more than max_errors={max_errors}: {shown}"
    return None


def outcome_of(
    ctx: JobContext, wanted: Wanted, progress: Progress, dataset_id: str, ended: Ended, proof: Proof
) -> dict[str, Any]:
    """Return what came of a publication that is proven.

    Args:
        ctx: The job's.
        wanted: What was asked.
        progress: What is confirmed.
        dataset_id: The dataset.
        ended: How the portal's work ended.
        proof: What the public sees now.
    """
    return outcome(
        dataset_id=dataset_id,
        path=wanted.given({}).place(ctx),
        **_content(About(**progress.get("content"))),
        rows_shown=proof.rows,
        equal_rows=proof.equal_rows,
        verified=proof.verified,
        data_processed=proof.processed,
        resource=progress.get("resource"),
        file=progress.get("file"),
        records_errors=ended.errors,
        status=ended.status,
        note=_note(wanted, progress, proof),
        calls=ctx.calls,
        quota_remaining=ctx.remaining(dataset_id),
    )


def _content(about: About) -> dict[str, Any]:
    return {"format": about.kind, "rows": about.rows, "size_bytes": about.size_bytes, "sha256": about.sha256}


def _note(wanted: Wanted, progress: Progress, proof: Proof) -> str | None:
    said = []
    if progress.get("made"):
        said.append(f"the dataset was made as {wanted.new_title!r}: restricted, until somebody opens it")
    if proof.rows is None:
        said.append(progress.get("unread") or "Explore shows this key none of its rows: they are not counted")
    return "; ".join(said) or None
