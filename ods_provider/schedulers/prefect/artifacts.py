"""What people see of a job in Prefect's UI: how far it is, and what came of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from ods_provider.core.events import Event, JobDone, JobFailed, Progress, Waiting
from ods_provider.core.legible import legible
from ods_provider.core.narrate import summary

EVERY_S = 10.0
_MARKS = re.compile(r"[\\`*_\[\]<>|~#!&]")


def artifact_key(*parts: str | None) -> str:
    """Return a key as Prefect takes it: lower-case letters, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(part for part in parts if part).lower()).strip("-")


class Board:
    """The artifacts of one job. Every update is a call to Prefect's API, so that few are made, and the last is made.

    Args:
        job: The job's name.
        dataset_id: Its dataset.
        now: A monotonic clock.
    """

    def __init__(self, job: str, dataset_id: str | None, *, now: Callable[[], float] = time.monotonic) -> None:
        self._title = _plain(f"{job} of {dataset_id}" if dataset_id else job)
        self._key = artifact_key("ods", job, dataset_id)
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
        text = f"{self._title}: {said.done:,} of {said.total:,} {said.unit}"
        if self._bar is None:
            made = create_progress_artifact(progress=share, key=f"{self._key}-progress", description=text)
            self._bar = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(artifact_id=self._bar, progress=share, description=text)
        self._drawn, self._drawn_at = said, self._now()

    def _conclude(self, result: Any) -> None:
        from prefect.artifacts import create_markdown_artifact

        create_markdown_artifact(_markdown(self._title, result), key=f"{self._key}-result", description=self._title)


def _markdown(title: str, result: Any) -> str:
    head = f"## {title}\n\n{_plain(summary(result))}\n"
    if not isinstance(result, Mapping):
        return head
    rows = [f"| {_plain(name)} | {_plain(value)} |" for name, value in result.items() if value is not None]
    return "\n".join([head, "| | |", "|---|---|", *rows, ""])


def _plain(value: Any) -> str:
    """Return a value as Markdown that shows it as it is: no link, picture, tag or cell of a table begins in it."""
    return _MARKS.sub(r"\\\g<0>", legible(str(value)))
