"""What a dataset's rows measure: how many there are, and where their points lie."""

from __future__ import annotations

import duckdb

from ods_provider.testing.schema import DatasetState, quoted

Extent = tuple[float, float, float, float]


def measured(cursor: duckdb.DuckDBPyConnection, state: DatasetState) -> tuple[int, Extent | None]:
    """Return the number of rows, and west, south, east and north of the points, None where there are none."""
    points = (column for column in state.columns if column.type == "geo_point_2d" and not column.multivalued)
    cell = next((quoted(point.name) for point in points), None)
    ends = [f"{how}({cell}.{axis})" for how in ("min", "max") for axis in ("lon", "lat")] if cell else []
    asked = f"SELECT {', '.join(['count(*)', *ends])} FROM {state.table}"  # noqa: S608  quoted names
    rows, *extent = cursor.execute(asked).fetchone() or (0,)
    if not extent or extent[0] is None:
        return int(rows), None
    west, south, east, north = extent
    return int(rows), (west, south, east, north)
