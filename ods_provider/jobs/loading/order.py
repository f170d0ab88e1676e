"""What a load is to do, and which of its arguments go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.source import named
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.loading.cursor import Cursor
from ods_provider.jobs.parts.parted import PartedDownloadJob
from ods_provider.jobs.unchanged import IfUnchanged
from ods_provider.tables.load import Mode, Swap, TableName
from ods_provider.tables.names import expect_not_ours

Columns = Literal["evolve", "freeze", "discard"]
Geo = Literal["lonlat", "wkt", "geojson", "postgis"]


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """A dataset's rows in a table, and what becomes of those that are there.

    Args:
        fetch: The export, as Parquet; where it lies until it is loaded is decided at work.
        table: Where the rows go.
        destination: The database, as the user named it.
        mode: ``replace`` all rows; ``append``; ``merge`` by key; ``scd2`` keeps what was.
        swap: How readers see a replacement; None takes the database's default.
        key: Fields that tell a row from all others; empty takes those that the dataset annotates as ``id``.
        delete_missing: Whether rows that vanished from the portal are deleted from the table.
        cursor: Loads only what is new by a field; None loads all.
        columns: What to do when the fields are not the table's columns: ``evolve``, ``freeze``, ``discard``.
        expect: The fields and their types that must be there; None expects nothing.
        geo: What points and shapes become.
        staging: Folder for the export until it is loaded; None takes the user's state folder.
        if_unchanged: What to do when an earlier run loaded the same and the dataset did not change since.
    """

    fetch: DownloadJob | PartedDownloadJob
    table: TableName
    destination: Any
    mode: Mode = "replace"
    swap: Swap | None = None
    key: tuple[str, ...] = ()
    delete_missing: bool = False
    cursor: Cursor | None = None
    columns: Columns = "evolve"
    expect: Mapping[str, str] | None = None
    geo: Geo = "lonlat"
    staging: Any = None
    if_unchanged: IfUnchanged = "fetch"

    def __post_init__(self) -> None:
        expect_not_ours(self.table.schema, self.table.name)
        for argument, known in (("mode", Mode), ("columns", Columns), ("geo", Geo), ("swap", Swap)):
            given = getattr(self, argument)
            if given not in (*get_args(known), *((None,) if argument == "swap" else ())):
                *first, last = get_args(known)
                raise OdsConfigError(
                    f"{argument}={given!r} is not known",
                    where=f"argument {argument}",
                    advice=f"Use {', '.join(first)} or {last}",
                )
        if self.cursor is not None and self.mode not in ("append", "merge"):
            advice = 'Use mode="append" or mode="merge" with it'
            raise _against("cursor, mode", f"mode={self.mode!r} loads all rows", advice)
        if self.delete_missing and self.cursor is not None:
            raise _against(
                "delete_missing, cursor",
                "with a cursor only new rows are asked for, and the others would be deleted",
                "Leave one of the two out",
            )
        if self.delete_missing and self.mode not in ("merge", "scd2"):
            raise _against("delete_missing, mode", f"mode={self.mode!r} has no use for it", 'Use it with mode="merge"')
        if self.delete_missing and (given := self._narrowed):
            raise _against(
                f"delete_missing, {given}",
                f"with {given} only some rows are asked for, and those that the portal still has besides would count "
                "as missing",
                "Leave one of the two out"
                + ('; mode="replace" makes a table hold just what is asked for' if self.mode == "merge" else ""),
            )
        if self.swap is not None and self.mode != "replace":
            raise _against("swap, mode", f"mode={self.mode!r} replaces nothing", "Leave it out")
        if self.key and self.mode not in ("merge", "scd2"):
            raise _against("primary_key, mode", f"mode={self.mode!r} compares no rows", 'Use it with mode="merge"')

    @property
    def download(self) -> DownloadJob:
        """What is asked of the portal."""
        return self.fetch if isinstance(self.fetch, DownloadJob) else self.fetch.download

    @property
    def dataset_id(self) -> str | None:
        """The dataset."""
        return self.download.dataset_id

    @property
    def _narrowed(self) -> str | None:
        """Which argument keeps rows of the dataset out, None where all are asked for."""
        query = self.download.query
        narrowing = {
            "limit": self.download.limit is not None,
            "where": bool(query.where),
            "refine": bool(query.refine),
            "exclude": bool(query.exclude),
        }
        return next((name for name, given in narrowing.items() if given), None)

    @property
    def named(self) -> str:
        """The dataset's name among those of all sources."""
        return named(self.download.source, self.dataset_id or "")


def _against(names: str, what: str, advice: str) -> OdsConfigError:
    return OdsConfigError(what, where=f"arguments {names}", advice=advice)
