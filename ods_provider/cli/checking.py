"""``ods check``: all that a command stands on, looked at one by one, on one page."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ods_provider.cli.options import shared_options
from ods_provider.cli.settings import Settings

if TYPE_CHECKING:
    from ods_provider.core.connection import OdsConnection
    from ods_provider.plugins.manager import Plugins

# What the faces and the larger jobs need besides, and the extra that brings it.
_PACKAGES = {
    "apache-airflow": "airflow",
    "prefect": "prefect",
    "dagster": "dagster",
    "pyarrow": "sql",
    "adbc-driver-postgresql": "sql",
    "duckdb": "sql",
    "dlt": "dlt",
    "deltalake": "delta",
    "pyiceberg": "iceberg",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one look found.

    Attributes:
        check: What was looked at.
        ok: Whether nothing is wrong with it.
        said: What is there, or what is wrong and what to do.
    """

    check: str
    ok: bool
    said: str


@click.command()
@click.argument("dags", required=False, type=click.Path(path_type=Path))
@shared_options
def check(dags: Path | None) -> None:
    """Tell what is wrong with the connection, the environment and the plugins; it ends with 1 when something is.

    With DAGS, a file or a folder of DAG files, it looks instead whether the portals have the datasets that watchers,
    operators and sensors name there: a watcher of a mistyped dataset would wait for ever and be seen by nobody. It
    needs the environment of Airflow, whose connections are used.
    """
    from ods_provider.cli.printing import note, show_json, wants_json
    from ods_provider.core.errors import OdsConfigError

    settings = click.get_current_context().ensure_object(Settings)
    if dags is not None and not dags.exists():
        raise OdsConfigError(f"there is no file {dags}", where="DAGS", advice="Name a file, or a folder of them")
    wrong = 0
    for found in _all(settings) if dags is None else _of_dags(dags):
        wrong += not found.ok
        if wants_json():
            show_json({"check": found.check, "ok": found.ok, "said": found.said})
        elif not found.ok or not settings.quiet:
            _show(found)
    if dags is None and not wrong and settings.quiet is False:
        note("Nothing is wrong.")
    if wrong:
        sys.exit(1)


def _show(found: Found) -> None:
    from ods_provider.core.legible import legible

    mark = click.style("ok   ", fg="green") if found.ok else click.style("WRONG", fg="red", bold=True)
    click.echo(f"{mark}  {legible(found.check):<13}  {legible(found.said)}")


def _all(settings: Settings) -> Iterator[Found]:
    yield from _packages()
    yield from _environment()
    yield from _configuration()
    plugins, told = _plugins()
    yield from told
    yield _state()
    if plugins is not None:
        yield from _connection(settings, plugins)


def _packages() -> Iterator[Found]:
    from importlib.metadata import PackageNotFoundError, version

    there, missing = [], []
    for package, extra in _PACKAGES.items():
        try:
            there.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(f"{package} (pip install 'ods-provider[{extra}]')")
    system = f"Python {platform.python_version()}, {platform.system()}"
    yield Found("version", True, f"ods-provider {version('ods-provider')}, {system}")
    yield Found("packages", True, ", ".join(there) or "none besides our own")
    if missing:
        yield Found("not installed", True, f"{', '.join(missing)}: needed only where they are used")


def _environment() -> Iterator[Found]:
    from ods_provider.plugins.builtin import misspelt

    # Their names alone: a value may be a key.
    names = sorted(name for name, value in os.environ.items() if name.startswith("ODS_") and value)
    wrong = dict(misspelt(os.environ))
    yield Found(
        "environment", True, ", ".join(name for name in names if name not in wrong) or "no variable of ours is set"
    )
    for name, meant in wrong.items():
        yield Found("environment", False, f"{name} is not read: perhaps {meant} is meant")


def _configuration() -> Iterator[Found]:
    from ods_provider.cli.profiles import config_path, default_profile, load_config, profile_names
    from ods_provider.core.errors import OdsError

    def said() -> str:
        path = config_path()
        if not load_config():
            return f"there is no file {path}"
        default, names = default_profile(), profile_names()
        chosen = f", of which {default} is the default" if default else ""
        return f"{path}: {'profiles ' + ', '.join(names) if names else 'no profile'}{chosen}"

    yield _looked("configuration", said, OdsError)


def _plugins() -> tuple[Plugins | None, list[Found]]:
    from ods_provider.core.errors import OdsError
    from ods_provider.plugins.manager import Plugins

    try:
        plugins = Plugins()
    except OdsError as error:
        return None, [Found("plugins", False, str(error))]
    broken = [Found("plugins", False, f"{each.name}: {each.problem}") for each in plugins.loaded if each.problem]
    sound = ", ".join(each.name for each in plugins.loaded if not each.problem)
    return plugins, [Found("plugins", True, sound), *broken]


def _state() -> Found:
    from ods_provider.core.errors import OdsError
    from ods_provider.stores.state import state_folder

    def said() -> str:
        folder = state_folder()
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            raise PermissionError(f"{there} cannot be written to. Let XDG_STATE_HOME name a folder of yours")
        return f"progress and tokens lie in {folder}"

    return _looked("state", said, (OdsError, OSError))


def _connection(settings: Settings, plugins: Plugins) -> Iterator[Found]:
    from ods_provider.cli.connecting import chosen, connect
    from ods_provider.core.errors import OdsError

    warned: list[str] = []
    connection: OdsConnection | None = None

    def said() -> str:
        nonlocal connection
        connection = connect(settings, plugins, warned.append)
        settings.secrets = connection.secrets()
        how, name = chosen(settings)
        signed = f"signs calls ({connection.auth})" if connection.signs else "anonymous"
        pushes = ", with a push key" if connection.push_keys else ""
        return f"{connection.base_url} from {how} {name}, {signed}{pushes}"

    yield _looked("connection", said, OdsError)
    yield from (Found("connection", False, told) for told in warned)
    if connection is not None:
        yield _looked("portal", _asking(connection, plugins), OdsError)


def _asking(connection: OdsConnection, plugins: Plugins) -> Callable[[], str]:
    from dataclasses import replace

    from ods_provider.cli.connecting import SCHEDULER
    from ods_provider.client import OdsClient
    from ods_provider.client.trying import tried

    def said() -> str:
        # Not tried again: somebody sits before it and waits.
        with OdsClient(replace(connection, max_retries=0), tokens=plugins.token_store(connection, SCHEDULER)) as client:
            return tried(client)

    return said


def _looked(check: str, look: Callable[[], str], errors: type[Exception] | tuple[type[Exception], ...]) -> Found:
    try:
        return Found(check, True, look())
    except errors as error:
        return Found(check, False, str(error))


def _of_dags(dags: Path) -> Iterable[Found]:
    from ods_provider.cli.dagfiles import looked_at

    for line in looked_at(dags):
        yield Found(line["where"], line["ok"], line["said"])
