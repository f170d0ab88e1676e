"""dlt, told what to do: the half of the engine that runs in the child process."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ods_provider.tables.engines.dltcredentials import destination_of, staging_of

_LOADED_PARQUET = "parquet"
# Of these dlt's own way cuts a statement at each semicolon, and doubles signs of percent, those within texts too.
_CUT = {"clickhouse", "athena"}


class _TakenBack(Exception):
    """What a transaction is left by that is not to be kept."""


# Read before any provider can be replaced: dlt begins to report as soon as its run context is made.
_REPORTS = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__SENTRY_DSN": "", "RUNTIME__DLTHUB_DSN": ""}


def shut_settings() -> None:
    """Let dlt see no settings but these, wherever others lie: files, the environment, secret stores.

    Source: dlt asks providers in the order in which its run context holds them; this one replaces them all.
    """
    os.environ.update(_REPORTS)
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers.dictionary import DictionaryProvider
    from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    settings = DictionaryProvider()
    for section, key, value in (
        ("runtime", "dlthub_telemetry", False),
        ("runtime", "log_level", "CRITICAL"),
        ("load", "workers", 1),
        ("load", "raise_on_max_retries", 5),
        ("schema", "naming", "ods_provider.tables.engines.dltnames"),
    ):
        settings.set_value(key, value, "", section)
    Container()[PluggableRunContext].providers = ConfigProvidersContainer([settings])


class Session:
    """One database, by dlt.

    Args:
        spec: ``kind``, ``url``, ``options``, ``secrets`` as ``Target`` has them, and ``books``, the prefix of the
            tables that dlt keeps for itself.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        import dlt
        from dlt.common.schema import Schema

        from ods_provider.tables.engines.dltnames import NamingConvention

        NamingConvention.books = spec["books"]
        self._folder = tempfile.TemporaryDirectory(prefix="ods-dlt-")
        self._destination = destination_of(spec["kind"], spec["url"], spec["options"], spec["secrets"])
        self._staging = staging_of(spec["url"], spec["options"], spec["secrets"])
        self._kind = spec["kind"]
        self._dlt, self._schema = dlt, Schema
        self._client: Any = None
        self._dataset: str | None = None
        self._within = ExitStack()
        self._runs = 0

    def connect(self, dataset: str) -> dict[str, Any]:
        """Open the connection that statements go by; ``dataset`` is the schema of tables without one."""
        self._dataset = dataset
        pipeline = self._pipeline(dataset)
        self._client = pipeline.sql_client("ods")
        self._client.open_connection()
        caps = self._client.capabilities
        return {"transactions": bool(caps.supports_transactions), "longest_name": caps.max_identifier_length}

    def query(self, statement: str) -> list[list[Any]]:
        """Return the rows that a statement selects."""
        with self._executed(statement) as cursor:
            return [[_plain(value) for value in row] for row in cursor.fetchall()]

    @contextmanager
    def _executed(self, statement: str) -> Iterator[Any]:
        if self._kind not in _CUT:
            with self._client.execute_query(statement) as cursor:
                yield cursor
            return
        with closing(self._client.native_connection.cursor()) as cursor:
            cursor.execute(statement)
            yield cursor

    def run(self, statement: str) -> int:
        """Run a statement; return how many rows it changed, below 0 where the driver does not say."""
        with self._executed(statement) as cursor:
            rows = getattr(cursor, "rowcount", -1)
            return rows if isinstance(rows, int) else -1

    def begin(self) -> None:
        """Begin a transaction."""
        self._within.enter_context(self._client.begin_transaction())

    def commit(self) -> None:
        """End it, and keep what was done in it."""
        self._within.close()

    def rollback(self) -> None:
        """End it, if there is one, and take back what was done in it."""
        with suppress(_TakenBack):
            self._within.__exit__(_TakenBack, _TakenBack(), None)
        self._within = ExitStack()

    def load(self, dataset: str, table: str, columns: list[dict[str, Any]], files: list[list[Any]], **how: Any) -> None:
        """Load Parquet files into a table, which is made where it does not stand.

        Args:
            dataset: Its schema.
            table: Its name.
            columns: ``name`` and dlt's ``data_type`` of each.
            files: Path and rows of each.
            how: ``write_disposition`` and ``primary_key``.
        """
        import pyarrow.parquet as pq

        # A pipeline of its own in a new folder: what an older one left pending would be loaded in place of this.
        pipeline = self._pipeline(dataset)
        caps = pipeline.destination.capabilities()
        direct = _LOADED_PARQUET in (caps.supported_loader_file_formats or []) and self._fits(caps)
        mark = self._dlt.mark
        hints = {column["name"]: column for column in columns}

        def rows() -> Iterator[Any]:
            for at, (path, count) in enumerate(files):
                with pq.ParquetFile(path) as file:
                    if direct:
                        first = file.schema_arrow.empty_table() if at == 0 else None
                        yield mark.with_file_import(path, _LOADED_PARQUET, count, hints=first)
                    else:
                        for group in range(file.num_row_groups):
                            yield from file.read_row_group(group).to_batches()

        resource = self._dlt.resource(rows, name=table, columns=hints, table_name=table, **how)
        pipeline.run(resource, loader_file_format=_LOADED_PARQUET if direct else None)

    def cancel(self) -> None:
        """End what the database is doing, where its driver can say so from another thread."""
        with suppress(Exception):  # the process ends, and its connections with it
            self._client.native_connection.cancel()

    def close(self) -> None:
        """Disconnect."""
        with suppress(Exception):
            if self._client is not None:
                self._client.close_connection()
        self._folder.cleanup()

    def _fits(self, caps: Any) -> bool:
        """Return whether this database takes Parquet from here: some only with a driver that is not on PyPI."""
        selector = caps.loader_file_format_selector
        if selector is None:
            return True
        _, formats = selector(
            caps.preferred_loader_file_format, list(caps.supported_loader_file_formats), table_schema={"name": "x"}
        )
        return _LOADED_PARQUET in formats

    def _pipeline(self, dataset: str) -> Any:
        self._runs += 1
        # What a plain dictionary of settings does not reach is said here.
        pipeline = self._dlt.pipeline(
            pipeline_name=f"ods_{self._runs}",
            pipelines_dir=self._folder.name,
            destination=self._destination,
            staging=self._staging,
            dataset_name=dataset,
        )
        pipeline.config.restore_from_destination = False
        pipeline._inject_schema(self._schema("ods"))  # noqa: SLF001  so that statements have a client before a load
        return pipeline


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (bytes, memoryview, bytearray)):
        return base64.b64encode(bytes(value)).decode()
    return value
