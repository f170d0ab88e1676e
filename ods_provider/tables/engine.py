"""The contract: what every engine does, in this order, and what it leaves when it is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self, runtime_checkable

from ods_provider.tables.load import Load, Loaded, Memory, Mode, StandingColumn, Swap, TableName

if TYPE_CHECKING:
    import pyarrow as pa

    from ods_provider.tables.columns import Column

MEMORY_TABLE = "_ods_loads"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a database can do, and what its readers see.

    Attributes:
        swaps: The ways to replace a table, the default first.
        modes: The modes it takes.
        comments: Whether it keeps comments of tables and columns.
        geometry: Whether it holds geometries.
        longest_name: How long the name of a table, schema or column may be; None for no bound. Those of columns are
            counted in bytes (UTF-8) everywhere.
        folds_case: Whether names that differ in case only are the same.
        taken: Names that every table has of its own.
        names_by: What the database counts in the name of a table or schema: bytes (UTF-8) or characters.
        gap: What a reader may see besides the old rows and the new ones; empty where it never does.
    """

    swaps: tuple[Swap, ...]
    modes: tuple[str, ...]
    comments: bool
    geometry: bool
    longest_name: int | None
    folds_case: bool
    gap: str = ""
    taken: frozenset[str] = frozenset()
    names_by: Literal["bytes", "characters"] = "bytes"


class Engine(Protocol):
    """A connection to a database that takes loads.

    ``with`` opens and closes it: what was not committed is taken back, and nothing staged stays. Errors are
    ``OdsError``: they say what the database refused and what to do about it, ``transient`` tells whether another try
    may help, and no password stands in them.
    """

    can: Abilities

    def __enter__(self) -> Self:
        """Connect, and remove what killed runs of the same token left staged."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Take back what was not committed, and disconnect."""
        ...

    def standing(self, table: TableName) -> tuple[StandingColumn, ...] | None:
        """Return the columns of a table, None where none stands."""
        ...

    def shown(self, column: Column) -> str:
        """Return what the database calls the type of a column that it would make."""
        ...

    def rows(self, table: TableName) -> int:
        """Return how many rows a table that stands holds."""
        ...

    def recall(self, table: TableName, load_id: str | None) -> Memory | None:
        """Return what is remembered of earlier loads of the same work, None where there was none.

        Without a name of the work it is what is remembered of the last load of that table, whatever the work.
        """
        ...

    def stage(self, load: Load, rows: pa.RecordBatchReader) -> int:
        """Bring rows into the database where no reader sees them, and return how many arrived there.

        Args:
            load: What will be done with them.
            rows: Batches of ``load.columns``. Read to the end, one at a time.
        """
        ...

    def commit(self, load: Load, memory: Memory) -> Loaded:
        """Do to the table what ``load`` says, with all that was staged, and remember it: all of it or nothing.

        ``memory.table_rows`` is filled in by the engine.
        """
        ...

    def drop(self, table: TableName, load_id: str) -> None:
        """Drop a table, if it stands, and forget the load of that name: both or neither."""
        ...

    def cancel(self) -> None:
        """End what the database is doing for this connection; called from another thread, and at a signal."""
        ...


@runtime_checkable
class AsksRights(Protocol):
    """An engine that can tell at once whether its user may do what a load needs; with the others it shows later."""

    def expect_rights(self, table: TableName, mode: Mode, *, deletes: bool) -> None:
        """Refuse a load whose user lacks a right, or whose schema is not there, with the name of what is missing.

        Args:
            table: Where the load goes; it need not stand.
            mode: What it does there.
            deletes: Whether it removes rows.
        """
        ...
