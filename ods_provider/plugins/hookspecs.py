"""The hooks. Those that supply something are fatal when they fail; those that observe never are.

No parameter has a default, and every call passes all of them: pluggy's treatment of defaults differs between versions.
A plugin names only the parameters that it wants. ``docs/plugins.md`` has a section on each, and a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pluggy

from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.connection import OdsConnection
from ods_provider.core.events import Event
from ods_provider.core.oauth import TokenStore
from ods_provider.core.outcome import Wait
from ods_provider.core.redact import Secret
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.sinks.destination import Destination
from ods_provider.tables.target import Target

PROJECT = "ods_provider"
ODS_PLUGIN_API = "1.1"
"""Version of this contract. A new hook or parameter raises its second number, what breaks a plugin its first.

A plugin says with ``ODS_PLUGIN_API_REQUIRES``, a version specifier such as ``">=1.1,<2"``, what it needs.
"""
REQUIRES = "ODS_PLUGIN_API_REQUIRES"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def ods_get_scheduler(name: str) -> SchedulerAdapter | None:
    """Give the adapter of the scheduler called ``name``. Supplies: an exception ends the run."""


@hookspec(firstresult=True)
def ods_resolve_connection(ref: str, scheduler: str, run: Run | None) -> OdsConnection | None:
    """Give the connection that users of ``scheduler`` call ``ref``; ``run`` is None where no job asks. Supplies."""


@hookspec(firstresult=True)
def ods_checkpoint_store(run: Run) -> CheckpointStore | None:
    """Give the store for the progress of ``run``, where none can lie beside a destination. Supplies."""


@hookspec(firstresult=True)
def ods_open_destination(place: Any, run: Run) -> Destination | None:
    """Give the destination that ``place`` (a path, a URL, an object of the scheduler's) names. Supplies."""


@hookspec(firstresult=True)
def ods_table_target(place: Any, run: Run) -> Target | None:
    """Give the database that ``place`` (a URL, the scheduler's name of a connection) names. Supplies."""


@hookspec(firstresult=True)
def ods_wait_policy(wait: Wait, run: Run) -> Wait | None:
    """Give a wait in place of ``wait``, such as a later one. Supplies."""


@hookspec(firstresult=True)
def ods_last_success(fingerprint: str, run: Run) -> Mapping[str, Any] | None:
    """Give the Outcome of the last successful run of the same work, empty when none has succeeded yet. Supplies."""


@hookspec(firstresult=True)
def ods_token_store(connection: OdsConnection) -> TokenStore | None:
    """Give the store of the OAuth2 grant of ``connection``, which all who use the connection share. Supplies."""


@hookspec
def ods_new_secret(secret: Secret, scheduler: str) -> None:
    """Hear of a secret that the connection did not hold, such as a new OAuth2 token, to mask it. Observes."""


@hookspec
def ods_job_event(event: Event, run: Run) -> None:
    """Hear what happens in ``run``. Observes: an exception is logged and changes nothing."""
