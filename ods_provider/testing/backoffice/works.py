"""Which work belongs to which order, and what a run reads."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from ods_provider.testing.backoffice.draft import Draft, Version
from ods_provider.testing.backoffice.extraction.run import Recipe
from ods_provider.testing.backoffice.extraction.sources import Source
from ods_provider.testing.backoffice.moments import Clock, moment, spelled
from ods_provider.testing.backoffice.reading import Reading
from ods_provider.testing.backoffice.showing import described
from ods_provider.testing.backoffice.switches import Switches
from ods_provider.testing.backoffice.trouble import bad_request
from ods_provider.testing.backoffice.uploads import Uploads
from ods_provider.testing.backoffice.work import Failing, Work
from ods_provider.testing.store import Store

LARGE_BYTES = 64_000_000  # from here on rows lie on disk


class Works:
    """Makes the work of each order.

    Args:
        store: What Explore serves.
        uploads: Where large tables lie.
        switches: Limits.
        clock: Seconds since the epoch.
        rows_of: Gives the records of a federated dataset by its domain and id, or raises ``ExtractionError``.
    """

    def __init__(
        self,
        store: Store,
        uploads: Uploads,
        switches: Switches,
        clock: Clock,
        rows_of: Callable[[str, str], list[dict[str, Any]]],
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._switches = switches
        self._clock = clock
        self._rows_of = rows_of

    def of(self, draft: Draft, order: str, version: Version | None = None) -> Work:
        """Return what an order does.

        Raises:
            Refused: 400, there is nothing that it could be done to.
        """
        if order == "publish":
            taken = self._store.datasets.get(draft.dataset_id)
            if taken is not None and taken.uid != draft.uid:
                return Failing(f"Another published dataset has the id {draft.dataset_id}")
            if draft.base is not None and self._as_it_was(draft):
                return Work(lambda: self._again(draft), lambda: self._describe(draft, data=True))
            return Reading(draft, self._store, lambda: self.recipe(draft), lambda: self._table(draft), self._clock)
        if order == "unpublish":
            return Work(lambda: self._unpublished(draft), lambda: self._hide(draft))
        if order == "publish_metadata":
            if not draft.status.is_published:
                raise bad_request("The dataset is not published")
            return Work(lambda: self._metadata(draft), lambda: self._describe(draft))
        assert version is not None
        return Work(lambda: draft.restore(version), lambda: None)

    def saved(self, draft: Draft, order: str, by: str) -> None:
        """Keep a version after an order that makes one."""
        if order in ("publish", "restore"):
            draft.save_version(moment(self._clock()), by)

    # Reading

    def recipe(self, draft: Draft) -> Recipe:
        """Return what a run of this dataset does with its configuration as it is now."""
        own = [resource for resource in draft.resources if not resource.realtime]
        return Recipe(
            [self.source(draft, one.type, one.params, one.datasource or {}) for one in own],
            deepcopy(draft.processors),
            deepcopy(draft.fields),
            base=None if own else draft.base,
            bootstrap=None if own or draft.base or draft.realtime is None else draft.realtime.params.get("bootstrap"),
            typed_by_rows=self._switches.typed_by_rows,
            most_rows=self._switches.most_rows,
            most_errors=self._switches.most_records_errors,
        )

    def source(self, draft: Draft, type_: str, params: dict[str, Any], datasource: dict[str, Any]) -> Source:
        """Return what a resource of these properties reads."""
        made = Source(type_, deepcopy(params), deepcopy(datasource))
        if datasource.get("type") == "federated":
            domain = str((datasource.get("domain") or {}).get("domain_id"))
            dataset = str((datasource.get("dataset") or {}).get("dataset_id"))
            return replace(made, rows=lambda: self._rows_of(domain, dataset))
        uid = (datasource.get("file") or {}).get("uid")
        return replace(made, path=draft.files[uid].path if uid in draft.files else None)

    def _table(self, draft: Draft) -> str:
        size = sum(
            draft.files[uid].path.stat().st_size
            for resource in draft.resources
            if (uid := ((resource.datasource or {}).get("file") or {}).get("uid")) in draft.files
        )
        large = self._uploads.path().with_name("large.duckdb") if size >= LARGE_BYTES else None
        return self._store.new_table(large=large)

    # Without reading

    def _as_it_was(self, draft: Draft) -> bool:
        state = self._store.datasets.get(draft.shown_as or "")
        return (
            state is not None
            and draft.base is not None
            and state.table == draft.base.table
            and not draft.fields
            and not draft.processors
            and all(resource.realtime for resource in draft.resources)
        )

    def _again(self, draft: Draft) -> None:
        draft.status.is_published = True
        if draft.metadata.get("default", "modified_updates_on_data_change") is True:
            draft.metadata.set_own("default", "modified", spelled(moment(self._clock())))

    def _metadata(self, draft: Draft) -> None:
        if draft.metadata.get("default", "modified_updates_on_metadata_change") is True:
            draft.metadata.set_own("default", "modified", spelled(moment(self._clock())))

    def _describe(self, draft: Draft, *, data: bool = False) -> None:
        state = self._store.datasets.get(draft.shown_as or "")
        if state is None:
            return
        now = moment(self._clock())
        made = described(draft, state, now)
        self._store.publish(replace(made, data_processed=max(now, made.data_processed)) if data else made)

    def _unpublished(self, draft: Draft) -> None:
        draft.status.is_published = False

    def _hide(self, draft: Draft) -> None:
        if draft.status.is_published:
            return  # again, before the withdrawal was seen
        if draft.shown_as is not None:
            self._store.withdraw(draft.shown_as)
            draft.shown_as = None
        if draft.base is not None and draft.realtime:
            draft.base = replace(draft.base, table=None)
