"""Which portal a command talks to, and as whom. A key is never a word of the command line: it is read from a file.

What was said on the command line wins; then, under ``airflow ods``, Airflow's own ``ods_default``; then ``ODS_HOST``
with ``ODS_API_KEY``; then the configuration file's default; then whatever a plugin gives.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ods_provider.cli.profiles import config_path, default_profile, from_profile, read_secret
from ods_provider.cli.settings import Settings
from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import OPTIONS
from ods_provider.core.forgetting import forgets
from ods_provider.core.redact import Secret

if TYPE_CHECKING:
    from ods_provider.plugins.manager import Plugins

SCHEDULER = "cli"
REF = "ods_default"


def connect(settings: Settings, plugins: Plugins, warn: Callable[[str], None]) -> OdsConnection:
    """Return the connection that the settings and the environment describe.

    Raises:
        OdsConfigError: None was named, or two were, or it cannot work.
    """
    how, name = chosen(settings)
    if how == "--host":
        return _from_host(settings, warn)
    if settings.key_file:
        raise OdsConfigError(
            "--key-file goes with --host", advice="Name the host, or put the key file into the profile"
        )
    if how == "profile":
        found = from_profile(name, warn)
    elif how == "Airflow":
        found = _from_airflow(name, plugins)
    else:
        found = _from_plugins(plugins)
    return _with_push_key(found, settings, warn)


def chosen(settings: Settings) -> tuple[str, str]:
    """Return which kind of place the connection comes from, and its name there; nothing is opened but the profiles.

    Raises:
        OdsConfigError: Two were named, or the configuration file cannot be read.
    """
    sources = {"--host": settings.host, "--profile": settings.profile, "--airflow-conn": settings.airflow_conn}
    named = [option for option, value in sources.items() if value]
    if len(named) > 1:
        raise OdsConfigError(f"{' and '.join(named)} name two connections", advice="Choose one of them")
    if settings.host:
        return "--host", settings.host
    if settings.profile:
        return "profile", settings.profile
    if airflow := settings.airflow_conn or settings.default_airflow_conn:
        return "Airflow", airflow
    if os.environ.get("ODS_HOST"):
        return "environment", "ODS_HOST"
    if default := default_profile():
        return "profile", default
    return "plugins", REF


@forgets
def _from_host(settings: Settings, warn: Callable[[str], None]) -> OdsConnection:
    from ods_provider.plugins.builtin import from_environment

    environ = dict(os.environ)
    same = environ.get("ODS_HOST") in (None, "", settings.host)
    if not same or settings.key_file:
        # A key of the environment belongs to the environment's host and goes to no other.
        environ = {
            name: value
            for name, value in environ.items()
            if name not in ("ODS_API_KEY", "ODS_PUSH_API_KEY", "ODS_REFRESH_TOKEN", "ODS_CLIENT_SECRET")
        }
    if settings.key_file:
        environ["ODS_API_KEY"] = read_secret(settings.key_file, warn, where="--key-file")
    if settings.push_key_file:
        environ["ODS_PUSH_API_KEY"] = read_secret(settings.push_key_file, warn, where="--push-key-file")
    return from_environment(environ | {"ODS_HOST": settings.host or ""}, where="--host", face=OPTIONS)


def _with_push_key(found: OdsConnection, settings: Settings, warn: Callable[[str], None]) -> OdsConnection:
    if not settings.push_key_file:
        return found
    named = {**found.face.named, "push_api_key": "--push-key-file"}
    keys = {"": Secret(read_secret(settings.push_key_file, warn, where="--push-key-file"))}
    return replace(found, push_keys=keys, face=replace(found.face, named=named))


def _from_airflow(name: str, plugins: Plugins) -> OdsConnection:
    if importlib.util.find_spec("airflow") is None:
        raise OdsConfigError(
            "Airflow is not installed here",
            where=f"--airflow-conn {name}",
            advice="Use --host, --profile or ODS_HOST, or run the command in Airflow's environment",
        )
    # What `airflow connections test` does, too: without it Airflow looks into no metadata database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    connection: OdsConnection = plugins.connection(name, "airflow")
    return connection


def _from_plugins(plugins: Plugins) -> OdsConnection:
    try:
        connection: Any = plugins.connection(REF, SCHEDULER)
    except OdsConfigError as error:
        if os.environ.get("ODS_HOST") or error.where != "ods_resolve_connection":
            raise
        raise OdsConfigError(
            "no portal is named",
            advice=f"Use --host data.example.org, or set ODS_HOST, or write a profile into {config_path()}",
        ) from None
    assert isinstance(connection, OdsConnection)
    return connection
