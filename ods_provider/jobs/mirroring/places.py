"""Where a mirror is: what stands there, what is remembered there, and the job that brings one dataset there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from ods_provider.jobs.context import JobContext
from ods_provider.jobs.mirroring.order import MirrorOrder
from ods_provider.jobs.mirroring.remembered import Known, Remembered


class Place(Protocol):
    """A folder, or a schema of a database."""

    done: str  # what is said of a dataset that was brought: downloaded, loaded

    def shown(self, ctx: JobContext) -> str:
        """Return what people are told of where it is; no password."""
        ...

    def side_by_side(self, ctx: JobContext) -> bool:
        """Return whether it takes several datasets at the same time."""
        ...

    def remembered(self, ctx: JobContext) -> Remembered | None:
        """Return what is remembered there, None where nothing is."""
        ...

    def remember(self, ctx: JobContext, what: Remembered) -> None:
        """Put it in the place of what was."""
        ...

    def named(self, dataset_id: str, taken: AbstractSet[str]) -> str:
        """Return the name of a dataset's file or table; none of ``taken``."""
        ...

    def standing(self, ctx: JobContext, known: Iterable[Known]) -> set[str]:
        """Return the names of the files or tables of these datasets that stand."""
        ...

    def written(self, ctx: JobContext, known: Mapping[str, Known]) -> dict[str, dict[str, Any]]:
        """Return the Outcomes of what stands of these datasets, as far as they are told there."""
        ...

    def bring(self, ctx: JobContext, dataset_id: str, known: Known) -> dict[str, Any]:
        """Bring one dataset, and return its Outcome."""
        ...

    def drop(self, ctx: JobContext, dataset_id: str, known: Known) -> None:
        """Remove a dataset's file or table, and what is told of it."""
        ...


def place_of(order: MirrorOrder) -> Place:
    """Return where an order's mirror is."""
    # Each when it is wanted: loads stand on packages of their own.
    if order.into == "files":
        from ods_provider.jobs.mirroring.folder import Folder

        return Folder(order)
    from ods_provider.jobs.mirroring.database import Database

    return Database(order)
