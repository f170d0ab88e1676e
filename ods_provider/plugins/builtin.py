"""What answers when no other plugin does: environment, files, a little jitter. Registered first, so asked last."""

from __future__ import annotations

import hashlib
import logging
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.connection import EXTRAS, OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.events import Event, JobDone
from ods_provider.core.faces import ENVIRONMENT, Face
from ods_provider.core.forgetting import forgets
from ods_provider.core.legible import kind_of
from ods_provider.core.narrate import narrate
from ods_provider.core.nearest import nearest
from ods_provider.core.oauth import TokenStore
from ods_provider.core.outcome import Wait
from ods_provider.core.times import utc_now
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.sinks.destination import Destination, destination
from ods_provider.stores.checkpoints import FolderStore
from ods_provider.stores.last import last_success, remember
from ods_provider.stores.state import state_folder
from ods_provider.stores.tokens import FileTokens
from ods_provider.tables.target import Target

JITTER_S = 30.0
JITTER_SHARE = 0.1
CHECKPOINT_URL = "ODS_CHECKPOINT_URL"
# Variables of ours that are no settings of a connection.
_OTHERS = (CHECKPOINT_URL, "ODS_TOKEN_STORE", "ODS_CONFIG", "ODS_RECORDED", "ODS_LOAD_TO")
_FAMILIES = ("ODS_PLUGINS", "ODS_PORTAL_", "ODS_LITERAL_", "ODS_FUZZ_")
log = logging.getLogger("ods_provider")


class CommandLine:
    """The plain scheduler: a process that somebody started."""

    name = "cli"

    def run(self, native: Any, *, connection_ref: str) -> Run:
        """Return a run named by ``native``, a text that is the same for the same command."""
        return Run(self.name, f"cli-{native}", connection_ref, logging.getLogger("ods_provider"), native)


@hookimpl
def ods_get_scheduler(name: str) -> SchedulerAdapter | None:
    """Serve the command line."""
    return CommandLine() if name == CommandLine.name else None


@hookimpl
def ods_resolve_connection(ref: str, scheduler: str) -> OdsConnection | None:
    """Serve ``ODS_HOST`` with ``ODS_API_KEY`` and ``ODS_PUSH_API_KEY`` outside the schedulers that have connections."""
    if scheduler != CommandLine.name or not os.environ.get("ODS_HOST"):
        return None
    return from_environment(os.environ)


@forgets
def from_environment(
    environ: Mapping[str, str], *, where: str = "environment", face: Face = ENVIRONMENT
) -> OdsConnection:
    """Return the connection that the environment describes: every extra has its variable, as ``ODS_MAX_WAIT_S``.

    Args:
        environ: The variables.
        where: Whose they are, for messages.
        face: How the settings are called there, for messages.

    Raises:
        OdsConfigError: A variable is bad.
    """
    for name, meant in misspelt(environ):
        log.warning("%s is not read: perhaps %s is meant", name, meant)
    return from_parts(
        host=environ.get("ODS_HOST"),
        login=environ.get("ODS_LOGIN"),
        password=environ.get("ODS_API_KEY"),
        extra={name: environ.get(f"ODS_{name.upper()}") for name in EXTRAS},
        where=where,
        face=face,
    )


def misspelt(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield variables that are like a setting's and are none, with what is meant; others may be another program's."""
    known = ("host", "api_key", "login", *EXTRAS)
    for name in environ:
        word = name.removeprefix("ODS_").lower()
        if word == name.lower() or name in _OTHERS or name.startswith(_FAMILIES):
            continue
        if meant := nearest(word, known):
            yield name, f"ODS_{meant[0].upper()}"


@hookimpl
def ods_checkpoint_store(run: Run) -> CheckpointStore | None:
    """Keep progress in files, below ``ODS_CHECKPOINT_URL`` or in the user's state folder."""
    root = os.environ.get(CHECKPOINT_URL) or str(state_folder() / "checkpoints")
    name = hashlib.sha256(run.key.encode()).hexdigest()[:24]
    return FolderStore(destination(root, where=CHECKPOINT_URL).child(name))


@hookimpl
def ods_table_target(place: Any) -> Target:
    """Open what a URL names."""
    from ods_provider.tables.urls import target_of

    if not isinstance(place, str):
        raise OdsConfigError(
            f"{kind_of(place)} names no database",
            where="argument destination",
            advice="Pass a URL, such as duckdb:///city.duckdb or postgresql://host/database",
        )
    return target_of(place)


@hookimpl
def ods_last_success(fingerprint: str, run: Run) -> Mapping[str, Any] | None:
    """Look it up in the user's state folder, for processes that somebody started."""
    return last_success(fingerprint) if run.scheduler == CommandLine.name else None


@hookimpl
def ods_token_store(connection: OdsConnection) -> TokenStore | None:
    """Keep OAuth2 tokens in files, below ``ODS_TOKEN_STORE`` or in the user's state folder."""
    return FileTokens.of(connection)


@hookimpl
def ods_open_destination(place: Any, run: Run) -> Destination | None:
    """Open paths, fsspec URLs and objects with a filesystem and a path."""
    return destination(place)


@hookimpl
def ods_wait_policy(wait: Wait, run: Run) -> Wait | None:
    """Spread the return: everybody's quota comes back at the same midnight. Half a minute, less after a short wait."""
    if wait.poll:
        return None
    most_s = min(JITTER_S, JITTER_SHARE * max(0.0, (wait.until - utc_now()).total_seconds()))
    return replace(wait, until=wait.until + timedelta(seconds=random.uniform(0, most_s)))


@hookimpl
def ods_job_event(event: Event, run: Run) -> None:
    """Tell it in the log that the scheduler's users read, and remember what a later process will ask for."""
    if isinstance(event, JobDone) and event.remember and run.scheduler == CommandLine.name:
        remember(event.result)
    told = narrate(event)
    if told is not None:
        run.log.log(*told)
