"""Airflow as plugin number one: its connections, its masker, its task state, its object storage."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import AIRFLOW
from ods_provider.core.forgetting import forgets
from ods_provider.core.redact import Secret
from ods_provider.plugins.airflowmemory import last_success
from ods_provider.plugins.databases import Login, store_of, target_of
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.sinks.destination import Destination, destination
from ods_provider.tables.target import Target
from ods_provider.tables.urls import is_file

if TYPE_CHECKING:
    from airflow.sdk import Connection

NAME = "airflow"
# Airflow adds this one itself when a URI's extra is not a mapping.
_AIRFLOWS_OWN = {"__extra__"}
_REF = re.compile(r"[\w.-]{1,250}")


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
    advice = f"Create it with the type Opendatasoft portal, or set AIRFLOW_CONN_{ref.upper()}"
    connection = _found(ref, where="ods_conn_id", advice=advice)
    return from_airflow(connection)


def _found(ref: str, *, where: str, advice: str) -> Connection:
    """Return Airflow's connection of that name."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(ref)
    except AirflowNotFoundException as error:
        # Airflow says the same when a secrets backend is down for a moment: the task may be tried again, and the
        # message says why it is.
        raise OdsConfigError(
            f"there is no connection {ref!r}",
            where=where,
            advice=f"{advice}; a retry looks again, since Airflow says the same while a secrets backend is down",
            cause=error,
        ) from None


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
        # Airflow refuses what other stores write as JSON without a word: a tuple.
        self._accessor.set(self._prefix + unit, json.loads(json.dumps(value)))
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
def ods_last_success(fingerprint: str, run: Run) -> Mapping[str, Any] | None:
    """Look up what this task returned in the last successful run before this one, by date.

    Without a date nobody knows which run came before: databases sort such runs differently.
    """
    if run.scheduler != NAME or run.native is None:
        return None
    ti = run.native["ti"]
    dated = getattr(run.native.get("dag_run"), "logical_date", None) is not None
    if not dated or not hasattr(ti, "get_previous_ti"):
        return None
    try:
        return last_success(ti, fingerprint)
    except Exception as error:
        # Fetching is always right, and costs less than a task that fails of its memory.
        run.log.warning("What the last run returned cannot be looked up: %s: %s", type(error).__name__, error)
        return {}


@hookimpl
def ods_open_destination(place: Any, run: Run) -> Destination | None:
    """Open a URL with Airflow's object storage when it names a connection (``s3://my_conn@bucket/key``)."""
    if run.scheduler != NAME or not isinstance(place, str) or "://" not in place:
        return None
    if "@" not in place.partition("://")[2].partition("/")[0]:
        return None
    from airflow.sdk import ObjectStoragePath

    path = ObjectStoragePath(place)
    try:
        opened = destination(path)
    except OdsConfigError as error:
        raise _without_its_package(error, place) from None
    # The connection's name is no secret, but the URL is what people open: it goes without.
    protocol, _, rest = place.partition("://")
    return Destination(opened.fs, path.path, f"{protocol}://{rest.partition('@')[2]}")


@hookimpl
@forgets
def ods_table_target(place: Any, run: Run) -> Target | None:
    """Open what a connection of Airflow's leads to: ``warehouse``, or a bucket as ``s3://my_conn@lake/cities``."""
    if run.scheduler != NAME or not isinstance(place, str):
        return None
    protocol, _, rest = place.partition("://")
    ref, at, folder = rest.partition("@")
    if not rest and _REF.fullmatch(place) and not is_file(place):
        return target_of(_login(place))
    if protocol in ("s3", "s3a") and at and "/" not in ref and ":" not in ref:
        return store_of(_login(ref), f"s3://{folder}")
    return None


def _login(ref: str) -> Login:
    """Return a connection to a database; Airflow's own object prints its password, so it is not kept."""
    from airflow.sdk.log import mask_secret

    advice = f"Create it, set AIRFLOW_CONN_{ref.upper()}, or pass a URL such as duckdb:////data/city.duckdb"
    found = _found(ref, where="argument destination", advice=advice)
    password = Secret(found.password or "")
    if password:
        # As it stands in the URL that the driver gets.
        mask_secret(quote(password.reveal(), safe=""))
    extra = _extra(found, f"connection {ref}")
    return Login(ref, found.conn_type or "", found.host, found.port, found.login, found.schema, password, extra)


# Whose package lets Airflow open the protocol with a connection; fsspec's own filesystem alone does not.
_PACKAGES = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "s3a": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "gcs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
    "abfss": "apache-airflow-providers-microsoft-azure",
    "adl": "apache-airflow-providers-microsoft-azure",
    "wasb": "apache-airflow-providers-microsoft-azure",
}


def _without_its_package(error: OdsConfigError, place: str) -> OdsConfigError:
    """Return the error of a path that names a connection, with the package that lets Airflow open it."""
    package = _PACKAGES.get(place.partition("://")[0].lower())
    needed = f"pip install '{package}'" if package else "install the Airflow provider of that protocol"
    return OdsConfigError(
        error.what, where=error.where, advice=f"A path with a connection is opened by Airflow: {needed}"
    )
