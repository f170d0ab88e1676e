"""A scheduler's connection to a database, as what a load takes for its destination.

The types of connections, and what stands where in them, are Airflow's: the hooks of its providers read them so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.redact import Secret
from ods_provider.tables.target import Target

# By kind of database: the extras of a connection that its driver takes, as they are called on both sides.
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "options", "target_session_attrs"),
    "mysql": ("ssl_ca", "ssl_cert", "ssl_key"),
    "mssql": ("driver", "Encrypt", "TrustServerCertificate"),
    "redshift": ("sslmode",),
    "clickhouse": ("secure", "http_port"),
    "databricks": ("http_path", "catalog", "client_id", "schema"),
}
_STORES = {"aws": "s3", "s3": "s3"}


@dataclass(frozen=True, slots=True)
class Login:
    """A connection as a scheduler keeps it.

    Attributes:
        ref: What users call it.
        type: Its type, in Airflow's words.
        host, port, login, schema: As they stand there, None where they do not.
        password: The password.
        extra: What else it holds; may hold secrets.
    """

    ref: str
    type: str
    host: str | None
    port: int | None
    login: str | None
    schema: str | None
    password: Secret
    extra: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Login({self.ref!r}, {self.type!r})"

    def said(self, *names: str) -> str | None:
        """Return the first of these extras that is there, under its own name or under Airflow's older one."""
        for name in names:
            for spelled in (name, f"extra__{self.type}__{name}"):
                value = self.extra.get(spelled)
                if value not in (None, ""):
                    return value if isinstance(value, str) else json.dumps(value)
        return None


def target_of(login: Login) -> Target:
    """Return the database that a connection leads to.

    Raises:
        OdsConfigError: Its type is none that a load can go to, or something is missing in it.
    """
    make = _MAKERS.get(login.type)
    if make is None:
        near = nearest(login.type, _MAKERS)
        raise OdsConfigError(
            f"a connection of type {login.type!r} leads to nothing that a load goes to",
            where=f"connection {login.ref}",
            advice=f"Perhaps {listed(near)} is meant" if near else f"Use one of {', '.join(sorted(_MAKERS))}, or a URL",
        )
    return make(login)


def store_of(login: Login, url: str) -> Target:
    """Return a lake folder in a bucket that a connection opens.

    Args:
        login: Of a store: ``aws``.
        url: The folder, without the connection: ``s3://lake/cities``.
    """
    if login.type not in _STORES:
        raise OdsConfigError(
            f"a connection of type {login.type!r} opens no {url.partition(':')[0]} bucket",
            where=f"connection {login.ref}",
            advice="Use a connection of type aws",
        )
    names = ("region_name", "endpoint_url")
    options = {name: value for name in names if (value := login.said(name))}
    keys = {
        "aws_access_key_id": login.login or login.said("aws_access_key_id"),
        "aws_secret_access_key": login.password.reveal() or login.said("aws_secret_access_key"),
        "aws_session_token": login.said("aws_session_token"),
    }
    return Target("filesystem", Secret(url), url, options, {name: Secret(key) for name, key in keys.items() if key})


def _server(kind: str) -> Callable[[Login], Target]:
    def make(login: Login) -> Target:
        if not login.host or not login.schema:
            missing = "host" if not login.host else "database (its schema)"
            raise _lacks(login, missing)
        place = f"{_bracketed(login.host)}{f':{login.port}' if login.port else ''}/{quote(login.schema, safe='')}"
        given = {name: value for name in _TAKEN.get(kind, ()) if (value := login.said(name))}
        return _with_user(kind, login, place, given)

    return make


def _with_user(kind: str, login: Login, place: str, given: Mapping[str, str]) -> Target:
    user = quote(login.login or "", safe="")
    password = f":{quote(login.password.reveal(), safe='')}" if login.password else ""
    query = f"?{urlencode(given)}" if given else ""
    at = f"{user}{password}@" if user or password else ""
    return Target(kind, Secret(f"{kind}://{at}{place}{query}"), f"{kind}://{place}")


def _file(kind: str) -> Callable[[Login], Target]:
    def make(login: Login) -> Target:
        path = login.host or login.schema
        if not path:
            raise _lacks(login, "path (its host)")
        safe = path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
        return Target(kind, Secret(f"{kind}:///{safe}"), f"{kind}:///{path}")

    return make


def _snowflake(login: Login) -> Target:
    account, database = login.said("account") or login.host, login.said("database")
    if not account or not database:
        raise _lacks(login, "account" if not account else "database")
    if region := login.said("region"):
        account = f"{account}.{region}"
    place = "/".join(quote(part, safe="") for part in (account, database, login.schema) if part)
    given = {name: value for name in ("warehouse", "role") if (value := login.said(name))}
    target = _with_user("snowflake", login, place, given)
    names = {"private_key_content": "private_key", "private_key_file": "private_key_file", "token": "token"}
    secrets = {name: Secret(value) for extra, name in names.items() if (value := login.said(extra))}
    return Target(target.kind, target.url, target.label, target.options, secrets)


def _bigquery(login: Login) -> Target:
    project, dataset = login.said("project", "project_id"), login.schema or login.said("dataset")
    if not project:
        raise _lacks(login, "project")
    place = "/".join(quote(part, safe="") for part in (project, dataset) if part)
    location = login.said("location")
    keys = {"credentials_json": login.said("keyfile_dict"), "credentials_file": login.said("key_path")}
    return Target(
        "bigquery",
        Secret(f"bigquery://{place}"),
        f"bigquery://{place}",
        {"location": location} if location else {},
        {name: Secret(key) for name, key in keys.items() if key},
    )


def _databricks(login: Login) -> Target:
    if not login.host:
        raise _lacks(login, "host")
    host = login.host.removeprefix("https://").rstrip("/")
    given = {name: value for name in _TAKEN["databricks"] if (value := login.said(name))}
    place = host + (f"/{quote(login.schema, safe='')}" if login.schema else "")
    keys = {
        "access_token": login.password.reveal() or login.said("token"),
        "client_secret": login.said("client_secret"),
    }
    secrets = {name: Secret(key) for name, key in keys.items() if key}
    return Target("databricks", Secret(f"databricks://{place}"), f"databricks://{place}", given, secrets)


def _athena(login: Login) -> Target:
    folder = login.said("s3_staging_dir")
    if not folder:
        raise _lacks(login, "s3_staging_dir")
    given = {"query_result_bucket": folder, "staging": f"{folder.rstrip('/')}/tables"}
    names = {"region_name": "region_name", "work_group": "athena_work_group", "catalog": "aws_data_catalog"}
    given |= {name: value for extra, name in names.items() if (value := login.said(extra))}
    if login.schema:
        given["schema"] = login.schema
    if place := login.said("staging"):
        given["staging"] = place
    keys = {
        "aws_access_key_id": login.login or login.said("aws_access_key_id"),
        "aws_secret_access_key": login.password.reveal() or login.said("aws_secret_access_key"),
        "aws_session_token": login.said("aws_session_token"),
    }
    secrets = {name: Secret(key) for name, key in keys.items() if key}
    return Target("athena", Secret("athena://"), "athena://", given, secrets)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _lacks(login: Login, what: str) -> OdsConfigError:
    return OdsConfigError(
        f"the connection names no {what}", where=f"connection {login.ref}", advice="Fill it in, or pass a URL"
    )


_MAKERS: Mapping[str, Callable[[Login], Target]] = {
    "postgres": _server("postgresql"),
    "mysql": _server("mysql"),
    "mariadb": _server("mysql"),
    "mssql": _server("mssql"),
    "redshift": _server("redshift"),
    "clickhouse": _server("clickhouse"),
    "sqlite": _file("sqlite"),
    "duckdb": _file("duckdb"),
    "snowflake": _snowflake,
    "google_cloud_platform": _bigquery,
    "gcpbigquery": _bigquery,
    "databricks": _databricks,
    "athena": _athena,
}
