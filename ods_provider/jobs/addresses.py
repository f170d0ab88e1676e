"""What an end of a job is called elsewhere: in assets, in OpenLineage, and in a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ods_provider.core.asseturis import namespace, of_portal
from ods_provider.core.source import MONITORING, parted
from ods_provider.core.webaddress import dataset_page, portal_page
from ods_provider.jobs.ends import EVERY, End, FileAt, PortalData
from ods_provider.tables.target import Target

# What OpenLineage and Airflow's own providers call databases, the port where none is named, and the schema.
_SERVERS = {
    "postgresql": ("postgres", 5432, "public"),
    "redshift": ("redshift", 5439, "public"),
    "mysql": ("mysql", 3306, None),
    "mssql": ("mssql", 1433, "dbo"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a job, as others call it.

    Attributes:
        namespace, name: In OpenLineage.
        uri: Of the asset; None where no asset is so called.
        link: For a browser, None where there is none.
    """

    namespace: str
    name: str
    uri: str | None
    link: str | None = None


def place_of(end: End, portal: str, target_of: Callable[[Any], Target]) -> Place:
    """Return what an end is called.

    Args:
        end: The end.
        portal: Base URL of the portal.
        target_of: Returns the database that a destination names, as the scheduler looks connections up.

    Raises:
        OdsError: A destination cannot be read.
    """
    if isinstance(end, PortalData):
        uri = of_portal(portal, end.name) if end.is_one else None
        return Place(namespace(portal), end.name, uri, dataset_link(portal, end.name))
    if isinstance(end, FileAt):
        return _file(end.url)
    return _table(target_of(end.destination), end.table)


def dataset_link(portal: str, name: str) -> str:
    """Return where people see a dataset, or all of them."""
    source, dataset_id = parted(name)
    if dataset_id.endswith(EVERY) or source == MONITORING:
        return portal_page(portal)
    return dataset_page(portal, dataset_id)


def _file(url: str) -> Place:
    url = url.rstrip("/") or "/"
    if "://" not in url:
        path = str(Path(url).expanduser().absolute())
        return Place("file", path, f"file://{quote(path)}")
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Place("file", unquote(parts.path), f"file://{parts.path}")
    # Of s3://connection@bucket the connection is no part of the name.
    bucket = parts.netloc.rpartition("@")[2]
    key = parts.path.lstrip("/")
    store = f"{parts.scheme}://{bucket}"
    return Place(store, key, f"{store}/{key}", _console(parts.scheme, bucket, key))


def _console(scheme: str, bucket: str, key: str) -> str | None:
    if scheme in ("s3", "s3a"):
        return f"https://s3.console.aws.amazon.com/s3/object/{bucket}?prefix={quote(key)}"
    if scheme in ("gs", "gcs"):
        return f"https://console.cloud.google.com/storage/browser/_details/{bucket}/{quote(key)}"
    return None


def _table(target: Target, table: str) -> Place:
    # Of its label only: that holds neither user nor password.
    kind, label, parts = target.kind, target.label, urlsplit(target.label)
    path = unquote(parts.path).strip("/")
    if kind in _SERVERS:
        called, port, default = _SERVERS[kind]
        schema, _, name = table.rpartition(".")
        within = [each for each in (path, schema or default, name) if each]
        # Airflow's own URIs of these databases name the port.
        server = f"{called}://{parts.netloc if parts.port else f'{parts.netloc}:{port}'}"
        return Place(server, ".".join(within), f"{server}/{'/'.join(within)}")
    if kind in ("duckdb", "sqlite"):
        return Place(label, table, f"{label}/{table}")
    if kind == "bigquery":
        parts_of_name = [parts.netloc, *filter(None, path.split("/")), *table.split(".")]
        link = None
        if len(parts_of_name) == 3:
            project, dataset, name = parts_of_name
            link = f"https://console.cloud.google.com/bigquery?p={project}&d={dataset}&t={name}&page=table"
        return Place("bigquery", ".".join(parts_of_name), f"bigquery://{'/'.join(parts_of_name)}", link)
    if kind == "filesystem":
        return _file(f"{label.rstrip('/')}/{table.replace('.', '/')}")
    return Place(f"{kind}://{parts.netloc}", ".".join([*path.split("/"), table]).strip("."), f"{label}/{table}")
