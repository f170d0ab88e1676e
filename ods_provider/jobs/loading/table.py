"""One load at its database: the columns compared, the rows staged and counted, the table changed in one step."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsMismatch
from ods_provider.core.events import Noticed, StepDone
from ods_provider.core.legible import legible
from ods_provider.core.outcome import outcome
from ods_provider.core.schema import Dataset
from ods_provider.core.times import utc_now
from ods_provider.core.webaddress import dataset_page
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.loading.attended import Attended
from ods_provider.jobs.loading.columns import ColumnPlan, planned
from ods_provider.jobs.loading.guards import expect_fitting
from ods_provider.jobs.loading.loaded import Standing
from ods_provider.jobs.loading.staged import ExportedRows
from ods_provider.jobs.state import State
from ods_provider.sinks.destination import Destination
from ods_provider.tables.columns import arrow_schema
from ods_provider.tables.load import Load, Loaded, Memory, Window
from ods_provider.tables.target import Target

if TYPE_CHECKING:
    from ods_provider.jobs.loading.order import LoadOrder

_DONE = {"replace": "Replaced", "append": "Appended", "merge": "Merged", "scd2": "Merged, what was kept"}


@dataclass(frozen=True, slots=True)
class Ids:
    """What a load is known by.

    Attributes:
        work: Tells it from other work, in other databases too.
        memory: What its own database remembers it by.
    """

    work: str
    memory: str


class Loading:
    """What is done at the database once the export is here.

    Args:
        ctx: The job's.
        job: What is wanted.
        database: Where.
        target: How people are told of it.
        ids: What the load is known by.
        start: The lowest value of the cursor that was asked for, None for all.
        standing: The table as it was found before.
    """

    def __init__(
        self,
        ctx: JobContext,
        job: LoadOrder,
        database: Attended,
        target: Target,
        ids: Ids,
        start: Any,
        standing: Standing,
    ) -> None:
        self._ctx = ctx
        self._job = job
        self._database = database
        self._target = target
        self._ids = ids
        self._start = start
        self._standing = standing

    @property
    def _where(self) -> str:
        return f"dataset {self._job.named}, table {self._job.table}"

    def run(
        self, files: list[Destination], fetched: Mapping[str, Any], before: State, seconds: dict[str, float]
    ) -> dict[str, Any]:
        """Return the Outcome of the table.

        Args:
            files: The export.
            fetched: Its Outcome.
            before: The dataset as it was looked at.
            seconds: Of each step so far; the others are added.
        """
        dataset = before.dataset
        assert dataset is not None  # a load has a dataset
        rows = ExportedRows(self._ctx, files)
        columns, load = self._planned(dataset, rows)
        staged = self._staged(columns, load, rows, fetched, seconds)
        memory, result = self._remembered(columns, rows, fetched, before, staged)
        began = time.monotonic()
        loaded = self._database.call(self._database.engine.commit, load, memory)
        seconds["commit"] = _since(began)
        self._ctx.emit(StepDone(_DONE[load.mode], None, seconds["commit"], _counts(loaded)))
        self._tell(loaded.said)
        if loaded.said:
            result["note"] = "; ".join([*([result["note"]] if result.get("note") else []), *loaded.said])
        return result | _seen(loaded) | {"seconds": seconds, "calls": self._ctx.calls}

    def _staged(
        self,
        columns: ColumnPlan,
        load: Load,
        rows: ExportedRows,
        fetched: Mapping[str, Any],
        seconds: dict[str, float],
    ) -> int:
        """Bring the rows into the database, and return how many arrived there: all that the portal counted."""
        began = time.monotonic()
        reader = rows.reader(arrow_schema(load.columns), columns.convert, cursor=columns.cursor)
        self._database.tell = lambda: self._ctx.progress(rows.done, fetched["rows"], "rows")
        try:
            staged = self._database.call(self._database.engine.stage, load, reader)
        except Exception:
            # A driver tells what ended its reader in words of its own.
            if rows.failure is not None:
                raise rows.failure from None
            raise
        finally:
            self._database.tell = lambda: None
        seconds["stage"] = _since(began)
        if staged != fetched["rows"]:
            raise OdsMismatch(
                f"{counted(staged, 'rows')} arrived in the database where the export holds {fetched['rows']:,}",
                where=self._where,
                advice="The table is as it was. Run it again; if it persists, the database drops rows (a trigger?)",
            )
        self._ctx.emit(StepDone("Staged", staged, seconds["stage"]))
        return staged

    def _tell(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self._ctx.emit(Noticed(f"Table {self._job.table}: {sentence}"))

    def _planned(self, dataset: Dataset, rows: ExportedRows) -> tuple[ColumnPlan, Load]:
        """Return what is to be done; nothing was changed yet where that is an error."""
        job, engine = self._job, self._database.engine
        standing = self._database.call(engine.standing, job.table)
        if standing is not None:
            # Others may have loaded into it while the export was fetched.
            last = self._database.call(engine.recall, job.table, None)
            expect_fitting(self._ctx, job, dataset, standing, last)
        columns = planned(job, dataset, rows.schema(), standing, engine.can)
        self._tell(columns.told)
        window = None
        if columns.cursor is not None and job.mode == "append" and self._start is not None:
            window = Window(columns.cursor, self._start)
        return columns, Load(
            job.table,
            columns.changes.columns,
            mode=job.mode,
            swap=job.swap or engine.can.swaps[0],
            key=columns.key,
            delete_missing=job.delete_missing,
            window=window,
            add=columns.changes.add,
            widen=columns.changes.widen,
            comment=_comment(dataset, self._ctx.client.connection.base_url),
            token=self._ctx.token,
        )

    def _remembered(
        self, columns: ColumnPlan, rows: ExportedRows, fetched: Mapping[str, Any], before: State, staged: int
    ) -> tuple[Memory, dict[str, Any]]:
        """Return what the database is to remember, and the Outcome as far as it is known before the table changes."""
        job, dataset = self._job, before.dataset
        assert dataset is not None
        # A backfill of older rows does not move it back.
        known = [value for value in (self._standing.watermark, rows.highest) if value is not None]
        watermark = max(known, key=_ordered) if known and job.cursor else None
        result = outcome(
            dataset_id=job.dataset_id,
            path=f"{self._target.label.rstrip('/')}/{job.table}",
            format="table",
            rows=staged,
            verified="counted",
            data_processed=fetched["data_processed"],
            moved=fetched["moved"],
            unchanged=False,
            calls=self._ctx.calls,
            quota_remaining=self._ctx.remaining(job.dataset_id),
            fingerprint=self._ids.work,
            dataset_state=None if fetched["moved"] else before.digest,
            table=str(job.table),
            mode=job.mode,
            geo=job.geo,
            columns_changed=list(columns.told),
            watermark=watermark,
            **self._ctx.source_told,
        )
        result |= {name: fetched[name] for name in ("hidden_rows", "note") if name in fetched}
        memory = Memory(
            load_id=self._ids.memory,
            table=str(job.table),
            portal=self._ctx.client.connection.base_url,
            dataset_id=dataset.dataset_id,
            dataset_uid=dataset.dataset_uid,
            state=result["dataset_state"],
            data_processed=result["data_processed"],
            cursor=job.cursor.field if job.cursor else None,
            watermark=watermark,
            rows=staged,
            table_rows=None,
            run=self._ctx.token,
            loaded_at=utc_now().isoformat(),
            outcome=json.dumps(result),
        )
        return memory, result


def _ordered(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _comment(dataset: Dataset, base_url: str) -> str:
    """Return what is said of the table: the dataset's title, its licence, and where it comes from."""
    default = dataset.metas.get("default")
    said = default if isinstance(default, Mapping) else {}
    told = [said.get("title"), said.get("license"), dataset_page(base_url, dataset.dataset_id)]
    return legible(" · ".join(text for text in told if isinstance(text, str) and text), most_chars=500)


def _seen(loaded: Loaded) -> dict[str, Any]:
    counts = {"inserted": loaded.inserted, "updated": loaded.updated, "deleted": loaded.deleted}
    return {"table_rows": loaded.table_rows, **counts}


def _counts(loaded: Loaded) -> str:
    known = [(loaded.inserted, "inserted"), (loaded.updated, "updated"), (loaded.deleted, "deleted")]
    told = [f"{number:,} {what}" for number, what in known if number]
    return ", ".join([*told, f"{counted(loaded.table_rows, 'rows')} in the table now"])


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
