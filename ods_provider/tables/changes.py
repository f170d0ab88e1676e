"""What became of the columns since the table was made: what a load does about it, or why it does not begin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from ods_provider.core.errors import OdsColumnsChanged, OdsConfigError
from ods_provider.core.schema import Field
from ods_provider.tables.columns import Column, Kind
from ods_provider.tables.load import StandingColumn
from ods_provider.tables.recasting import RECAST

Columns = Literal["evolve", "freeze", "discard"]

# Which kinds a wider one holds without loss. An int is wider as a double only where all rows are replaced: the rows
# that stand may hold more digits. Numbers never become text unless the portal says that the field is one now.
_WIDER: Mapping[str, frozenset[str]] = {
    "decimal": frozenset({"int", "decimal"}),
    "datetime": frozenset({"date", "datetime"}),
    "text": frozenset({"int", "double", "decimal", "bool", "date", "datetime", "json", "text"}),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What may change.

    Attributes:
        columns: ``evolve`` adds what is new and widens what was retyped; ``freeze`` refuses every difference;
            ``discard`` leaves out what the table cannot take as it is.
        fixed: Fields of the key and the cursor: they are neither missed nor left out.
        replaces: Whether no row that stands stays.
        widens: Whether the database can give a column another type.
        folds_case: Whether names that differ in case only are the same.
        ours: Columns of the table that are no fields, such as ``valid_from``.
    """

    columns: Columns = "evolve"
    fixed: frozenset[str] = frozenset()
    replaces: bool = False
    widens: bool = True
    folds_case: bool = False
    ours: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.columns not in get_args(Columns):
            raise OdsConfigError(
                f"columns={self.columns!r} says nothing about columns that changed",
                advice=f"Choose one of {', '.join(get_args(Columns))}",
            )

    def key(self, name: str) -> str:
        """Return what tells a name from others in the database."""
        return name.casefold() if self.folds_case else name


@dataclass(frozen=True, slots=True)
class Changes:
    """What a load does about the differences.

    Attributes:
        columns: What is staged; of another kind than the portal's where the table keeps it as that without loss.
        add, widen: As ``Load`` has them.
        left_out: Columns that the table has no place for, and the load leaves out.
        vanished: Columns of the table that get no values any more.
        told: Every difference, a sentence each.
    """

    columns: tuple[Column, ...]
    add: tuple[Column, ...] = ()
    widen: tuple[Column, ...] = ()
    left_out: tuple[Column, ...] = ()
    vanished: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def compared(
    columns: Sequence[Column], standing: Sequence[StandingColumn] | None, rules: Rules, *, where: str | None = None
) -> Changes:
    """Return what a load of these columns does to a table.

    Args:
        columns: Of the export, as ``columns_of`` gives them.
        standing: Of the table; None where none stands yet.
        rules: What may change.
        where: The table, for messages.

    Raises:
        OdsColumnsChanged: The rules forbid a difference, or nothing can be done about it; every difference is told.
    """
    seen = _Seen(rules)
    seen.expect_fixed(columns)
    if standing is None:
        seen.columns += columns
    else:
        seen.compare(columns, standing)
    if not seen.columns and not seen.refused:
        seen.refused.append("no column is left to load")
    if seen.refused:
        raise _changed([*seen.refused, *seen.told], rules, where)
    return Changes(
        columns=tuple(seen.columns),
        add=tuple(seen.add),
        widen=tuple(seen.widen),
        left_out=tuple(seen.left_out),
        vanished=tuple(seen.vanished),
        told=tuple(seen.told),
    )


def expected(
    columns: Sequence[Column], fields: Iterable[Field], expect: Mapping[str, str], rules: Rules, *, where: str | None
) -> tuple[Column, ...]:
    """Return the columns that are loaded where somebody said which fields, of which types, there should be.

    Args:
        columns: Of the export.
        fields: Of the dataset.
        expect: Type by field, in the portal's words. All of them must be there; what is there besides is loaded with
            ``evolve``, refused with ``freeze``, and left out with ``discard``.
        rules: What may change.
        where: The dataset, for messages.

    Raises:
        OdsColumnsChanged: A field is missing or of another type, or is there besides and must not.
    """
    types = {each.name: each.type for each in fields}
    here = {column.field for column in columns}
    refused: list[str] = []
    for name, type_ in expect.items():
        if name not in here:
            refused.append(f"{name} is expected to be {type_}, and is not there")
        elif name not in types:
            refused.append(f"{name} is expected to be {type_}, and is computed by select")
        elif types[name] != type_:
            refused.append(f"{name} is expected to be {type_}, and is {types[name]}")
    besides = {name: None for name in (column.field for column in columns) if name not in expect}
    if rules.columns == "freeze":
        refused += [f"{name} is there, and is not expected" for name in besides]
    if rules.columns == "discard":
        refused += [
            f"{name} is part of the key or the cursor, and is not expected" for name in besides if name in rules.fixed
        ]
    if refused:
        raise _changed(refused, rules, where)
    return tuple(column for column in columns if rules.columns != "discard" or column.field in expect)


_ADVICE: Mapping[Columns, str] = {
    "evolve": "Change the table, load into another one, or leave fields out by select",
    "freeze": 'Change the table, or what may change: columns="evolve" adds and widens columns, columns="discard" '
    "leaves fields out",
    "discard": "Change the table, or load into another one",
}


def _changed(differences: Sequence[str], rules: Rules, where: str | None) -> OdsColumnsChanged:
    what = f"the columns changed, and nothing was loaded: {'; '.join(differences)}"
    return OdsColumnsChanged(what, where=where, advice=_ADVICE[rules.columns])


@dataclass(slots=True)
class _Seen:
    """What was found so far, column by column."""

    rules: Rules
    columns: list[Column] = field(default_factory=list)
    add: list[Column] = field(default_factory=list)
    widen: list[Column] = field(default_factory=list)
    left_out: list[Column] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def expect_fixed(self, columns: Sequence[Column]) -> None:
        missing = self.rules.fixed - {column.field for column in columns}
        self.refused += [f"{name} is part of the key or the cursor, and is gone" for name in sorted(missing)]

    def compare(self, columns: Sequence[Column], standing: Sequence[StandingColumn]) -> None:
        key = self.rules.key
        there = {key(each.name): each for each in standing}
        here = {key(column.name) for column in columns}
        ours = {key(name) for name in self.rules.ours}
        gone = [each for each in standing if key(each.name) not in here | ours]
        new = [column for column in columns if key(column.name) not in there]
        for column in columns:
            if known := there.get(key(column.name)):
                # As the table spells it.
                self._known(replace(column, name=known.name), known)
            else:
                self._new(column)
        for each in gone:
            self._gone(each, new, gone)

    def _new(self, column: Column) -> None:
        what = f"{_named(column)} ({column.kind}) is new"
        if self.rules.columns == "freeze":
            self.refused.append(what)
        elif self.rules.columns == "discard":
            self._leave(column, what)
        else:
            self.columns.append(column)
            self.add.append(column)
            self.told.append(f"{what} and was added")

    def _known(self, column: Column, known: StandingColumn) -> None:
        if column.kind in known.takes:
            self.columns.append(column)
            return
        what = f"{_named(column)} is {column.kind} now, and its column is {known.type}"
        other = next((kind for kind in RECAST.get(column.kind, ()) if kind in known.takes), None)
        if self.rules.columns == "freeze":
            self.refused.append(what)
        elif other:
            self.columns.append(replace(column, kind=other))
            self.told.append(f"{what}: it is kept as {other}")
        elif self.rules.columns == "discard":
            self._leave(column, what)
        elif self.rules.widens and self._is_wider(column.kind, known):
            self.columns.append(column)
            self.widen.append(column)
            self.told.append(f"{what}: the column was widened")
        else:
            self.refused.append(f"{what}: it cannot be both without loss")

    def _is_wider(self, kind: Kind, known: StandingColumn) -> bool:
        holds = _WIDER.get(kind, frozenset())
        if kind == "double" and self.rules.replaces:
            holds = frozenset({"int", "double"})
        return bool(known.takes) and known.takes <= holds

    def _leave(self, column: Column, what: str) -> None:
        if column.field in self.rules.fixed:
            self.refused.append(f"{what}: it is part of the key or the cursor, and cannot be left out")
        else:
            self.left_out.append(column)
            self.told.append(f"{what}: it was left out")

    def _gone(self, known: StandingColumn, new: Sequence[Column], gone: Sequence[StandingColumn]) -> None:
        what = f"{known.name} ({known.type}) is gone"
        if now := _successor(known, new, gone, self.rules):
            what += f", and {now.name} is new and of its type: perhaps it was renamed"
        if known.required:
            self.refused.append(f"{what}; the table demands a value")
        elif self.rules.columns == "freeze":
            self.refused.append(what)
        else:
            self.vanished.append(known.name)
            self.told.append(f"{what}; its column stays, empty in new rows")


def _named(column: Column) -> str:
    return column.name if column.name == column.field else f"{column.name} (of {column.field})"


def _successor(
    known: StandingColumn, new: Sequence[Column], gone: Sequence[StandingColumn], rules: Rules
) -> Column | None:
    """Return the new column that a vanished one probably is now: the only one of its type, or the one labelled so."""
    alike = [column for column in new if column.kind in known.takes]
    if labelled := [column for column in alike if column.label and rules.key(column.label) == rules.key(known.name)]:
        return labelled[0]
    rivals = [each for each in gone if alike and alike[0].kind in each.takes]
    return alike[0] if len(alike) == len(rivals) == 1 else None
