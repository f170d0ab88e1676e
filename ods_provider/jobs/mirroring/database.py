"""A mirror in a database: a table for each dataset, what its load remembers, and a table that lists them all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.formats.registry import format_named
from ods_provider.core.times import utc_now
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.load import LoadJob
from ods_provider.jobs.loading.attended import Attended
from ods_provider.jobs.mirroring.order import MirrorOrder
from ods_provider.jobs.mirroring.remembered import Known, Remembered
from ods_provider.tables.load import Load, Memory, TableName
from ods_provider.tables.names import expect_short_enough
from ods_provider.tables.target import Target

LIST = "_ods_mirror"
_LONGEST = 63  # of the databases that bound names, PostgreSQL allows the least
_TAG_CHARS = 8


class Database:
    """A ``Place`` of tables.

    Args:
        order: What is wanted.
    """

    done = "loaded"

    def __init__(self, order: MirrorOrder) -> None:
        self._order = order

    def shown(self, ctx: JobContext) -> str:
        """Return the database, and the schema where one was named."""
        label, schema = self._target(ctx).label, self._order.schema
        return f"{label}, schema {schema}" if schema else label

    def side_by_side(self, ctx: JobContext) -> bool:
        """Return whether the database takes several writers: a file takes one."""
        return self._target(ctx).kind not in ("duckdb", "sqlite")

    def remembered(self, ctx: JobContext) -> Remembered | None:
        """Return what the database remembers with the table that lists the mirror."""
        target = self._target(ctx)
        with self._open(ctx, target) as database:
            database.expect_rights(self._list, "replace", deletes=True)
            memory = database.call(database.engine.recall, self._list, self._id(target))
        return Remembered.of(memory.outcome, f"{target.label}, table {self._list}") if memory else None

    def remember(self, ctx: JobContext, what: Remembered) -> None:
        """Replace the list, which people may read, and with it what is remembered."""
        import pyarrow as pa

        from ods_provider.tables.columns import Column, arrow_schema

        kinds: dict[str, Any] = {
            "dataset_id": "text",
            "table_name": "text",
            "data_processed": "datetime",
            "rows": "int",
            "done_at": "datetime",
            "queued_at": "datetime",
            "vanished_at": "datetime",
        }
        columns = tuple(Column(name, kind, name) for name, kind in kinds.items())
        rows = [_row(dataset_id, known) for dataset_id, known in sorted(what.datasets.items())]
        listed = pa.Table.from_pylist(rows, schema=arrow_schema(columns))
        target = self._target(ctx)
        with self._open(ctx, target) as database:
            swap = database.engine.can.swaps[0]
            load = Load(self._list, columns, swap=swap, comment="The datasets of the mirror", token=ctx.token)
            database.call(database.engine.stage, load, listed.to_reader())
            memory = Memory(
                load_id=self._id(target),
                table=str(self._list),
                portal=what.portal,
                dataset_id="",
                dataset_uid=None,
                state=None,
                data_processed=None,
                cursor=None,
                watermark=None,
                rows=len(rows),
                table_rows=None,
                run=ctx.token,
                loaded_at=utc_now().isoformat(),
                outcome=what.as_json(),
            )
            database.call(database.engine.commit, load, memory)

    def named(self, dataset_id: str, taken: AbstractSet[str]) -> str:
        """Return the name of a dataset's table: its id in letters that need no quotes anywhere."""
        stem = re.sub(r"[^a-z0-9_]+", "_", dataset_id.lower())
        stem = f"d_{stem}" if not stem[:1].isalpha() else stem
        folded = {each.lower() for each in taken}
        if len(stem) <= _LONGEST and stem not in folded:
            return stem
        tag = sha256(dataset_id.encode(errors="surrogatepass")).hexdigest()[:_TAG_CHARS]
        return f"{stem[: _LONGEST - len(tag) - 1]}_{tag}"

    def standing(self, ctx: JobContext, known: Iterable[Known]) -> set[str]:
        """Look for each table, over one connection."""
        with self._open(ctx, self._target(ctx)) as database:
            return {
                each.place for each in known if database.call(database.engine.standing, self._table(each)) is not None
            }

    def written(self, ctx: JobContext, known: Mapping[str, Known]) -> dict[str, dict[str, Any]]:
        """Return the Outcomes of the loads of tables that stand, as they were written with the tables."""
        target = self._target(ctx)
        found = {}
        with self._open(ctx, target) as database:
            for dataset_id, each in known.items():
                table = self._table(each)
                if database.call(database.engine.standing, table) is None:
                    continue
                load_id = self._load(dataset_id, each).remembered(ctx)
                memory = database.call(database.engine.recall, table, load_id)
                if memory is not None:
                    found[dataset_id] = dict(json.loads(memory.outcome))
        return found

    def bring(self, ctx: JobContext, dataset_id: str, known: Known) -> dict[str, Any]:
        """Load a dataset into its table."""
        done = self._load(dataset_id, known).work(ctx)
        assert isinstance(done, dict)  # nothing but "skip" returns anything else
        return done

    def drop(self, ctx: JobContext, dataset_id: str, known: Known) -> None:
        """Drop the table, and what its database remembers of it."""
        target = self._target(ctx)
        load_id = self._load(dataset_id, known).remembered(ctx)
        with self._open(ctx, target) as database:
            database.call(database.engine.drop, self._table(known), load_id)

    @property
    def _list(self) -> TableName:
        return TableName(LIST, self._order.schema)

    def _table(self, known: Known) -> TableName:
        return TableName(known.place, self._order.schema)

    def _id(self, target: Target) -> str:
        # Whose mirror it is, is said in what is remembered: one of another portal must be found to be refused.
        return fingerprint(job="mirror", table=str(self._list), label=target.label)

    def _load(self, dataset_id: str, known: Known) -> LoadJob:
        fetch = DownloadJob(dataset_id, "rows.parquet", format_named("parquet"))  # the load decides where it lies
        order = self._order
        return LoadJob(fetch, self._table(known), order.to, staging=order.staging, if_unchanged="keep")

    def _target(self, ctx: JobContext) -> Target:
        return ctx.plugins.table_target(self._order.to, ctx.run)

    @contextmanager
    def _open(self, ctx: JobContext, target: Target) -> Iterator[Attended]:
        from ods_provider.tables.engines.registry import engine_of

        with Attended(ctx, engine_of(target, ctx.token)) as database:
            expect_short_enough(self._list, database.engine.can, target.label)
            yield database


def _row(dataset_id: str, known: Known) -> dict[str, Any]:
    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    return {
        "dataset_id": dataset_id,
        "table_name": known.place,
        "data_processed": moment(known.data_processed),
        "rows": known.rows,
        "done_at": moment(known.done_at),
        "queued_at": moment(known.queued_at),
        "vanished_at": moment(known.vanished_at),
    }
