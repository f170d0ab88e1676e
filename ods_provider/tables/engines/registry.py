"""Which engine loads into which database."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import cast

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.nearest import listed, nearest
from ods_provider.tables.engine import Engine
from ods_provider.tables.target import Target

_ROOM = "ods_provider.tables.engines"
_DLT = ("dlt", "DltEngine")
_ALONE = ("dltautocommit", "AutocommitEngine")
# Module and class; imported when wanted, since each stands on packages of its own.
_ENGINES = {
    "duckdb": ("duckdb", "DuckDbEngine"),
    "sqlite": ("sqlite", "SqliteEngine"),
    "postgresql": ("postgres", "PostgresEngine"),
    "snowflake": ("snowflake", "SnowflakeEngine"),
    "bigquery": ("bigquery", "BigQueryEngine"),
    "mysql": ("mysql", "MySqlEngine"),
    "mssql": _DLT,
    "redshift": _DLT,
    "databricks": _ALONE,
    "clickhouse": _ALONE,
    "athena": _ALONE,
    "filesystem": ("lakeengines", "lake_engine"),
}
# Of ours, what brings the drivers; sql where nothing is said.
_EXTRAS = {"snowflake": "snowflake", "bigquery": "bigquery", "mysql": "mysql"}
_EXTRAS |= dict.fromkeys(("mssql", "redshift", "databricks", "clickhouse", "athena"), "dlt")


def engine_of(target: Target, token: str) -> Engine:
    """Return the engine for a database, not connected yet.

    Args:
        target: The database.
        token: Tells this run from others, and is the same when the run is tried again.

    Raises:
        OdsConfigError: None loads into it.
    """
    if target.kind not in _ENGINES:
        near = nearest(target.kind, _ENGINES)
        raise OdsConfigError(
            f"Nothing loads into {target.kind!r}",
            where=target.label,
            advice=f"Did you mean {listed(near)}?" if near else f"Known are {', '.join(sorted(_ENGINES))}",
        )
    if find_spec("sqlglot") is None:
        # Said before anything is fetched: it is first needed when the rows are here.
        raise OdsConfigError(
            "The package sqlglot is missing",
            where=target.label,
            advice=f"Run: pip install 'ods-provider[{_EXTRAS.get(target.kind, 'sql')}]'",
        )
    module, name = _ENGINES[target.kind]
    return cast("Engine", getattr(import_module(f"{_ROOM}.{module}"), name)(target, token))
