"""Dagster as a plugin: who runs, with which connection, and where its progress is kept. It imports no Dagster."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.events import DatasetDescribed, Event
from ods_provider.core.schema import Dataset
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.sinks.destination import destination
from ods_provider.stores.checkpoints import FolderStore
from ods_provider.tables.target import Target
from ods_provider.tables.urls import target_of

NAME = "dagster"


@dataclass(slots=True)
class Native:
    """What the face hands to the runner.

    Attributes:
        context: Dagster's execution context.
        resource: The ``OdsResource`` that the user configured.
        key: Stable name of the work: the asset and its partition, or the op and the run it began in.
        asset_key: The asset that is made, None in an op of no asset.
        partition: Its partition.
        dataset: The dataset as the portal described it during the run, once it did.
    """

    context: Any
    resource: Any
    key: str
    asset_key: Any = None
    partition: str | None = None
    dataset: Dataset | None = None


class Dagster:
    """The adapter: a run is one asset (and partition), or one op, however many of Dagster's runs it takes."""

    name = NAME

    def run(self, native: Native, *, connection_ref: str) -> Run:
        """Return the run of a step's context."""
        return Run(NAME, f"{NAME}/{native.key}", connection_ref, _told_to(native.context.log), native)


def _told_to(log: logging.Logger) -> logging.Logger:
    # Dagster stores every line in its database: what is said once a request stays out of it.
    told = logging.Logger("ods_provider.dagster", logging.INFO)  # noqa: LOG001  one for each step
    told.addHandler(_Forward(log))
    return told


class _Forward(logging.Handler):
    """Hands a line on to Dagster's own log of the step, which people read in the UI."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on one line."""
        self._log.log(record.levelno, record.getMessage())


@hookimpl
def ods_get_scheduler(name: str) -> SchedulerAdapter | None:
    """Serve Dagster."""
    return Dagster() if name == NAME else None


@hookimpl
def ods_resolve_connection(scheduler: str, run: Run | None) -> OdsConnection | None:
    """Take the connection from the resource: Dagster keeps no connections by name."""
    if scheduler != NAME or run is None:
        return None
    connection: OdsConnection = run.native.resource.connection()
    return connection


@hookimpl
def ods_table_target(place: Any, run: Run) -> Target | None:
    """Open the URL that an ``EnvVar`` names: a password stands neither in the code nor in a run's config."""
    if run.scheduler != NAME or type(place).__name__ != "EnvVar":
        return None
    url = place.get_value()
    if not url:
        raise OdsConfigError(
            f"the variable {place.env_var_name} is not set",
            where="argument destination",
            advice="Set it to a URL, such as postgresql://user:password@host/database",
        )
    return target_of(url)


@hookimpl
def ods_checkpoint_store(run: Run) -> CheckpointStore | None:
    """Keep progress in the instance's storage folder, unless ``ODS_CHECKPOINT_URL`` names a place for all hosts."""
    if run.scheduler != NAME or os.environ.get("ODS_CHECKPOINT_URL"):
        return None
    name = hashlib.sha256(run.key.encode()).hexdigest()[:24]
    return FolderStore(
        destination(run.native.context.instance.storage_directory()).child("ods-checkpoints").child(name)
    )


@hookimpl
def ods_last_success(fingerprint: str, run: Run) -> Mapping[str, Any] | None:
    """Read it from the metadata of the asset's last materialization."""
    if run.scheduler != NAME or run.native.asset_key is None:
        return None
    from ods_provider.schedulers.dagster.metadata import last_result

    native = run.native
    told = last_result(native.context.instance, native.asset_key, native.partition)
    return told if told.get("fingerprint") == fingerprint else {}


@hookimpl
def ods_job_event(event: Event, run: Run) -> None:
    """Keep the dataset's description: it costs no call of its own and becomes the asset's column schema."""
    if run.scheduler == NAME and isinstance(event, DatasetDescribed):
        run.native.dataset = event.dataset
