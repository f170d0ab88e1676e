"""Folders of files as tables: which format, where each table lies, and how one gets in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.sinks.destination import Destination
from ods_provider.tables.engine import Abilities
from ods_provider.tables.load import Load, Memory, TableName
from ods_provider.tables.target import Target

FORMATS = ("parquet", "delta", "iceberg")
TAG = "ods_provider"
_S3 = {
    "aws_access_key_id": "key",
    "aws_secret_access_key": "secret",
    "aws_session_token": "token",
}


@dataclass(frozen=True, slots=True)
class Lake:
    """A folder in which tables are folders.

    Attributes:
        url: The folder, without what follows a question mark.
        format: Of its tables.
        settings: ``aws_access_key_id``, ``endpoint_url`` and the like; secrets in the clear, so never shown.
    """

    url: str
    format: str
    settings: Mapping[str, str]

    def folder(self, table: TableName) -> str:
        """Return where a table lies."""
        for part in (table.schema, table.name):
            if part is not None and (part in {"", ".", ".."} or set(part) & set("/\\\0")):
                raise OdsConfigError(f"{part!r} cannot be the name of a folder", advice="Give the table another name")
        return "/".join(part for part in (self.url.rstrip("/"), table.schema, table.name) if part)

    def for_fsspec(self) -> dict[str, Any]:
        """Return the settings as fsspec's S3 takes them; empty for other folders."""
        if not self.url.startswith(("s3://", "s3a://")):
            return {}
        given: dict[str, Any] = {name: self.settings[key] for key, name in _S3.items() if key in self.settings}
        client = {name: self.settings[name] for name in ("region_name", "endpoint_url") if name in self.settings}
        return given | ({"client_kwargs": client} if client else {})

    def for_delta(self) -> dict[str, str]:
        """Return the settings as deltalake takes them."""
        names = {key: key.upper() for key in _S3} | {"region_name": "AWS_REGION", "endpoint_url": "AWS_ENDPOINT_URL"}
        found = {name: self.settings[key] for key, name in names.items() if key in self.settings}
        if found.get("AWS_ENDPOINT_URL", "").startswith("http://"):
            found["AWS_ALLOW_HTTP"] = "true"
        return found

    def for_iceberg(self) -> dict[str, str]:
        """Return the settings as pyiceberg's own reading of files takes them."""
        names = {
            "aws_access_key_id": "s3.access-key-id",
            "aws_secret_access_key": "s3.secret-access-key",
            "aws_session_token": "s3.session-token",
            "region_name": "s3.region",
            "endpoint_url": "s3.endpoint",
        }
        return {name: self.settings[key] for key, name in names.items() if key in self.settings}


def lake_of(target: Target) -> Lake:
    """Return the lake that a target means.

    Raises:
        OdsConfigError: Its format is none that is known.
    """
    url, _, query = target.url.reveal().partition("?")
    given = {**target.options, **{name: secret.reveal() for name, secret in target.secrets.items()}}
    given |= dict(parse_qsl(query))
    form = str(given.pop("format", "parquet"))
    if form not in FORMATS:
        raise OdsConfigError(
            f"There is no format {form!r} of tables",
            where=target.label,
            advice=f"Known are {', '.join(FORMATS)}: write {target.label}?format=delta",
        )
    if not urlsplit(url).path.strip("/") and not urlsplit(url).netloc:
        raise OdsConfigError("The URL names no folder", where=target.label, advice="Write s3://bucket/folder")
    return Lake(url, form, given)


def place_in(lake: Lake, url: str, target: Target) -> Destination:
    """Return a place of the lake.

    Raises:
        OdsConfigError: Its filesystem is not installed.
    """
    import fsspec.core

    try:
        fs, path = fsspec.core.url_to_fs(url, **lake.for_fsspec())
    except (ImportError, ValueError) as error:
        raise OdsConfigError(
            f"the lake cannot be opened: {error}", where=target.label, advice="Install the fsspec filesystem of it"
        ) from None
    return Destination(fs, path, url)


def expect_mode(load: Load, can: Abilities, target: Target) -> None:
    """Refuse a mode that the format of a lake does not have.

    Raises:
        OdsConfigError: It does not.
    """
    if load.mode not in can.modes:
        raise OdsConfigError(
            f"{load.mode} is no mode of this format",
            where=target.label,
            advice=f"It has {', '.join(can.modes)}; Delta and Iceberg (?format=delta, ?format=iceberg) have merge",
        )


def memory_text(memory: Memory) -> str:
    """Return a memory as a text."""
    return json.dumps(asdict(memory))


def memory_of(text: str) -> Memory:
    """Return the memory that such a text holds."""
    return Memory(**json.loads(text))


def property_of(load_id: str) -> str:
    """Return the property of a table that remembers a load."""
    return f"{TAG}.{hashlib.sha256(load_id.encode()).hexdigest()[:24]}"


def remembered_in(properties: Mapping[str, str], load_id: str | None) -> list[Memory]:
    """Return what the properties of a table remember of a load; without a name, of all loads."""
    if load_id is not None:
        text = properties.get(property_of(load_id))
        return [memory_of(text)] if text else []
    return [memory_of(text) for name, text in properties.items() if name.startswith(f"{TAG}.") and text]


def latest(known: Iterable[Memory]) -> Memory | None:
    """Return the memory of the last of these loads, None where there is none."""
    return max(known, key=lambda memory: memory.loaded_at, default=None)


def quoted(name: str) -> str:
    """Return a name as conditions have it."""
    return '"' + name.replace('"', '""') + '"'
