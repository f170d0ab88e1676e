"""Batches of an export made batches of a table: what cannot be read without loss is an error that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ods_provider.core.errors import OdsError
from ods_provider.core.legible import legible
from ods_provider.core.schema import Field
from ods_provider.tables.arrow import Array, DataType, pa
from ods_provider.tables.columns import Column, Form, Kind, arrow_schema, arrow_type
from ods_provider.tables.geometries import read_shapes
from ods_provider.tables.jsontexts import Several, read_json
from ods_provider.tables.points import read_points, written_points
from ods_provider.tables.portaltypes import is_computed, is_text, parts_of, plain_type, precision
from ods_provider.tables.recasting import recast
from ods_provider.tables.scalars import (
    Read,
    plain,
    read_bool,
    read_date,
    read_datetime,
    read_decimal,
    read_double,
    read_int,
    read_text,
)

_SHOWN_CHARS = 80
_FORMS: dict[Form, Kind] = {"lon": "double", "lat": "double", "wkt": "text", "geojson": "json", "wkb": "geometry"}
_READS: dict[Kind, Read] = {
    "text": read_text,
    "int": read_int,
    "double": read_double,
    "decimal": read_decimal,
    "bool": read_bool,
    "datetime": read_datetime,
    "json": read_json,
}
# What Arrow and JSON raise at values that they cannot read; shapely's own is known by its name only.
_UNREADABLE = (ValueError, TypeError, OverflowError, RecursionError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class _Source:
    """A column of the export: where it is, its type there, what the portal calls it, and what it becomes."""

    name: str
    type: DataType
    called: str
    columns: tuple[Column, ...]
    read: Callable[[Array], Sequence[Array]]


class Converter:
    """Converts the batches of one export, one after another.

    Args:
        fields: Of the dataset, as ``columns_of`` was given them.
        exported: The schema of the export.
        columns: What the table takes: those of ``columns_of``, without some, or of another kind that ``recasting`` can
            make of theirs.
        where: The dataset, for messages.
    """

    def __init__(
        self, fields: Iterable[Field], exported: Any, columns: Sequence[Column], *, where: str | None = None
    ) -> None:
        known = {field.name: field for field in fields}
        self.schema = arrow_schema(tuple(columns))
        self._where, self._done_rows = where, 0
        self._sources = [
            _source(known.get(name), exported.field(name), tuple(parts))
            for name, parts in groupby(columns, key=lambda column: column.field)
        ]

    def convert(self, batch: Any) -> Any:
        """Return the rows of a batch as the table takes them.

        Raises:
            OdsError: A value cannot be read without loss: which, in which record (the first is 0) and field.
            OdsConfigError: A package is not installed that such places need.
        """
        found: list[Array] = []
        for source in self._sources:
            position = batch.schema.get_field_index(source.name)
            if position < 0 or batch.schema.field(position).type != source.type:
                raise OdsError(
                    f"the field {source.name} is missing from a part of the export, or of another type there",
                    where=self._where,
                    advice="Download the parts anew: the dataset changed between them",
                )
            array = batch.column(position)
            try:
                found += source.read(array)
            except Exception as error:
                if not _is_unreadable(error):
                    raise
                raise self._refused(source, array) from None
        self._done_rows += batch.num_rows
        return pa.RecordBatch.from_arrays(found, schema=self.schema)

    def _refused(self, source: _Source, array: Array) -> OdsError:
        place, why = _first_unreadable(source.read, array)
        try:
            value = repr(array[place].as_py())
        except (ValueError, OverflowError, ImportError):  # a text that is no UTF-8, a moment that Python has not
            value = f"a {array.type}"
        shown = legible(value, most_chars=_SHOWN_CHARS)
        return OdsError(
            f"record {self._done_rows + place}, field {source.name}: {shown} is no {source.called} that can be kept "
            f"as {source.columns[0].kind} without loss: {why}",
            where=self._where,
            advice="Leave the field out by select, or have the portal's publisher correct the value or the field's "
            "type; what a select computes needs a name that no field has",
        )


def _is_unreadable(error: Exception) -> bool:
    if isinstance(error, OdsError):
        return False
    return isinstance(error, _UNREADABLE) or type(error).__module__.startswith("shapely")


def _first_unreadable(read: Callable[[Array], Any], array: Array) -> tuple[int, str]:
    """Return where the first value stands that cannot be read, and why; halving finds it among many."""
    start, rows = 0, len(array)
    while rows > 1:
        half = rows // 2
        if _reason(read, array.slice(start, half)) is None:
            start, rows = start + half, rows - half
        else:
            rows = half
    return start, _reason(read, array.slice(start, rows)) or "it does not fit the others"


def _reason(read: Callable[[Array], Any], array: Array) -> str | None:
    try:
        read(array)
    except Exception as error:
        if not _is_unreadable(error):
            raise
        return legible(str(error), most_chars=200)
    return None


def _source(field: Field | None, exported: Any, columns: tuple[Column, ...]) -> _Source:
    type_ = plain_type(exported.type)
    if is_computed(field, exported.type):
        field = None
    called = field.type if field else str(type_)
    if field and columns[0].form:
        return _Source(exported.name, exported.type, called, columns, _places(field, exported, columns))
    read = _values(field, type_, columns[0].kind)
    return _Source(exported.name, exported.type, called, columns, read)


def _values(field: Field | None, type_: DataType, to: Kind) -> Callable[[Array], Sequence[Array]]:
    ((_, kind),) = parts_of(field, type_, "lonlat")
    if pa.types.is_null(type_):
        return lambda array: [pa.nulls(len(array), arrow_type(to))]
    read = _READS.get(kind, _as_it_is)
    if kind == "json" and field and field.multivalued and is_text(type_):
        read = Several(field.annotations.get("multivalued"))
    elif kind == "date":
        read = read_date(precision(field))
    return lambda array: [recast(read(plain(array)), kind, to)]


def _as_it_is(array: Array) -> Array:
    return array


def _places(field: Field, exported: Any, columns: tuple[Column, ...]) -> Callable[[Array], Sequence[Array]]:
    longitude_first = b"geoarrow.point" in (exported.metadata or {}).values()

    def shapes(array: Array) -> list[Array]:
        shaped = plain(array)
        return [recast(read_shapes(shaped, each.form), _FORMS[each.form], each.kind) for each in columns]

    def points(array: Array) -> list[Array]:
        lon, lat = read_points(plain(array), longitude_first=longitude_first)
        axes: dict[Form, Array] = {"lon": lon, "lat": lat}
        if len(columns) == 1 and columns[0].form not in axes:
            axes[columns[0].form] = written_points(lon, lat, columns[0].form)
        return [recast(axes[each.form], _FORMS[each.form], each.kind) for each in columns]

    return shapes if field.type == "geo_shape" else points
