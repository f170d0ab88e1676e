"""What a load does to a table, and what is known of it afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.columns import Column

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_BAD = re.compile(r"[\x00-\x1f\x7f]")
Mode = Literal["replace", "append", "merge", "scd2"]
Swap = Literal["lock", "stage", "rename"]


@dataclass(frozen=True, slots=True)
class TableName:
    """A table, in a schema where one was named; both as the database has them, unquoted."""

    name: str
    schema: str | None = None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


def table_named(text: str) -> TableName:
    """Return the table that ``cities``, ``open_data.cities`` or ``open_data."Cities 2.0"`` names.

    Raises:
        OdsConfigError: It names none.
    """
    parts, at = [], 0
    while found := _PART.match(text, at):
        quoted, bare = found.groups()
        parts.append(quoted.replace('""', '"') if quoted else bare.strip())
        at = found.end() + 1
        if text[found.end() : at] not in (".", "") or at > len(text):
            break
    if at != len(text) + 1 or len(parts) not in (1, 2) or not all(parts) or any(_BAD.search(part) for part in parts):
        raise OdsConfigError(
            f"{text!r} names no table",
            where="argument table",
            advice='Write table or schema.table; a name that holds a dot goes into double quotes: "a.b"',
        )
    return TableName(parts[-1], parts[0] if len(parts) == 2 else None)


@dataclass(frozen=True, slots=True)
class Window:
    """The rows from a value of the cursor on, and those without one: they make room for those that were staged.

    Attributes:
        column: The cursor.
        start: Its lowest value in the window: an int, a float, a date or an aware UTC datetime.
    """

    column: str
    start: Any


@dataclass(frozen=True, slots=True)
class Load:
    """What an engine is to do with the rows it is given.

    Attributes:
        table: Where they go. The table is made where it does not stand.
        columns: What the rows hold, in their order. A table may hold more columns than these.
        mode: ``replace`` all rows; ``append``; ``merge`` by ``key``, changed rows only; ``scd2`` keeps what was, with
            ``valid_from`` and ``valid_to``.
        swap: How readers see a ``replace``: ``lock`` (they wait while it loads), ``stage`` (they wait while it is
            copied), ``rename`` (they hardly wait).
        key: Columns that tell a row from all others, for ``merge`` and ``scd2``.
        delete_missing: Whether ``merge`` deletes what was not staged, and ``scd2`` closes it.
        window: With ``append``: the rows of the table that make room. None for none.
        add: Columns that the table lacks and gets.
        widen: Columns of the table that get a wider kind.
        comment: What is said of the table where the database keeps comments.
        token: Tells this run from others: in the names of what is staged.
    """

    table: TableName
    columns: tuple[Column, ...]
    mode: Mode = "replace"
    swap: Swap = "stage"
    key: tuple[str, ...] = ()
    delete_missing: bool = False
    window: Window | None = None
    add: tuple[Column, ...] = ()
    widen: tuple[Column, ...] = ()
    comment: str | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class StandingColumn:
    """A column of a table that stands.

    Attributes:
        name: Its name.
        type: What the database calls its type.
        takes: The kinds that it holds without loss.
        required: Whether it must be given a value.
    """

    name: str
    type: str
    takes: frozenset[str]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a load, in the database of its table, and written in the transaction that changes it.

    Attributes:
        load_id: Tells the work from other work: the table, the portal, the dataset, the query.
        table: The table.
        portal, dataset_id, dataset_uid: What was loaded.
        state: Tells the state of the dataset from its others; None where the portal does not say.
        data_processed: When the dataset's records last changed, ISO 8601.
        cursor: The field of the watermark.
        watermark: Its highest value loaded so far, as JSON has it; dates and times in ISO 8601.
        rows: Rows that the load brought.
        table_rows: Rows of the table after it.
        run: The run's token.
        loaded_at: When, ISO 8601.
        outcome: What the job returned, JSON.
    """

    load_id: str
    table: str
    portal: str
    dataset_id: str
    dataset_uid: str | None
    state: str | None
    data_processed: str | None
    cursor: str | None
    watermark: Any
    rows: int
    table_rows: int | None
    run: str
    loaded_at: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the table.

    Attributes:
        table_rows: Rows that it holds now.
        inserted, updated, deleted: Rows that were; None where the database does not say.
        said: What was done in another way than asked, and why; one sentence each.
    """

    table_rows: int
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None
    said: tuple[str, ...] = ()
