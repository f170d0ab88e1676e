"""A publication: files are read in a thread into a table of their own, which is shown when it is due."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import duckdb

from ods_provider.testing.backoffice.draft import Draft
from ods_provider.testing.backoffice.extraction.kept import Base
from ods_provider.testing.backoffice.extraction.run import Extracted, Recipe, extract
from ods_provider.testing.backoffice.moments import Clock, moment, spelled
from ods_provider.testing.backoffice.showing import app_metas, described
from ods_provider.testing.backoffice.trouble import ExtractionError
from ods_provider.testing.backoffice.work import Work
from ods_provider.testing.schema import DatasetState
from ods_provider.testing.store import Store


class Reading(Work):
    """A publication: all sources into a new table.

    Args:
        draft: The dataset.
        store: Where it will be shown.
        recipe: Makes what is done from the configuration as it is at the beginning.
        table: Makes the name of the new table.
        now: The moment.
    """

    def __init__(
        self, draft: Draft, store: Store, recipe: Callable[[], Recipe], table: Callable[[], str], now: Clock
    ) -> None:
        super().__init__(self._commit, self._show)
        self._draft = draft
        self._store = store
        self._recipe = recipe
        self._new_table = table
        self._now = now
        self._thread: threading.Thread | None = None
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._table: str | None = None
        self._extracted: Extracted | None = None
        self._shown: DatasetState | None = None

    @property
    def ended(self) -> bool:
        """Whether the sources are read, or cannot be."""
        return self._thread is not None and not self._thread.is_alive()

    def begin(self) -> None:
        """Begin to read, with the configuration as it is now."""
        recipe = self._recipe()
        self._table = self._new_table()
        self._cursor = self._store.cursor()
        self._thread = threading.Thread(target=self._read, args=(recipe,), name="ods-portal-run", daemon=True)
        self._thread.start()

    def _read(self, recipe: Recipe) -> None:
        assert self._table is not None
        assert self._cursor is not None
        try:
            self._extracted = extract(recipe, self._table, self._cursor)
        except ExtractionError as error:
            self.failed = str(error)
        except duckdb.InterruptException:
            self.failed = "The processing was stopped"
        except Exception as error:
            # A defect of this portal must not leave a dataset at work for ever.
            self.failed = f"An unexpected error occurred: {error!r}"
        finally:
            self._cursor.close()
        if self._extracted is not None:
            found = self._extracted
            self.done.records_errors = found.records_errors
            if found.rows_found is not None:
                self.done.status = "limit_reached"
                limit = {"limit_type": "records", "limit": recipe.most_rows, "value": found.rows_found}
                self.done.params = {"error": limit}

    def stop(self) -> None:
        """Interrupt the reading."""
        if self._cursor is not None and not self.ended:
            self._cursor.interrupt()

    def wait(self) -> None:
        """Wait until nothing is read any more."""
        if self._thread is not None:
            self._thread.join()

    def halve(self) -> None:
        """Keep the first half."""
        if self._extracted is None:
            return
        half = self._extracted.rows // 2
        with self._store.cursor() as cursor:
            some = f"SELECT rowid FROM {self._table} ORDER BY rowid LIMIT {half}"  # noqa: S608  our own name
            cursor.execute(f"DELETE FROM {self._table} WHERE rowid NOT IN ({some})")  # noqa: S608  as above

    def discard(self) -> None:
        """Forget the new table."""
        if self._table is not None:
            self._store.drop_table(self._table)

    def _commit(self) -> None:
        draft, found = self._draft, self._extracted
        assert found is not None
        draft.status.is_published = True
        if draft.realtime and all(resource.realtime for resource in draft.resources):
            # Pushed records are nowhere else.
            base = draft.base or Base(None, found.raw_fields, ())
            draft.base = base.moved(self._table, found.configured, found.columns)
        now = moment(self._now())
        if draft.metadata.get("default", "modified_updates_on_data_change") is True:
            draft.metadata.set_own("default", "modified", spelled(now))
        draft.shown_as = draft.dataset_id
        ids = tuple(column.name for column in found.columns if "id" in column.annotations)
        bare = DatasetState(
            draft.dataset_id, "", found.columns, unique_id=ids, stored_as=self._table, data_processed=now
        )
        before = self._store.datasets.get(draft.dataset_id)
        if before is not None:
            bare.data_processed = max(now, before.data_processed)
            bare.files, bare.calendar, bare.source_domain = before.files, before.calendar, before.source_domain
        self._shown = described(draft, bare, now)

    def _show(self) -> None:
        if self._shown is not None and self._draft.shown_as is not None:
            # The status is that of the end, which was not yet there.
            told = app_metas(self._draft, self._shown.metadata_processed)
            self._store.publish(replace(self._shown, app_metas=told))
