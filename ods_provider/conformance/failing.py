"""A listener that always fails, as a plugin: no job may notice."""

from __future__ import annotations

from ods_provider.plugins.hookspecs import hookimpl


@hookimpl(tryfirst=True)
def ods_job_event() -> None:
    """Fail."""
    raise RuntimeError("this listener always fails")
