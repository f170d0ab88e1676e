"""What columns are called: as the portal calls its fields, but where a database cannot tell or take that name.

Reserved words stay: engines quote. A name is changed by a tag that is made of it, never by its place among others, so
that a field which is new tomorrow takes no column from another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ods_provider.core.errors import OdsConfigError
from ods_provider.tables.columns import Column
from ods_provider.tables.engine import Abilities
from ods_provider.tables.load import TableName

_TAG_CHARS = 8
_OURS = "_ods_"


@dataclass(frozen=True, slots=True)
class Renamed:
    """A column that is called otherwise than its field; its text says so."""

    field: str
    column: str
    why: str

    def __str__(self) -> str:
        return f"{self.field} became the column {self.column}: {self.why}"


@dataclass(frozen=True, slots=True)
class Naming:
    """How a database takes names.

    Attributes:
        longest_name: Bytes (UTF-8) of a name at most; None for no bound.
        folds_case: Whether names that differ in case only are the same.
        taken: Names that are used already: ``valid_from`` and ``valid_to`` where history is kept, and what a database
            has in every table, such as ``xmin``. Names that begin with ``_ods_`` are always.
    """

    longest_name: int | None = None
    folds_case: bool = False
    taken: frozenset[str] = frozenset()

    def named(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """Return the columns under names that the database takes, no two alike."""
        whys = self._whys(columns)
        used = {self._key(name) for name in self.taken}
        used |= {self._key(column.name) for column, why in zip(columns, whys, strict=True) if not why}
        found: list[Column] = []
        for column, why in zip(columns, whys, strict=True):
            name = column.name
            if why:
                name = self._tagged(column, used)
                used.add(self._key(name))
            found.append(replace(column, name=name))
        return tuple(found)

    def told(self, columns: Sequence[Column]) -> tuple[Renamed, ...]:
        """Return which of the columns that ``named`` gave have names of their own, and why."""
        wanted = [replace(column, name=wanted_name(column)) for column in columns]
        return tuple(
            Renamed(column.field, column.name, why)
            for column, why in zip(columns, self._whys(wanted), strict=True)
            if why
        )

    def _whys(self, columns: Sequence[Column]) -> list[str]:
        """Return for each column why it cannot be called as it is, empty where it can."""
        taken = {self._key(name) for name in self.taken}
        alike = Counter(self._key(column.name) for column in columns)
        # A field keeps its name before a part of another field's place.
        fields = Counter(self._key(column.name) for column in columns if column.name == column.field)
        return [self._why(column, taken, alike, fields) for column in columns]

    def _why(self, column: Column, taken: set[str], alike: Counter[str], fields: Counter[str]) -> str:
        key = self._key(column.name)
        if not column.name or "\0" in column.name:
            return "no database takes its name"
        if key in taken or key.startswith(_OURS):
            return "the table has a column of that name besides"
        if self.longest_name is not None and len(column.name.encode()) > self.longest_name:
            return f"its name is longer than {self.longest_name} bytes"
        if column.name == column.field:
            return "another name differs from its in case only" if fields[key] > 1 else ""
        return f"another column is called {column.name}" if alike[key] > 1 else ""

    def _key(self, name: str) -> str:
        return name.casefold() if self.folds_case else name

    def _tagged(self, column: Column, used: set[str]) -> str:
        turn = 0
        while True:
            seed = f"{column.name}\0{column.form}\0{turn or ''}"
            tag = "_" + sha256(seed.encode()).hexdigest()[:_TAG_CHARS]
            stem = column.name.replace("\0", "")
            while self._key(stem).startswith(_OURS):
                stem = stem[len(_OURS) :]
            if self.longest_name is not None:
                room = max(0, self.longest_name - len(tag))
                stem = stem.encode()[:room].decode(errors="ignore")
            if self._key(stem + tag) not in used:
                return stem + tag
            turn += 1


def wanted_name(column: Column) -> str:
    """Return what a column would be called if every name could be."""
    return f"{column.field}_{column.form}" if column.form in ("lon", "lat") else column.field


def expect_not_ours(*names: str | None, argument: str = "table") -> None:
    """Refuse names under which this package keeps its own: what is remembered of loads, lists, staged rows.

    Args:
        names: Of a table and its schema.
        argument: Where they were given.

    Raises:
        OdsConfigError: One begins with ``_ods_``, in whatever case.
    """
    for name in names:
        # Some databases know no case, and some no blanks around a name.
        if name is not None and name.strip().casefold().startswith(_OURS):
            raise OdsConfigError(
                f"{name!r} begins with {_OURS}, as do what is remembered of loads and the tables of rows on their way",
                where=f"argument {argument}",
                advice="Choose another name",
            )


def expect_short_enough(table: TableName, can: Abilities, label: str) -> None:
    """Refuse a table whose name the database would cut, so that two tables became one, or would not take.

    A column may get another name, since the load tells of it; people look for a table where they said it should be.

    Raises:
        OdsConfigError: Its name, or its schema's, is too long.
    """
    if can.longest_name is None:
        return
    for what, part in (("schema", table.schema), ("table", table.name)):
        length = len(part if can.names_by == "characters" else part.encode()) if part is not None else 0
        if length > can.longest_name:
            raise OdsConfigError(
                f"the name of the {what} {part} has {length} {can.names_by}, and this database takes "
                f"{can.longest_name}",
                where=f"argument {what if what == 'table' else 'table or schema'}, {label}",
                advice=f"Give the {what} a shorter name",
            )
