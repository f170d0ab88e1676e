"""Any rows of any schema, in any spelling, through a Parquet file: the table holds the values that went in.

What is expected is told of the values themselves; the spellings are made here, and what is written is read back by
readers of others: Python's json, and shapely.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from hypothesis import given
from hypothesis import strategies as st
from tables_values import converted

from ods_provider.core.schema import Field

INT64 = st.integers(-(2**63), 2**63 - 1)
INT53 = st.integers(-(2**53), 2**53)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DOUBLE = st.floats(allow_nan=False)
AXIS = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
MOMENT = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
SECOND = MOMENT.map(lambda at: at.replace(microsecond=0))
JSON = st.recursive(
    st.none() | st.booleans() | INT64 | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(TEXT, inside, max_size=2),
    max_leaves=4,
)
SHAPE = st.one_of(
    AXIS.map(lambda at: {"type": "Point", "coordinates": list(at)}),
    st.lists(AXIS, min_size=2, max_size=4).map(
        lambda line: {"type": "LineString", "coordinates": [list(at) for at in line]}
    ),
)


def _same(value: Any) -> Any:
    return value


def _lat_lon(at):
    return f"{at[1]!r}, {at[0]!r}"


def _geojson(at):
    return json.dumps({"type": "Point", "coordinates": list(at)})


def _feature(shape):
    return json.dumps({"type": "Feature", "geometry": shape, "properties": {}})


def _paris(at):
    return (at + timedelta(hours=2)).replace(tzinfo=None).isoformat() + "+02:00"


# By field type: its values, and its spellings, each an Arrow type and what writes a value so.
SPELLINGS: dict[str, list[tuple[Any, pa.DataType, Any]]] = {
    "text": [(TEXT, pa.string(), _same), (TEXT, pa.large_string(), _same),
             (TEXT, pa.dictionary(pa.int8(), pa.string()), _same)],
    "int": [(INT64, pa.int64(), _same), (INT53, pa.float64(), float), (INT64, pa.string(), str)],
    "double": [(DOUBLE, pa.float64(), _same), (DOUBLE, pa.string(), repr)],
    "boolean": [(st.booleans(), pa.bool_(), _same), (st.booleans(), pa.string(), lambda value: str(value).lower())],
    "date": [(st.dates(), pa.date32(), _same), (st.dates(), pa.string(), date.isoformat),
             (st.dates(date(1700, 1, 1), date(2200, 1, 1)), pa.timestamp("ms", "UTC"),
              lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))],
    "datetime": [(SECOND, pa.timestamp("ms", "UTC"), _same),
                 (MOMENT, pa.timestamp("us"), lambda at: at.replace(tzinfo=None)),
                 (MOMENT, pa.string(), datetime.isoformat), (SECOND, pa.string(), _paris)],
    "geo_point_2d": [
        (AXIS, pa.struct({"lon": pa.float64(), "lat": pa.float64()}), lambda at: {"lon": at[0], "lat": at[1]}),
        (AXIS, pa.struct({"lat": pa.float64(), "lon": pa.float64()}), lambda at: {"lon": at[0], "lat": at[1]}),
        (AXIS, pa.list_(pa.float64()), lambda at: [at[1], at[0]]),
        (AXIS, pa.string(), _lat_lon), (AXIS, pa.string(), _geojson),
        (AXIS, pa.binary(), lambda at: shapely.to_wkb(shapely.Point(at))),
    ],
    "geo_shape": [(SHAPE, pa.string(), json.dumps), (SHAPE, pa.string(), _feature),
                  (SHAPE, pa.binary(), lambda shape: shapely.to_wkb(shapely.from_geojson(json.dumps(shape))))],
    "json_blob": [(JSON, pa.string(), lambda value: json.dumps(value, ensure_ascii=False)),
                  (JSON, pa.string(), json.dumps)],
    "file": [(TEXT, pa.struct({"filename": pa.string()}), lambda name: {"filename": name})],
    "several": [(st.lists(TEXT, max_size=3), pa.list_(pa.string()), _same)],
}  # fmt: skip


@st.composite
def exports(draw):
    """A dataset's fields, its rows as values, and its export."""
    rows = draw(st.integers(0, 4))
    fields, values, columns = [], [], []
    for number in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(sorted(SPELLINGS)))
        given_values, type_, write = draw(st.sampled_from(SPELLINGS[name]))
        column = draw(st.lists(st.none() | given_values, min_size=rows, max_size=rows))
        several = {"multivalued": ";"} if name == "several" else {}
        fields.append(Field(f"f{number}", "text" if several else name, annotations=several))
        values.append(column)
        columns.append(pa.array([None if value is None else write(value) for value in column], type_))
    table = pa.table(columns, [field.name for field in fields])
    return fields, values, table


def _geometry(field: Field, value: Any) -> Any:
    if value is None:
        return None
    return shapely.Point(value) if field.type == "geo_point_2d" else shapely.from_geojson(json.dumps(value))


def _read(field: Field, geo: str, found: dict[str, list[Any]]) -> list[Any]:
    """The values that the table holds of a field, read by readers of others."""
    if field.type in ("geo_point_2d", "geo_shape"):
        read = {"wkt": shapely.from_wkt, "postgis": shapely.from_wkb}.get(geo, shapely.from_geojson)
        return [read(value) for value in found[field.name]]
    if field.type in ("json_blob", "file") or field.multivalued:
        return [None if value is None else json.loads(value) for value in found[field.name]]
    return found[field.name]


@given(exports(), st.sampled_from(["lonlat", "wkt", "geojson", "postgis"]))
def test_what_went_in_is_what_the_table_holds(export, geo):
    fields, values, table = export
    file = io.BytesIO()
    pq.write_table(table, file)
    converted_table = converted(fields, pq.read_table(file), geo)
    converted_table.validate(full=True)
    found = converted_table.to_pydict()
    for field, column in zip(fields, values, strict=True):
        if field.type == "geo_point_2d" and geo == "lonlat":
            for axis, place in (("lon", 0), ("lat", 1)):
                assert found[f"{field.name}_{axis}"] == [at and at[place] for at in column]
        elif field.type in ("geo_point_2d", "geo_shape"):
            assert _read(field, geo, found) == [_geometry(field, value) for value in column]
        elif field.type == "json_blob":
            # A null of JSON is a text of JSON, and no null of the table.
            assert _read(field, geo, found) == column
        elif field.type == "file":
            assert _read(field, geo, found) == [None if name is None else {"filename": name} for name in column]
        else:
            assert _read(field, geo, found) == column
