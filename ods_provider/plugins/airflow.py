"""Airflow as plugin number one: its connections, its masker, its task state, its object storage."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import AIRFLOW
from ods_provider.core.forgetting import forgets
from ods_provider.core.redact import Secret
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.sinks.destination import Destination, destination

if TYPE_CHECKING:
    from airflow.sdk import Connection

NAME = "airflow"
# Airflow adds this one itself when a URI's extra is not a mapping.
_AIRFLOWS_OWN = {"__extra__"}


class Airflow:
    """The adapter: a run is one task instance, whatever its try."""

    name = NAME

    def run(self, native: Any, *, connection_ref: str) -> Run:
        """Return the run of a task's context; outside a task, ``native`` is None."""
        log = logging.getLogger("airflow.task")
        if native is None:
            return Run(NAME, "outside-a-task", connection_ref, log)
        ti = native["ti"]
        key = "/".join(str(part) for part in (ti.dag_id, ti.run_id, ti.task_id, getattr(ti, "map_index", -1)))
        return Run(NAME, key, connection_ref, log, native)


@hookimpl
def ods_get_scheduler(name: str) -> SchedulerAdapter | None:
    """Serve Airflow."""
    return Airflow() if name == NAME else None


@hookimpl
@forgets
def ods_resolve_connection(ref: str, scheduler: str) -> OdsConnection | None:
    """Look the connection up in Airflow."""
    if scheduler != NAME:
        return None
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = BaseHook.get_connection(ref)
    except AirflowNotFoundException as error:
        # Airflow says the same when a secrets backend is down for a moment: the task may be tried again.
        raise OdsConfigError(
            f"there is no connection {ref!r}",
            where="ods_conn_id",
            advice=f"Create it with the type Opendatasoft portal, or set AIRFLOW_CONN_{ref.upper()}",
            cause=error,
        ) from None
    return from_airflow(connection)


@forgets
def from_airflow(connection: Connection) -> OdsConnection:
    """Return Airflow's connection as ours, its secrets known to Airflow's masker from here on.

    Airflow's own object prints its password, so it is not kept.

    Raises:
        OdsConfigError: A part is bad; the message names it.
    """
    where = f"connection {connection.conn_id}"
    # host may hold a percent-encoded scheme when the connection came as a URI.
    ours = from_parts(
        host=unquote(connection.host or ""),
        schema=connection.schema,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        extra=_extra(connection, where),
        where=where,
        face=AIRFLOW,
    )
    mask(ours)
    return ours


def _extra(connection: Connection, where: str) -> Mapping[str, Any]:
    # Not `extra_dejson`: it turns what it cannot read into nothing, and a push key would be missing without a word.
    try:
        extra = json.loads(connection.extra or "{}")
    except (ValueError, RecursionError):
        # The foreign message is left out: it may quote the extra, which may hold keys.
        raise OdsConfigError("the extra is not valid JSON", where=where, advice="Write the extra as JSON") from None
    if not isinstance(extra, Mapping):
        raise OdsConfigError("the extra is no JSON object", where=where, advice='Write it as {"name": value}')
    return {name: value for name, value in extra.items() if name not in _AIRFLOWS_OWN}


def mask(connection: OdsConnection) -> None:
    """Tell Airflow's masker every secret of the connection."""
    from airflow.sdk.log import mask_secret

    for secret in connection.secrets():
        mask_secret(secret.reveal())


@hookimpl
def ods_new_secret(secret: Secret, scheduler: str) -> None:
    """Tell Airflow's masker of a token that came up during a run."""
    if scheduler == NAME:
        from airflow.sdk.log import mask_secret

        mask_secret(secret.reveal())


class TaskState:
    """A ``CheckpointStore`` in Airflow's task state (3.3 and later), which survives retries on any worker.

    It cannot list its keys, so an index is kept under one of them.

    Args:
        accessor: Airflow's, of the task.
        name: What the keys begin with.
    """

    def __init__(self, accessor: Any, name: str = "ods") -> None:
        self._accessor = accessor
        self._prefix = f"{name}/"
        self._index = f"{name}/units"
        kept = accessor.get(self._index, None)
        # What another release, or another hand, put there is no index: then there is no progress.
        whole = isinstance(kept, list) and all(isinstance(unit, str) for unit in kept)
        self._units: list[str] = list(kept) if whole else []

    def load(self) -> dict[str, Any]:
        """Return every unit; one whose write was interrupted is not in the index and so not confirmed."""
        found = {unit: self._accessor.get(self._prefix + unit, None) for unit in self._units}
        return {unit: value for unit, value in found.items() if value is not None}

    def save(self, unit: str, value: Any) -> None:
        """Write a unit, then name it in the index."""
        self._accessor.set(self._prefix + unit, value)
        if unit not in self._units:
            self._units.append(unit)
            self._accessor.set(self._index, self._units)

    def clear(self) -> None:
        """Delete the units and the index, and nothing of what the user's task keeps there."""
        for unit in self._units:
            self._accessor.delete(self._prefix + unit)
        self._accessor.delete(self._index)
        self._units = []


@hookimpl
def ods_checkpoint_store(run: Run) -> CheckpointStore | None:
    """Keep progress in the task's state where Airflow has one, unless ``ODS_CHECKPOINT_URL`` names another place."""
    if run.scheduler != NAME or run.native is None or os.environ.get("ODS_CHECKPOINT_URL"):
        return None
    accessor = run.native.get("task_state_store")
    # A second store of the same task, whose key has an ending, lies beside its first.
    ending = run.key.removeprefix(Airflow().run(run.native, connection_ref=run.connection_ref).key)
    return TaskState(accessor, f"ods{ending.replace('/', '-')}") if accessor is not None else None


@hookimpl
def ods_open_destination(place: Any, run: Run) -> Destination | None:
    """Open a URL with Airflow's object storage when it names a connection (``s3://my_conn@bucket/key``)."""
    if run.scheduler != NAME or not isinstance(place, str) or "://" not in place:
        return None
    if "@" not in place.partition("://")[2].partition("/")[0]:
        return None
    from airflow.sdk import ObjectStoragePath

    path = ObjectStoragePath(place)
    # The connection's name is no secret, but the URL is what people open: it goes without.
    protocol, _, rest = place.partition("://")
    return Destination(destination(path).fs, path.path, f"{protocol}://{rest.partition('@')[2]}")
