"""What is wrong with the URL of a database: signs of a password that are not encoded, options that nobody reads."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.nearest import listed, nearest

_SERVERS = {"postgresql", "mysql", "mssql", "redshift", "snowflake", "databricks", "clickhouse"}
_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:\d*)?")
_SPOILED = re.compile(r"[\[\]@]|%(?![0-9A-Fa-f]{2})")
# Source: the manual of libpq 18, "Parameter Key Words".
_LIBPQ = (
    *("application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname"),
    *("fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr"),
    *("keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname"),
    *("load_balance_hosts", "max_protocol_version", "min_protocol_version", "oauth_client_id"),
    *("oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "password", "port"),
    *("replication", "require_auth", "requirepeer", "requiressl", "scram_client_key", "scram_server_key"),
    *("service", "servicefile", "ssl", "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir"),
    *("sslkey", "sslkeylogfile", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslmode"),
    *("sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs"),
    *("tcp_user_timeout", "user"),
)
_STORE = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "region_name", "endpoint_url")
_OPTIONS = {
    "duckdb": (),
    "sqlite": (),
    "postgresql": (*_LIBPQ, "lock_timeout_s"),
    "mysql": ("lock_timeout_s", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_identity"),
    "snowflake": (
        *("account", "database", "schema", "warehouse", "role", "region", "host", "user", "password", "token"),
        *("private_key", "private_key_file", "private_key_passphrase"),
    ),
    "bigquery": ("location", "credentials_json", "credentials_file"),
    "mssql": ("driver", "connect_timeout", "schema", "staging", "Encrypt", "TrustServerCertificate", *_STORE),
    "redshift": (*_LIBPQ, "schema", "staging", *_STORE),
    "clickhouse": ("secure", "http_port", "connect_timeout", "send_receive_timeout", "staging", *_STORE),
    "databricks": ("http_path", "catalog", "schema", "access_token", "client_id", "client_secret", "staging", *_STORE),
    "athena": (
        *("query_result_bucket", "athena_work_group", "aws_data_catalog", "profile_name", "schema", "staging"),
        *_STORE,
    ),
    "filesystem": ("format", "catalog", *_STORE),
}
# What we do not know is handed to their drivers, which may.
_PASSED_ON = {"postgresql", "redshift", "mssql"}
_DRIVERS_OWN = "adbc."


def expect_readable(kind: str, url: str, label: str) -> None:
    """Refuse a URL that would be read in another way than it was meant.

    Args:
        kind: What it leads to.
        url: All of it.
        label: What people are told of it.

    Raises:
        OdsConfigError: A sign is not encoded, or an option is none that is known. No part of a password is told.
    """
    rest = url.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    query = rest.partition("#")[0].partition("?")[2]
    if kind in _SERVERS and _is_spoiled(authority, rest[len(authority) :]):
        raise _unencoded(kind)
    known = _OPTIONS.get(kind)
    if known is None:
        return
    for name, _ in parse_qsl(query, keep_blank_values=True):
        near = nearest(name, known)
        if name in known or name.startswith(_DRIVERS_OWN) or (kind in _PASSED_ON and not near and "@" not in query):
            continue
        if kind in _SERVERS and "@" in query:
            raise _unencoded(kind)  # it may be the end of a password
        told = f"Known are {', '.join(known)}" if known else "It takes none"
        raise OdsConfigError(
            f"There is no option {name!r} of this destination",
            where=label,
            advice=f"Did you mean {listed(near)}?" if near else f"{told}: leave it out",
        )


def expect_database(kind: str, url: str, label: str) -> None:
    """Refuse a PostgreSQL server without the name of a database: libpq would take the user's.

    Raises:
        OdsConfigError: It has none.
    """
    path, _, query = url.partition("://")[2].partition("?")
    named = path.partition("/")[2].strip("/") or {"dbname", "service"} & dict(parse_qsl(query)).keys()
    if kind == "postgresql" and not named:
        raise OdsConfigError("the URL names no database", where=label, advice="Write postgresql://host/database")


def _is_spoiled(authority: str, after: str) -> bool:
    user, _, hosts = authority.rpartition("@")
    path, _, query = after.partition("?")
    no_option = any("@" in part.partition("=")[0] for part in query.split("&"))
    no_host = not all(_HOST.fullmatch(host) for host in hosts.split(","))
    return bool(_SPOILED.search(user)) or "@" in path or no_option or no_host or "#" in after


def _unencoded(kind: str) -> OdsConfigError:
    return OdsConfigError(
        "The URL cannot be read: user or password may hold a sign that means something in a URL",
        where=f"{kind}://…",
        advice="Write such signs percent-encoded: %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #, %25 for %",
    )
