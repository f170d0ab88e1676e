"""Bring a dataset, or a query of it, into a table: fetched, verified, staged, counted, and only then seen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.events import StepDone
from ods_provider.core.outcome import Done
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.loading.attended import Attended
from ods_provider.jobs.loading.guards import expect_fitting
from ods_provider.jobs.loading.loaded import EarlierLoad, Standing
from ods_provider.jobs.loading.order import LoadOrder
from ods_provider.jobs.loading.renamed import now_called
from ods_provider.jobs.scratchplace import ScratchPlace
from ods_provider.jobs.state import State
from ods_provider.tables.load import TableName
from ods_provider.tables.names import expect_short_enough
from ods_provider.tables.target import Target

if TYPE_CHECKING:
    from ods_provider.tables.engine import Abilities


@dataclass(frozen=True, slots=True)
class LoadJob(LoadOrder):
    """A dataset's rows in a table, which shows the old ones or the new ones and never a part of either."""

    name: ClassVar[str] = "load"
    # The database remembers what any load did: whether it succeeded must be known as well.
    always_remembered: ClassVar[bool] = True

    def work(self, ctx: JobContext) -> dict[str, Any] | Done:
        """Return the Outcome of the table as it stands now."""
        # Arrow comes with them: a catalogue of commands need not load it.
        from ods_provider.jobs.loading.columns import expect_loadable
        from ods_provider.jobs.loading.table import Ids, Loading
        from ods_provider.tables.engines.registry import engine_of

        began = time.monotonic()
        ctx = ctx.at(self.download.source)
        target = ctx.plugins.table_target(self.destination, ctx.run)
        ours = self.mode == "replace" or self.delete_missing
        remembered = self.remembered(ctx)
        load_id = fingerprint(load=remembered, database=target.label, columns=self.columns)
        # Once before anything is fetched, so that a wrong password costs nothing, and once more when it is here: no
        # connection is held for the hours between.
        with Attended(ctx, engine_of(target, ctx.token)) as database:
            self._expect_able(database.engine.can, target)
            deletes = ours or (self.mode == "append" and self.cursor is not None)
            database.expect_rights(self.table, self.mode, deletes=deletes)
            standing = _standing(database, self.table, remembered)
            can = database.engine.can
        before = self._look(ctx, standing)
        expect_fitting(ctx, self, before.dataset, standing.columns, standing.last)
        earlier = EarlierLoad(ctx, load_id, self.mode, self.if_unchanged, self.download.min_rows, ours)
        if (kept := earlier.still(standing, before.digest)) is not None:
            return kept
        start = self._start(before, standing)
        if before.dataset is not None:
            expect_loadable(self, before.dataset, standing.columns, can)
        place = ScratchPlace.of(ctx, self.staging, load_id)
        fetched = self._fetched(ctx, place, before, start)
        seconds = {"fetch": round(time.monotonic() - began, 3)}
        step = "Kept from an earlier try:" if fetched["unchanged"] else "Fetched"
        ctx.emit(StepDone(step, fetched["rows"], seconds["fetch"]))
        with Attended(ctx, engine_of(target, ctx.token)) as database:
            loading = Loading(ctx, self, database, target, Ids(load_id, remembered), start, standing)
            result = loading.run(place.files(), fetched, before, seconds)
        place.forget()
        return result

    def remembered(self, ctx: JobContext) -> str:
        """Return what the database remembers this work by.

        Not by its own address: a file that was moved, or a server of another name, would be appended to anew. Nor by
        the portal's port, under which it comes back as another.
        """
        query = replace(self.download.query, order_by=None)
        return fingerprint(
            job=self.name,
            portal=urlsplit(ctx.client.connection.base_url).hostname,
            dataset_id=self.named,
            query=query,
            limit=self.download.limit,
            table=str(self.table),
            how=(self.mode, self.key, self.cursor and self.cursor.field, self.geo),
        )

    def _expect_able(self, can: Abilities, target: Target) -> None:
        expect_short_enough(self.table, can, target.label)
        for argument, given, able in (
            ("mode", self.mode, can.modes),
            ("swap", self.swap, (None, *can.swaps)),
            ("geo", self.geo, ("lonlat", "wkt", "geojson", *(("postgis",) if can.geometry else ()))),
        ):
            if given not in able:
                raise OdsConfigError(
                    f"{argument}={given!r} is nothing that {target.kind} can do",
                    where=f"argument {argument}, {target.label}",
                    advice=f"Use {', '.join(word for word in able if word)}",
                )

    def _look(self, ctx: JobContext, standing: Standing) -> State:
        """Return the dataset as it is now; one that was renamed is told by its new name."""
        try:
            return self.download.look(ctx)
        except OdsNotFound as error:
            uid = standing.memory.dataset_uid if standing.memory is not None else None
            if uid is None or (name := now_called(ctx, uid)) is None:
                raise
            raise OdsNotFound(
                f"{self.named} is now called {name}",
                status=error.status,
                where=error.where,
                advice=f"Load {name}; its rows are of the dataset that this table was loaded from ({uid})",
            ) from None

    def _start(self, before: State, standing: Standing) -> Any:
        if self.cursor is None or before.dataset is None:
            return None
        return self.cursor.start(self.cursor.expect_in(before.dataset), standing.watermark)

    def _fetched(self, ctx: JobContext, place: ScratchPlace, before: State, start: Any) -> Mapping[str, Any]:
        """Return the Outcome of an export that lies whole in ``place``: one that an earlier try brought is kept."""
        query = self.download.query
        if self.cursor is not None and start is not None:
            query = replace(query, where=(*query.where, self.cursor.clause(start)))
        wanted = replace(self.download, query=query, path=place.target, if_unchanged="keep")
        fetch = wanted if isinstance(self.fetch, DownloadJob) else replace(self.fetch, download=wanted, layout="folder")
        # What is new only is counted anew.
        done = fetch.work(ctx, before if start is None else None)
        assert isinstance(done, dict)  # nothing but "skip" returns anything else
        return done


def _standing(database: Attended, table: TableName, load_id: str) -> Standing:
    """Return the table as it is, and what is remembered of it."""
    engine = database.engine
    columns = database.call(engine.standing, table)
    rows = database.call(engine.rows, table) if columns is not None else None
    memory = database.call(engine.recall, table, load_id)
    last = database.call(engine.recall, table, None) if columns is not None else None
    return Standing(columns, rows, memory, last)
