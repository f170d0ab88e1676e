"""Run a job for a command: under a name that the same command has again, guarded, and waiting as the user wants."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ods_provider.cli.connecting import REF, SCHEDULER, connect
from ods_provider.cli.display import Display, display
from ods_provider.cli.ending import Skipped, Waiting
from ods_provider.cli.face import NAME, Terminal
from ods_provider.cli.locking import Busy, locked, sweep_locks
from ods_provider.cli.nearby import add_meant
from ods_provider.cli.settings import Settings
from ods_provider.cli.wording import own_words
from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsError, OdsSinkError
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.source import telling_apart
from ods_provider.core.times import parse_time, utc_now
from ods_provider.jobs.runner import run_job
from ods_provider.plugins.manager import Plugins
from ods_provider.plugins.manager import plugins as default_plugins
from ods_provider.plugins.run import Run
from ods_provider.sinks.destination import destination
from ods_provider.sinks.litter import sweep
from ods_provider.stores.state import expanded, state_folder

if TYPE_CHECKING:
    from ods_provider.jobs.context import Job

_WAIT = "wait"
_SCHEMED = re.compile(r"[A-Za-z][\w+.-]{0,100}:", re.ASCII)
_SPOOLS = re.compile(r"[0-9a-f]{16}(?:-[0-9]+)?\.jsonl")
# How the work is done, and not which: the same run may go on with other values.
_HOW = ("columns", "if_moved", "if_unchanged", "max_xcom_bytes", "min_rows", "parallel", "staging", "swap")


class Session:
    """One command at work: its connection, its plugins, what it shows progress on.

    Args:
        settings: The shared options.
        shown: Where progress goes.
    """

    def __init__(self, settings: Settings, shown: Display) -> None:
        self._shown = shown
        self._terminal = Terminal(shown)
        self.plugins = Plugins({NAME: self._terminal})
        self.connection = connect(settings, self.plugins, shown.warn)
        self._terminal.connection = self.connection
        settings.secrets = self.connection.secrets()
        self._tokens = self.plugins.token_store(self.connection, SCHEDULER)

    def name(self, **identity: Any) -> str:
        """Return the name of a run: the same for the same command on the same portal."""
        return fingerprint(base_url=self.connection.base_url, **identity)

    def run(self, job: Job, name: str, *, wait: bool = False, now: bool = False) -> Any:
        """Run a job and return its result; what an earlier run confirmed is not done again.

        Raises:
            Waiting: The portal says to come back later, and ``wait`` is False.
            Skipped: There was nothing to do.
            OdsError: It failed.
        """
        store = self.plugins.checkpoint_store(self._terminal.run(f"{name}-wait", connection_ref=REF))
        kept = _kept(store.load().get(_WAIT))
        until = parse_time(kept.get("until"))
        while True:
            if until is not None and until > utc_now() and not now:
                self._hold(until, kept["reason"], wait=wait)
            now = False
            try:
                ended = run_job(
                    job,
                    scheduler=SCHEDULER,
                    native=name,
                    connection_ref=REF,
                    checkpoint=kept.get("state"),
                    plugins=self.plugins,
                )
            except OdsError as error:
                add_meant(error, job, self.connection, self._tokens)
                # Whoever runs it again begins a new wait.
                if kept:
                    store.clear()
                raise
            if isinstance(ended, Done):
                if kept:
                    store.clear()
                if ended.skipped is not None:
                    raise Skipped(ended.skipped, ended.result)
                return ended.result
            until, kept = ended.until, _to_keep(ended)
            if ended.poll:
                # Another process may look earlier, and must: what was seen then says nothing of now.
                store.clear()
            else:
                store.save(_WAIT, kept)

    def _hold(self, until: datetime, reason: str, *, wait: bool) -> None:
        if not wait:
            raise Waiting(until, reason)
        self._shown.sleep_until(until, reason)


def _kept(value: Any) -> dict[str, Any]:
    """Return what ``_to_keep`` made; nothing where another release, or another hand, kept something else."""
    whole = isinstance(value, dict) and isinstance(value.get("until"), str) and isinstance(value.get("reason"), str)
    return value if whole and isinstance(value.get("state") or {}, dict) else {}


def _to_keep(wait: Wait) -> dict[str, Any]:
    return {"until": wait.until.isoformat(), "reason": wait.reason, "state": dict(wait.checkpoint)}


@contextmanager
def session() -> Iterator[Session]:
    """Open the session of the command that click is running."""
    settings = click.get_current_context().ensure_object(Settings)
    with own_words(), display(settings) as shown:
        settings.shown = shown
        yield Session(settings, shown)


def run(job: Job, *, identity: Mapping[str, Any], wait: bool = False, now: bool = False) -> Any:
    """Run a job that writes or sends: nobody else may do the same meanwhile, and a later run goes on with it.

    Args:
        job: What to do.
        identity: The arguments that make it this job and no other.
        wait: Whether to wait for a quota, and for another process that does the same.
        now: Whether to ask the portal although it named a later time.

    Raises:
        Busy: Another process does the same.
        Waiting: The portal says to come back later.
        Skipped: There was nothing to do.
        OdsError: It failed.
    """
    settings = click.get_current_context().ensure_object(Settings)
    with session() as at_work:
        name = at_work.name(**identity)
        with locked(lock_path(name), wait=wait):
            settings.resumes = True
            result = at_work.run(job, name, wait=wait, now=now)
            settings.resumes = False
            return result


def read(make: Callable[[str], Job], *, identity: Mapping[str, Any], wait: bool = False, now: bool = False) -> Any:
    """Run a job that only reads: several of the same may run at once, each with its own progress.

    Args:
        make: Makes the job, given the run's name.
        identity: The arguments that make it this job and no other.
        wait: Whether to wait for a quota.
        now: Whether to ask the portal although it named a later time.
    """
    with session() as at_work, ExitStack() as held:
        name = at_work.name(**identity)
        try:
            held.enter_context(locked(lock_path(name), wait=False))
        except (Busy, OdsSinkError):
            name = f"{name}-{os.getpid()}"
        return at_work.run(make(name), name, wait=wait, now=now)


def lock_path(name: str) -> Path:
    """Return the lock of a run."""
    folder = state_folder() / "locks"
    sweep_locks(folder, now=utc_now())
    return folder / f"{name}.lock"


def spool_path(name: str) -> Path:
    """Return where rows lie that go to standard output once they are all here; what killed runs left there goes."""
    folder = state_folder() / "spool"
    try:
        # Before the job makes it: rows of a private dataset are for this user alone.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError:
        pass  # the job will say what is wrong with it
    sweep(destination(folder), now=utc_now(), names=_SPOOLS, ours=name)
    return folder / f"{name}.jsonl"


def identity(command: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a run this one and no other: the command and the arguments that decide what is done."""
    kept = {name: value for name, value in given.items() if name not in _HOW}
    return {"command": command} | telling_apart(kept)


def _is_a_plugin_s(place: str) -> bool:
    """Return whether a place such as ``reports:2026/x.csv`` is one that a plugin opens, and no path."""
    return bool(_SCHEMED.match(place)) and default_plugins().opens(place, _before_a_run())


def _before_a_run() -> Run:
    return Run(SCHEDULER, "cli-place", REF, logging.getLogger("ods_provider"))


def database(place: str) -> str:
    """Return what a database is called to people, its user and password left out.

    Raises:
        OdsConfigError: The place names none.
    """
    return default_plugins().table_target(place, _before_a_run()).label


def absolute(place: str) -> str:
    """Return a path as it is from everywhere: run from another folder, the same words are another job. URLs stay.

    Raises:
        UsageError: It is ``-``: what is written appears whole or not at all, which standard output cannot promise.
    """
    if place == "-":
        raise click.UsageError(
            "- is no place to write to: name a file (./- for one of that name). "
            "Rows go to standard output with `ods records DATASET --json`."
        )
    if "://" in place or not place.strip() or _is_a_plugin_s(place):
        return place  # an empty one is refused in a moment, and must not become this folder
    # A slash at the end says that a folder is meant.
    return f"{expanded(place).absolute()}{'/' * place.endswith('/')}"
