"""What dlt takes for a destination of each kind. Runs in the child process; opens no connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ods_provider.core.errors import OdsConfigError

_PORTS = {"mssql": 1433, "redshift": 5439, "postgresql": 5432, "clickhouse": 9440}
_EXTRAS = {"mssql": "mssql", "redshift": "redshift", "databricks": "databricks", "clickhouse": "clickhouse"}
_TRIES_S = 60.0
_EXTRAS |= {"athena": "athena", "postgresql": "postgres", "duckdb": "duckdb", "mysql": "sqlalchemy"}


def destination_of(kind: str, url: str, options: Mapping[str, Any], secrets: Mapping[str, str]) -> Any:
    """Return dlt's destination.

    Args:
        kind: As in ``Target``.
        url: With user and password in it, percent-encoded.
        options: What its driver takes besides.
        secrets: What its driver takes besides and nobody may see.

    Raises:
        OdsConfigError: Something is missing, or no such destination is known.
    """
    import dlt

    given = dict(parse_qsl(urlsplit(url).query)) | dict(options) | dict(secrets)
    makers = {
        "mssql": ("mssql", _with_server),
        "redshift": ("redshift", _with_server),
        "postgresql": ("postgres", _with_server),
        "clickhouse": ("clickhouse", _with_server),
        "databricks": ("databricks", _databricks),
        "athena": ("athena", _athena),
    }
    if kind == "duckdb":
        return dlt.destinations.duckdb(url)
    if kind == "mysql":
        return dlt.destinations.sqlalchemy("mysql+pymysql://" + url.partition("://")[2])
    if kind not in makers:
        raise OdsConfigError(f"dlt has no destination for {kind}", advice="Name another destination")
    name, make = makers[kind]
    try:
        return getattr(dlt.destinations, name)(**make(kind, url, given))
    except ImportError as error:
        raise missing(kind, error) from None


def missing(kind: str, error: ImportError) -> OdsConfigError:
    """Return the error that says what to install for a kind."""
    return OdsConfigError(
        f"a package is missing for this database: {error.name or error}",
        advice=f"pip install '{package_of(kind)}'",
    )


def package_of(kind: str) -> str:
    """Return what brings dlt with the driver for a kind, as pip takes it."""
    return f"dlt[{_EXTRAS.get(kind, kind)}]"


def _with_server(kind: str, url: str, given: dict[str, Any]) -> dict[str, Any]:
    """Credentials as a mapping: in a URL dlt refuses an empty password, and encodes blanks as plus signs."""
    parts = urlsplit(url)
    database = unquote(parts.path.strip("/"))
    if not parts.hostname or not database:
        raise OdsConfigError("the URL names no host or no database", advice=f"Write {kind}://host/database")
    credentials: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or _PORTS[kind],
        "database": database,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    # dlt takes the bucket beside the destination; what leads into it is no matter of this server.
    given = {key: value for key, value in given.items() if key != "staging" and not key.startswith("aws_")}
    own = ("driver", "connect_timeout", "http_port", "secure", "send_receive_timeout")
    for key in [key for key in own if key in given and kind in ("mssql", "clickhouse")]:
        value = given.pop(key)
        credentials[key] = value if key == "driver" else int(value)
    if given:
        credentials["query"] = given
    return {"credentials": credentials}


def _databricks(kind: str, url: str, given: dict[str, Any]) -> dict[str, Any]:
    parts = urlsplit(url)
    token = unquote(parts.password or "") or given.get("access_token")
    credentials = {
        "server_hostname": parts.hostname,
        "http_path": given.get("http_path"),
        "catalog": unquote(parts.path.strip("/").partition("/")[0]) or given.get("catalog"),
        "access_token": token,
        "client_id": given.get("client_id"),
        "client_secret": given.get("client_secret"),
    }
    lacking = [name for name in ("server_hostname", "http_path", "catalog") if not credentials[name]]
    if not token and not (credentials["client_id"] and credentials["client_secret"]):
        lacking.append("access_token")
    if lacking:
        raise OdsConfigError(
            f"Databricks needs {', '.join(lacking)}",
            advice="Write databricks://token:TOKEN@host/catalog?http_path=/sql/1.0/warehouses/…",
        )
    # Moments are in UTC. The driver tries again for a quarter of an hour where nothing says otherwise.
    how = {"session_timezone": "UTC", "connection_parameters": {"_retry_stop_after_attempts_duration": _TRIES_S}}
    return {"credentials": {name: value for name, value in credentials.items() if value} | how}


def _athena(kind: str, url: str, given: dict[str, Any]) -> dict[str, Any]:
    wanted = {name: given.get(name) for name in ("query_result_bucket", "region_name")}
    if lacking := [name for name, value in wanted.items() if not value]:
        raise OdsConfigError(
            f"Athena needs {', '.join(lacking)}",
            advice="Write athena://?region_name=eu-west-1&query_result_bucket=s3://…&staging=s3://…",
        )
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region_name", "profile_name")
    credentials = {name: given[name] for name in names if given.get(name)}
    more = {name: given[name] for name in ("athena_work_group", "aws_data_catalog") if given.get(name)}
    return {"query_result_bucket": wanted["query_result_bucket"], "credentials": credentials, **more}


def staging_of(url: str, options: Mapping[str, Any], secrets: Mapping[str, str]) -> Any:
    """Return the bucket by which rows travel (``staging=s3://…``), None where none was named."""
    given = dict(parse_qsl(urlsplit(url).query)) | dict(options) | dict(secrets)
    if not given.get("staging"):
        return None
    import dlt

    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region_name", "endpoint_url")
    credentials = {name: given[name] for name in names if given.get(name)}
    return dlt.destinations.filesystem(given["staging"], credentials=credentials or None)
