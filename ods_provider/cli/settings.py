"""What the user chose for all commands: which portal, who he is to it, and how much he wants to be told."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ods_provider.core.redact import Secret


class Shown(Protocol):
    """What progress is shown on."""

    def aside(self) -> AbstractContextManager[None]:
        """Step aside while somebody is told or asked something."""


@dataclass(slots=True)
class Settings:
    """The shared options, wherever they stood on the command line.

    Attributes:
        host, key_file, push_key_file, profile, airflow_conn: Which connection; see ``connecting``.
        default_airflow_conn: Connection to take when nothing else was said: what ``airflow ods`` sets.
        json: Results as JSON, one value per line.
        quiet: No progress.
        debug: Every call, and tracebacks.
        secrets: What must not be seen in a traceback; known once the connection is.
        resumes: Whether the same command, run again, goes on where this one stopped.
        shown: What progress is shown on, while a job is at work.
    """

    host: str | None = None
    key_file: str | None = None
    push_key_file: str | None = None
    profile: str | None = None
    airflow_conn: str | None = None
    default_airflow_conn: str | None = None
    json: bool = False
    quiet: bool = False
    debug: bool = False
    secrets: list[Secret] = field(default_factory=list, repr=False)
    resumes: bool = False
    shown: Shown | None = field(default=None, repr=False)
