"""How each step gets a process of its own at the least cost: forked from one that has imported what steps need."""

from __future__ import annotations

_IMPORTED = [
    "dagster",
    # Dagster imports these when an instance is made.
    "dagster._core.storage.event_log",
    "dagster._core.storage.runs",
    "dagster._core.storage.schedules",
    "dagster._daemon.controller",
    "alembic.command",
    "requests",
    "ods_provider.schedulers.dagster",
    "ods_provider.transport.session",
]
# Dagster's default is a new interpreter for each step, which then imports for seconds.
FORKED = {"start_method": {"forkserver": {"preload_modules": _IMPORTED}}}
