"""One run: all resources of a dataset into one new table.

Source: Automation API v1.0, resources (the first decides of the schema), processors, fields, limits, errors of records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from ods_provider.testing.backoffice.extraction import inferring, jsonfile, processors, sources
from ods_provider.testing.backoffice.extraction.casting import cast, record_id, unfit
from ods_provider.testing.backoffice.extraction.configuring import Configured, configured
from ods_provider.testing.backoffice.extraction.kept import Base
from ods_provider.testing.backoffice.extraction.raw import Raw, RawField, selected
from ods_provider.testing.backoffice.extraction.sources import Source
from ods_provider.testing.backoffice.trouble import ExtractionError
from ods_provider.testing.schema import Column, quoted

Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """What a run does: the configuration as it was when it began.

    Attributes:
        base: Rows that are here already, where there is no source.
        bootstrap: An example of what will be pushed, where there are no rows either: its fields, and no record.
    """

    sources: Sequence[Source]
    processors: Steps
    fields: Steps
    base: Base | None = None
    bootstrap: Any = None
    typed_by_rows: int = 1000
    most_rows: int | None = None
    most_errors: int = 1000


@dataclass
class Extracted:
    """What came of it: fields, and a table that is filled."""

    columns: list[Column]
    configured: list[Configured]
    raw_fields: tuple[RawField, ...]
    rows: int = 0
    records_errors: list[dict[str, Any]] = field(default_factory=list)
    rows_found: int | None = None  # where there were more than may be


def extract(recipe: Recipe, table: str, cursor: duckdb.DuckDBPyConnection) -> Extracted:
    """Fill a new table.

    Args:
        recipe: What to do.
        table: Its name, quoted; it must not exist.
        cursor: Of the database that will hold it.

    Raises:
        ExtractionError: A source cannot be read, or a step cannot be run. The table may then exist, or not.
    """
    with TemporaryDirectory(prefix="ods-portal-run-") as folder:
        try:
            return _extract(recipe, table, cursor, Path(folder))
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise ExtractionError(f"The source cannot be read: {str(error).splitlines()[0]}") from None


def preview(recipe: Recipe, cursor: duckdb.DuckDBPyConnection, *, rows: int = 20) -> tuple[list[Column], list[Any]]:
    """Return the fields and the first records, as JSON holds them.

    Raises:
        ExtractionError: As of a run.
    """
    with TemporaryDirectory(prefix="ods-portal-run-") as folder:
        try:
            raw = _raw(recipe, Path(folder), cursor)
            types = inferring.types(raw, cursor, rows=recipe.typed_by_rows)
            made = configured(raw.fields, recipe.fields)
            columns = [one.column(types[one.source]) for one in made]
            found = cursor.execute(f"SELECT * FROM ({raw.sql}) LIMIT {int(rows)}").fetchall()  # noqa: S608  quoted names
        except duckdb.Error as error:
            raise ExtractionError(f"The source cannot be read: {str(error).splitlines()[0]}") from None
    names = [one.name for one in raw.fields]
    records = [dict(zip(names, row, strict=True)) for row in found]
    return columns, [{one.name: record[one.source] for one in made} for record in records]


def _raw(recipe: Recipe, scratch: Path, cursor: Any) -> Raw:
    raws = []
    for number, source in enumerate(recipe.sources):
        own = scratch / str(number)
        own.mkdir()
        raws.append(sources.read(source, own, cursor))
    if not raws:
        raws.append(recipe.base.raw() if recipe.base else _bootstrapped(recipe.bootstrap, scratch, cursor))
    fields = raws[0].fields
    # Unknown fields of later ones are dropped.
    parts = [
        selected(fields, [quoted(one.name) if raw.pick(one.name) else "NULL" for one in fields], f"({raw.sql})")
        for raw in raws
    ]
    if len(parts) > 1:
        raws[0] = Raw(" UNION ALL ".join(parts), fields)
    return processors.applied(raws[0], recipe.processors)


def _bootstrapped(example: Any, scratch: Path, cursor: Any) -> Raw:
    told = json.loads(example) if isinstance(example, str) and example.strip() else example
    records = told if isinstance(told, list) else [told]
    if not all(isinstance(record, dict) and record for record in records):
        raise ExtractionError("The dataset has no source")
    raw = jsonfile.written(records, scratch / "bootstrap.jsonl", cursor)
    # Its fields are wanted, with the types that the example shows; it is no record itself.
    types = inferring.types(raw, cursor, rows=len(records))
    fields = tuple(replace(one, natural=types[one.name]) for one in raw.fields)
    return Raw(f"SELECT * FROM ({raw.sql}) WHERE false", fields)  # noqa: S608  made of quoted names


def _extract(recipe: Recipe, table: str, cursor: Any, scratch: Path) -> Extracted:
    raw = _raw(recipe, scratch, cursor)
    types = inferring.types(raw, cursor, rows=recipe.typed_by_rows)
    made = configured(raw.fields, recipe.fields)
    if not made:
        raise ExtractionError("The dataset has no field")
    columns = [one.column(types[one.source]) for one in made]
    cells = [cast(quoted(one.source), column) for one, column in zip(made, columns, strict=True)]
    shown = ", ".join(f"{cell} AS {quoted(one.name)}" for cell, one in zip(cells, made, strict=True))
    limit = "" if recipe.most_rows is None else f" LIMIT {int(recipe.most_rows)}"
    typed = f"SELECT {shown} FROM ({raw.sql}){limit}"  # noqa: S608  made of quoted names
    names = ", ".join(quoted(column.name) for column in columns)
    cursor.execute(f'CREATE TABLE {table} AS SELECT {record_id(columns)} AS "$id", {names} FROM ({typed})')  # noqa: S608
    extracted = Extracted(columns, made, raw.fields)
    extracted.records_errors = _errors(recipe, raw, made, columns, cursor)
    if recipe.most_rows is not None:
        found = _one(cursor, f"SELECT count(*) FROM ({raw.sql})")  # noqa: S608  as above
        extracted.rows_found = found if found > recipe.most_rows else None
    extracted.rows = _unique(table, cursor)
    return extracted


def _unique(table: str, cursor: Any) -> int:
    """Leave one row of each id, the last, and return how many there are (Q12)."""
    # Numbers first: they need a fraction of the memory, and as many of them as rows means that no two ids are alike.
    counted = f'SELECT count(*), count(DISTINCT hash("$id")) FROM {table}'  # noqa: S608  quoted
    rows, ids = cursor.execute(counted).fetchone()
    if rows > ids:
        last = f'SELECT max(rowid) FROM {table} GROUP BY "$id"'  # noqa: S608  as above
        cursor.execute(f"DELETE FROM {table} WHERE rowid NOT IN ({last})")  # noqa: S608  as above
        ids = _one(cursor, f"SELECT count(*) FROM {table}")  # noqa: S608  as above
    return int(ids)


def _errors(
    recipe: Recipe, raw: Raw, made: list[Configured], columns: list[Column], cursor: Any
) -> list[dict[str, Any]]:
    pairs = [
        (one, column, unfit(quoted(one.source), cast(quoted(one.source), column)))
        for one, column in zip(made, columns, strict=True)
        if column.type != "text" and not column.multivalued
    ]
    if not pairs or recipe.most_errors <= 0:
        return []
    counts = ", ".join(f"count(*) FILTER (WHERE {lost})" for _, _, lost in pairs)
    lost_cells = cursor.execute(f"SELECT {counts} FROM ({raw.sql})").fetchone()  # noqa: S608  made of quoted names
    values = ", ".join(f"{cast(quoted(one.source), column)} AS {quoted(one.name)}" for one, column in
                       zip(made, columns, strict=True))  # fmt: skip
    found: list[dict[str, Any]] = []
    for (one, column, lost), count in zip(pairs, lost_cells, strict=True):
        left = recipe.most_errors - len(found)
        if not count or left <= 0:
            continue
        inner = f'SELECT {values}, {quoted(one.source)} AS "$raw" FROM ({raw.sql}) WHERE {lost} LIMIT {left}'  # noqa: S608
        rows = cursor.execute(f'SELECT {record_id(columns)}, "$raw" FROM ({inner})').fetchall()  # noqa: S608  as above
        found += [
            {
                "record_id": key,
                "field_uid": one.name,
                "processor_uid": one.typed_by,
                "message": f'Cannot convert "{value}" to "{column.type}"',
            }
            for key, value in rows
        ]
    return found


def _one(cursor: Any, sql: str) -> int:
    (found,) = cursor.execute(sql).fetchone()
    return int(found)
