"""Which database a load goes to, with what it takes to get in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ods_provider.core.redact import Secret


@dataclass(frozen=True, slots=True)
class Target:
    """A database, as a URL or as a scheduler's connection names it.

    Attributes:
        kind: What it is: ``postgresql``, ``duckdb``, ``sqlite``, ``snowflake``, ``bigquery``, ``mysql``, ``mssql``,
            ``redshift``, ``databricks``, ``clickhouse``, ``athena``, ``filesystem``.
        url: How its driver finds it, password included.
        label: How people are told of it: without user and password.
        options: What its driver takes besides, without secrets.
        secrets: What its driver takes besides and nobody may see.
    """

    kind: str
    url: Secret
    label: str
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
