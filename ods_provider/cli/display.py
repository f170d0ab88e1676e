"""What a person sees while a job works: a bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import click

from ods_provider.cli.settings import Settings
from ods_provider.core.counting import counted
from ods_provider.core.events import Event, JobDone, JobStarted, Noticed, Progress, QuotaSeen, Waiting
from ods_provider.core.legible import legible
from ods_provider.core.narrate import far, narrate, size
from ods_provider.core.redact import scrub
from ods_provider.core.times import utc_now

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Display(AbstractContextManager["Display"]):
    """Lines: one per event that is worth one.

    Args:
        settings: How much to tell.
    """

    every_s = 5.0

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._level = logging.DEBUG if settings.debug else logging.WARNING if settings.quiet else logging.INFO
        self._handler = _Handler(self)
        self._held: str | None = None
        self._reason = ""

    def __enter__(self) -> Self:
        ours = logging.getLogger("ods_provider")
        ours.addHandler(self._handler)
        ours.propagate = False
        return self

    def __exit__(self, *exc: object) -> None:
        ours = logging.getLogger("ods_provider")
        ours.removeHandler(self._handler)
        ours.propagate = True

    def show(self, event: Event) -> None:
        """Show an event. Warnings come from the log, what came of it from the command."""
        told = narrate(event)
        if told is None or isinstance(event, (JobDone, Waiting)) or told[0] >= logging.WARNING:
            return
        if told[0] < self._level:
            return
        if isinstance(event, JobStarted):
            # Held back: what is done at once needs no announcement.
            self._held = told[1]
        else:
            self.line(told[1])

    def line(self, text: str) -> None:
        """Write a line for people."""
        for each in (self._held, text):
            if each is not None:
                self.write(each)
        self._held = None

    def warn(self, text: str) -> None:
        """Write a line of warning, unless results and errors are all that is wanted."""
        if not self.settings.quiet:
            self.line(f"Warning: {text}")

    def write(self, text: str) -> None:
        """Write a line to where progress goes."""
        click.echo(text, err=True)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Step aside while somebody is told or asked something."""
        self._held = None
        yield

    def sleep_until(self, until: datetime, reason: str) -> None:
        """Sleep, and say why, once."""
        if self._level <= logging.INFO and reason != self._reason:
            self.line(f"Waiting until {until.isoformat(timespec='seconds')}: {reason}")
        self._reason = reason
        while (left_s := (until - utc_now()).total_seconds()) > 0:
            # In pieces: a machine that was suspended meanwhile wakes with a clock that has moved on.
            time.sleep(min(left_s, 60.0))


class Bars(Display):
    """A bar that shows how far it is, how fast, and what is left of the quota."""

    every_s = 0.1

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        self._bar = Bar(
            SpinnerColumn("dots" if console.encoding.startswith("utf") else "line"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[told]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[left]}"),
            console=console,
            transient=True,
            redirect_stdout=False,  # results go where they are sent, terminal or not
        )
        self._bar.start()
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        if self._bar is not None:
            self._bar.stop()

    def show(self, event: Event) -> None:
        """Move the bar."""
        if isinstance(event, JobStarted):
            self._begin(legible(" ".join(part for part in (event.job, event.dataset_id) if part)))
        elif isinstance(event, QuotaSeen) and event.quota.remaining is not None:
            self._update(left=f"{counted(event.quota.remaining, 'calls')} left")
        elif isinstance(event, Progress):
            self._progress(event)
        elif self.settings.debug or isinstance(event, Noticed):
            super().show(event)

    def write(self, text: str) -> None:
        """Write a line above the bar."""
        assert self._bar is not None
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away meanwhile."""
        assert self._bar is not None
        self._bar.stop()
        yield
        self._bar.start()

    def sleep_until(self, until: datetime, reason: str) -> None:
        """Say why, once, and count down."""
        if reason != self._reason:
            self.line(f"{reason}.")
        self._reason = reason
        # Local time: that is the clock that a person looks at.
        self._begin(f"waiting until {until.astimezone():%Y-%m-%d %H:%M:%S}")
        began = utc_now()
        whole_s = max(1.0, (until - began).total_seconds())
        while (left_s := (until - utc_now()).total_seconds()) > 0:
            self._update(completed=whole_s - left_s, total=whole_s, told=f"{_clock(left_s)} to go", left="")
            time.sleep(min(left_s, 0.5))

    def _begin(self, description: str) -> None:
        assert self._bar is not None
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(description, total=None, told="", left="")

    def _progress(self, event: Progress) -> None:
        if event.unit != "bytes":
            self._update(completed=event.done, total=event.total, told=far(event))
            return
        self._update(completed=event.done, told=size(event.done) + self._speed())

    def _speed(self) -> str:
        assert self._bar is not None
        speed = next((task.speed for task in self._bar.tasks if task.id == self._task), None)
        return f", {size(speed)}/s" if speed else ""

    def _update(self, **what: Any) -> None:
        assert self._bar is not None
        if self._task is not None:
            self._bar.update(self._task, **what)


class _Handler(logging.Handler):
    """Our own warnings, and those of plugins, as lines."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        settings = self._display.settings
        if settings.quiet and record.levelno < logging.ERROR:
            return  # results and errors only
        lines = [record.getMessage().replace("\n", " ")]
        if settings.debug and record.exc_info:
            lines += logging.Formatter().formatException(record.exc_info).splitlines()
        self._display.line("\n".join(legible(scrub(line, settings.secrets)) for line in lines))


def display(settings: Settings) -> Display:
    """Return what suits standard error."""
    import os

    plain = settings.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb"
    return Display(settings) if plain else Bars(settings)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
