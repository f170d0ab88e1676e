"""What people see of a job in Prefect's UI: how far it is, and what came of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from ods_provider.core.events import Event, JobDone, JobFailed, Progress, Waiting
from ods_provider.core.legible import legible
from ods_provider.core.narrate import far, size, summary

EVERY_S = 10.0
# What runs are compared by, which tells people nothing.
_UNSEEN = ("fingerprint", "dataset_state")
_MARKS = re.compile(r"[\\`*_\[\]<>|~#!&]")


def artifact_key(*parts: str | None) -> str:
    """Return a key as Prefect takes it: lower-case letters, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(part for part in parts if part).lower()).strip("-")


class Board:
    """The artifacts of one job. Every update is a call to Prefect's API, so that few are made, and the last is made.

    Args:
        job: The job's name.
        dataset_id: Its dataset.
        into: What becomes of it: a table, or the name of a format. All three are the key under which runs are versions.
        now: A monotonic clock.
    """

    def __init__(
        self, job: str, dataset_id: str | None, into: str | None = None, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._title = _plain(f"{job} of {dataset_id}" if dataset_id else job)
        self._key = artifact_key("ods", job, dataset_id, into)
        self._now = now
        self._bar: UUID | None = None
        self._latest: Progress | None = None
        self._drawn: Progress | None = None
        self._drawn_at = 0.0

    def hear(self, event: Event) -> None:
        """Draw an event, or keep it until it is worth a call."""
        if isinstance(event, Progress) and event.total:
            self._latest = event
            if self._drawn is None or self._now() - self._drawn_at >= EVERY_S:
                self._draw()
        elif isinstance(event, (Waiting, JobDone, JobFailed)):
            self._draw()
            if isinstance(event, JobDone):
                self._conclude(event.result)

    def _draw(self) -> None:
        """Bring the bar to what was last heard."""
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        said = self._latest
        if said is None or said == self._drawn or not said.total:
            return
        share = min(100.0, 100.0 * said.done / said.total)
        text = f"{self._title}: {far(said)}"
        if self._bar is None:
            made = create_progress_artifact(progress=share, key=f"{self._key}-progress", description=text)
            self._bar = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(artifact_id=self._bar, progress=share, description=text)
        self._drawn, self._drawn_at = said, self._now()

    def _conclude(self, result: Any) -> None:
        from prefect.artifacts import create_markdown_artifact

        create_markdown_artifact(_markdown(result), key=f"{self._key}-result", description=self._title)


def _markdown(result: Any) -> str:
    """Return what came of a job, without a heading: Prefect shows the description above it."""
    if not isinstance(result, Mapping):
        return f"{_plain(summary(result))}\n"
    seen = {name: value for name, value in result.items() if value is not None and name not in _UNSEEN}
    # The checksum stands in the table alone, where it is one line.
    head = _plain(summary({name: value for name, value in seen.items() if name != "sha256"}))
    rows = [f"| {_plain(name)} | {_plain(_value(name, value))} |" for name, value in seen.items()]
    return "\n".join([f"{head}\n", "| what | value |", "|---|---|", *rows, ""])


def _value(name: str, value: Any) -> Any:
    """Return a value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" + (f" ({size(value)})" if name == "size_bytes" and value >= 1000 else "")
    return value


def _plain(value: Any) -> str:
    """Return a value as Markdown that shows it as it is: no link, picture, tag or cell of a table begins in it."""
    return _MARKS.sub(r"\\\g<0>", legible(str(value)))
