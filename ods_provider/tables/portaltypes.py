"""Which columns the fields of an export become: told from the portal's schema, never guessed from values.

| field type | kind of column |
|---|---|
| text | text; several values: json, a list |
| int | int (Q15) |
| double | double |
| boolean | bool |
| date | date, whatever its precision: ``2020`` is its first day, and the label tells (Q14) |
| datetime | datetime, a time without zone is UTC (Q26) |
| geo_point_2d, geo_shape | as ``geo`` says |
| file, json_blob | json |
| what a select computes, and types that are not known | as the export's Parquet file has it |

What a portal's Parquet holds for places, files, several values and dates was never recorded: each may come in any of
the spellings that its other formats have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.schema import Field
from ods_provider.tables.arrow import DataType, pa
from ods_provider.tables.columns import Column, Form, Kind
from ods_provider.tables.names import Naming

Geo = Literal["lonlat", "wkt", "geojson", "postgis"]
Part = tuple[Form, Kind]
"""A column that a field becomes: what of a place it holds, and its kind."""

_PRECISIONS = ("year", "month")
_KINDS: dict[str, Kind] = {
    "text": "text",
    "int": "int",
    "double": "double",
    "boolean": "bool",
    "date": "date",
    "datetime": "datetime",
    "file": "json",
    "json_blob": "json",
}
_POINTS: dict[Geo, tuple[Part, ...]] = {
    "lonlat": (("lon", "double"), ("lat", "double")),
    "wkt": (("wkt", "text"),),
    "geojson": (("geojson", "json"),),
    "postgis": (("wkb", "geometry"),),
}
_SHAPES: dict[Geo, tuple[Part, ...]] = {**_POINTS, "lonlat": (("geojson", "json"),)}
_AXES = {"lon": "longitude", "lat": "latitude"}
# Decimals are staged with 9 digits after the point, and their digits before it are looked at one by one.
_DECIMAL_SCALE = 9


def columns_of(
    fields: Iterable[Field], exported: Any, *, geo: Geo = "lonlat", naming: Naming | None = None
) -> tuple[Column, ...]:
    """Return the columns of a table that takes an export, in the export's order.

    Args:
        fields: Of the dataset. One whose name a select gives to something else is known by a type that the field's
            values cannot have; where the types are alike, leave the field out.
        exported: The schema of the export's Parquet file.
        geo: How places are kept: ``lonlat`` (a point is two doubles, ``<field>_lon`` and ``<field>_lat``; a shape is
            GeoJSON), ``wkt``, ``geojson`` (the geometry alone), or ``postgis`` (geometries, EPSG:4326).
        naming: What the database says of names; None for one that takes any.

    Raises:
        OdsConfigError: Two columns of the export have one name, or ``geo`` is none of these.
    """
    if geo not in get_args(Geo):
        raise OdsConfigError(
            f"geo={geo!r} is no way to keep places", advice=f"Choose one of {', '.join(get_args(Geo))}"
        )
    if twice := [name for name in exported.names if exported.names.count(name) > 1]:
        raise OdsConfigError(
            f"two columns of the export are called {twice[0]!r}", advice="Give each of them an alias in select"
        )
    known = {field.name: field for field in fields}
    columns = [
        _column(name, known.get(name), form, kind)
        for name, type_ in zip(exported.names, exported.types, strict=True)
        for form, kind in parts_of(known.get(name), type_, geo)
    ]
    return (naming or Naming()).named(columns)


def _column(name: str, field: Field | None, form: Form, kind: Kind) -> Column:
    axis = _AXES.get(form)
    label, description = (_said(field.label), _said(field.description)) if field else (None, None)
    detail = axis or (precision(field) if kind == "date" else None)
    if detail:
        label = f"{label or name} ({detail})"
    return Column(f"{name}_{form}" if axis else name, kind, name, label, description, form)


def _said(text: Any) -> str | None:
    # A label may begin with a mark of its own (Q38); nobody promises that it is text.
    return text.replace("\ufeff", "").strip() or None if isinstance(text, str) else None


def precision(field: Field | None) -> str | None:
    """Return ``year`` or ``month`` where the dates of a field are no more precise than that."""
    told = field.annotations.get("timeserie_precision") if field else None
    return told if told in _PRECISIONS else None


def parts_of(field: Field | None, exported: DataType, geo: Geo) -> tuple[Part, ...]:
    """Return the columns that a column of the export becomes.

    Args:
        field: The dataset's field of its name, if there is one.
        exported: Its type in the export.
        geo: How places are kept.
    """
    type_ = plain_type(exported)
    if field is None or not _may_be(field, type_):
        return (("", _kind_of(type_)),)
    if field.type == "geo_point_2d" and not field.multivalued:
        return _POINTS[geo]
    if field.type == "geo_shape" and not field.multivalued:
        return _SHAPES[geo]
    several = field.multivalued or (_is_nested(type_) and field.type == "text")
    return (("", "json" if several else _KINDS.get(field.type) or _kind_of(type_)),)


def foreseen(fields: Iterable[Field]) -> Any:
    """Return a schema in which an export of these fields may come, None where one is of a type that is not known."""
    types = {
        "int": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "datetime": pa.timestamp("ms", "UTC"),
    }
    found = []
    for field in fields:
        if field.type not in _KINDS and field.type not in ("geo_point_2d", "geo_shape"):
            return None
        found.append(
            pa.field(field.name, pa.list_(pa.string()) if field.multivalued else types.get(field.type, pa.string()))
        )
    return pa.schema(found)


def is_computed(field: Field | None, exported: DataType) -> bool:
    """Return whether a column of the export is no field of the dataset, though it may be called like one."""
    return field is None or not _may_be(field, plain_type(exported))


def plain_type(exported: DataType) -> DataType:
    """Return the type of the values: what dictionaries and extensions hold."""
    if isinstance(exported, pa.BaseExtensionType):
        return plain_type(exported.storage_type)
    return plain_type(exported.value_type) if pa.types.is_dictionary(exported) else exported


def is_text(type_: DataType) -> bool:
    """Return whether values of this type are texts, in any of Arrow's layouts."""
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or str(type_) == "string_view")


def is_bytes(type_: DataType) -> bool:
    """Return whether values of this type are bytes, in any of Arrow's layouts."""
    return bool(
        pa.types.is_binary(type_)
        or pa.types.is_large_binary(type_)
        or pa.types.is_fixed_size_binary(type_)
        or str(type_) == "binary_view"
    )


def is_list(type_: DataType) -> bool:
    """Return whether values of this type are lists."""
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_))


def _is_nested(type_: DataType) -> bool:
    return bool(pa.types.is_nested(type_))


def _may_be(field: Field, type_: DataType) -> bool:
    """Return whether values of a field may have come as this type."""
    is_ = pa.types
    if is_.is_null(type_) or is_text(type_):
        return True
    if field.multivalued:
        return is_list(type_)
    number = bool(is_.is_integer(type_) or is_.is_floating(type_) or is_.is_decimal(type_))
    moment = bool(is_.is_date(type_) or is_.is_timestamp(type_))
    fits = {
        "text": is_bytes(type_) or is_list(type_),
        "int": number,
        "double": number,
        "boolean": bool(is_.is_boolean(type_) or is_.is_int8(type_) or is_.is_uint8(type_)),
        "date": moment,
        "datetime": moment,
        "geo_point_2d": is_bytes(type_) or is_list(type_) or bool(is_.is_struct(type_)),
        "geo_shape": is_bytes(type_) or bool(is_.is_struct(type_)),
        "file": is_bytes(type_) or _is_nested(type_),
        "json_blob": is_bytes(type_) or _is_nested(type_),
    }
    return fits.get(field.type, True)


def _kind_of(type_: DataType) -> Kind:
    """Return the kind that holds what Arrow calls so; text holds what has none, such as times of a day."""
    is_ = pa.types
    if is_.is_decimal(type_):
        return "decimal" if 0 <= type_.scale <= _DECIMAL_SCALE else "text"
    tests: tuple[tuple[Any, Kind], ...] = (
        (is_.is_integer, "int"),
        (is_.is_floating, "double"),
        (is_.is_boolean, "bool"),
        (is_.is_date, "date"),
        (is_.is_timestamp, "datetime"),
        (_is_nested, "json"),
        (is_bytes, "binary"),
    )
    return next((kind for holds, kind in tests if holds(type_)), "text")
