"""How a command ends: one line on standard error, and an exit code that a script can branch on."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

import click

from ods_provider.cli.locking import Busy
from ods_provider.cli.settings import Settings
from ods_provider.cli.stopping import stoppable
from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.legible import legible
from ods_provider.core.redact import scrub

DONE, FAILED, USAGE, SKIPPED, WAITING, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 75, 130, 143

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

AGAIN = "Run the same command again after that, or with --wait; what is confirmed is not asked for again."


class Waiting(Exception):
    """The command ends here and must be run again after ``until``; ``advice`` says what can be done."""

    def __init__(self, until: datetime, reason: str, advice: str = AGAIN) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason
        self.advice = advice


class Skipped(Exception):
    """Nothing was done, and what follows need not be either; ``outcome`` is that of the run that did it."""

    def __init__(self, reason: str, outcome: Mapping[str, Any]) -> None:
        super().__init__(reason)
        self.outcome = outcome


@contextmanager
def exits(settings: Settings) -> Iterator[None]:
    """Turn whatever a command raises into its line and its exit code; a traceback is shown with ``--debug`` only."""
    try:
        with stoppable():
            yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Waiting as wait:
        until = wait.until.isoformat(timespec="seconds")
        _waiting(f"Waiting until {until}: {wait.reason}. {wait.advice}", until, wait.reason, settings)
    except Skipped as skip:
        _skipped(skip, settings)
    except Busy as error:
        # Nobody knows when the other one ends.
        _waiting(f"Waiting: {error}", None, error.what, settings)
    except OdsError as error:
        _trace(settings)
        _end(USAGE if isinstance(error, OdsConfigError) else FAILED, f"Error: {error}", "red")
    except KeyboardInterrupt:
        _end(INTERRUPTED, f"Stopped. {_again(settings)}", "yellow")
    except SystemExit as error:
        # jobs.context.Suspended is one: what SIGTERM makes of a job at work.
        if not isinstance(error.code, str):
            raise
        _end(TERMINATED, f"Stopped by SIGTERM. {_again(settings)}", "yellow")
    except BrokenPipeError:
        # Whoever reads our output has had enough.
        _write_no_more()
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        _trace(settings)
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            # Files that we open ourselves are told of by name (OdsSinkError): this one is standard output.
            _write_no_more()
            line = f"Error: the output cannot be written: {error.strerror}. Make room, or send it elsewhere."
            _end(FAILED, line, "red")
        said = scrub(str(error), settings.secrets)
        hint = "" if settings.debug else " Run it again with --debug and report what it shows."
        _end(FAILED, f"Error: this should not have happened: {type(error).__name__}: {said}.{hint}", "red")


def _waiting(line: str, until: str | None, reason: str, settings: Settings) -> NoReturn:
    if settings.json:
        # Beside the rows, whose reader would take it for one.
        click.echo(_json({"status": "waiting", "until": until, "reason": reason}), err=True)
        sys.exit(WAITING)
    if settings.quiet:
        # It is no error: whoever runs the same command every few minutes reads the exit code.
        sys.exit(WAITING)
    _end(WAITING, line, "yellow")


def _skipped(skip: Skipped, settings: Settings) -> NoReturn:
    if settings.json:
        # As every job's last line.
        click.echo(_json(skip.outcome))
    elif not settings.quiet:
        _end(SKIPPED, f"Skipped: {skip}.", "yellow")
    sys.exit(SKIPPED)


def _write_no_more() -> None:
    # Python would try, and complain, once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _json(value: Any) -> str:
    import json

    # In ASCII, which every encoding holds.
    return json.dumps(value)


def _trace(settings: Settings) -> None:
    if settings.debug:
        lines = scrub(traceback.format_exc(), settings.secrets).splitlines()
        click.echo("\n".join(legible(line) for line in lines), err=True)


def _end(code: int, line: str, colour: str) -> NoReturn:
    word, _, rest = line.partition(" ")
    click.echo(f"{click.style(word, fg=colour, bold=True)} {' '.join(legible(rest).split())}", err=True)
    sys.exit(code)


def _again(settings: Settings) -> str:
    return "The same command goes on where it stopped." if settings.resumes else ""
