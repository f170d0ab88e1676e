"""Which database a URL means, and what of the URL may be shown."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from urllib.parse import quote, unquote, urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.redact import Secret
from ods_provider.tables.addresses import expect_database, expect_readable
from ods_provider.tables.target import Target

_KINDS = {
    "duckdb": "duckdb",
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "mssql",
    "sqlserver": "mssql",
    "redshift": "redshift",
    "databricks": "databricks",
    "clickhouse": "clickhouse",
    "athena": "athena",
    "s3": "filesystem",
    "s3a": "filesystem",
    "gs": "filesystem",
    "gcs": "filesystem",
    "az": "filesystem",
    "abfs": "filesystem",
    "abfss": "filesystem",
    "file": "filesystem",
    "memory": "filesystem",
}
_ENDINGS = {".duckdb": "duckdb", ".ddb": "duckdb", ".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite"}
_TITLES = {"duckdb": "DuckDB", "sqlite": "SQLite"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\+[A-Za-z0-9_]+)?:")


def target_of(url: str) -> Target:
    """Return the database that a URL means; a path of a DuckDB or SQLite file is taken too.

    Args:
        url: As SQLAlchemy writes them: ``duckdb:///city.duckdb`` lies in the folder of the process,
            ``duckdb:////data/city.duckdb`` does not. A driver after a plus sign is left to us.

    Raises:
        OdsConfigError: It names no database that is known, or cannot be read.
    """
    url = url.strip()
    scheme = _SCHEME.match(url)
    if scheme is None or (len(scheme[1]) == 1 and not url.startswith("//", scheme.end())):
        return _file(url)
    name = scheme[1].lower()
    kind = _KINDS.get(name)
    if kind is None:
        near = nearest(name, _KINDS)
        advice = f"Did you mean {listed(near)}?" if near else f"Known are {', '.join(sorted(_KINDS))}"
        raise OdsConfigError(f"There is no database {name!r}", where=_label(name, url), advice=advice)
    if not url.startswith("//", scheme.end()):
        raise OdsConfigError(
            "This is no address of a database", where=f"{name}:", advice=f"Write it as {name}://… with two slashes"
        )
    label = _label(name, url)
    expect_readable(kind, url, label)
    expect_database(kind, url, label)
    return Target(kind=kind, url=Secret(url), label=label)


def is_file(text: str) -> bool:
    """Return whether a text that is no URL names a DuckDB or SQLite file by its ending."""
    return PurePath(text).suffix.lower() in _ENDINGS


def from_everywhere(place: str) -> str:
    """Return a place with the path of a DuckDB or SQLite file as it is from every folder; what is no such file stays.

    Args:
        place: A URL or a path, as a user wrote it in the folder of the process.
    """
    place = place.strip()
    scheme, slashes, path = place.partition(":///")
    if not slashes:
        if "://" in place or not is_file(place):
            return place
        return str(Path(os.path.expanduser(place)).absolute())  # noqa: PTH111  Path's fails where nobody has a home
    if _KINDS.get(scheme.lower()) not in {"duckdb", "sqlite"} or not path or path.startswith(("/", ":")):
        return place
    return f"{scheme}:///{quote(str(Path.cwd()), safe='/')}/{path}"


def is_database(text: str) -> bool:
    """Return whether a text names a database, and no folder or bucket."""
    scheme, sign, _ = text.strip().partition("://")
    return _KINDS.get(scheme.partition("+")[0].lower(), "filesystem") != "filesystem" if sign else is_file(text)


def _file(path: str) -> Target:
    kind = _ENDINGS.get(PurePath(path).suffix.lower())
    if kind is None:
        raise OdsConfigError(
            "This names no database",
            where=path if "@" not in path else None,
            advice="Give a URL such as duckdb:///city.duckdb or, for a folder of Parquet files, file:///lake; or a "
            f"path that ends in {', '.join(sorted(_ENDINGS))}",
        )
    # What means something in a URL may be a letter of a file's name.
    safe = path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return Target(kind=kind, url=Secret(f"{kind}:///{safe}"), label=f"{kind}:///{path}")


def _label(scheme: str, url: str) -> str:
    """Return a URL without its user, password, query and fragment; where they cannot be told apart, only its scheme."""
    rest = url.split("://", 1)[-1]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    after = rest[len(authority) :]
    if authority and "@" in after:
        # A sign of the password may stand there unencoded, and part of the password would be taken for the host.
        return f"{scheme}://…"
    path = re.split(r"[?#;]", after, maxsplit=1)[0]
    return f"{scheme}://{authority.rsplit('@', 1)[-1]}{path}"


def path_of(target: Target) -> str:
    """Return the path of the file that holds a database.

    Raises:
        OdsConfigError: It names none, or one in memory, which would be gone with the process.
    """
    parts = urlsplit(target.url.reveal())
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc:
        raise OdsConfigError(
            "The path of a file follows three slashes",
            where=target.label,
            # What stands before an @ may be a password.
            advice=f"Write {target.kind}:///{parts.netloc.rpartition('@')[2]}{unquote(parts.path)}",
        )
    if path in {"", ":memory:"}:
        raise OdsConfigError(
            "A database in memory is gone with the process that loads it", where=target.label, advice="Name a file"
        )
    return path


def expect_own(target: Target, path: str) -> None:
    """Refuse a file that is one of the other kind of database.

    Raises:
        OdsConfigError: DuckDB is to open a file of SQLite, or the other way round.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(16)
    except OSError:
        return  # it is not there yet, or its database tells
    found = "sqlite" if head.startswith(b"SQLite format 3") else "duckdb" if head[8:12] == b"DUCK" else target.kind
    if found != target.kind:
        raise OdsConfigError(
            f"This file is {_TITLES[found]}",
            where=target.label,
            advice=f"Write {found}:///{path}, or name another file",
        )
