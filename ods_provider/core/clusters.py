"""Clusters of points on a map, asked for and read in one shape, on either API.

A row of a cluster is ``{"cluster_center": {"lon", "lat"}, …}`` with the aggregates beside it, and ``cluster``, the
GeoJSON of its outline, where the portal gives one.

Source: ODSQL reference, ``geo_cluster``; Q22 (coordinates change their order from format to format).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsNotAPortal
from ods_provider.core.odsql import identifier

KEY = "ods_cluster"
MOST_ZOOM = 25
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GeoCluster:
    """What to cluster: a field of points, the zoom (0 the world, 25 a house), and the radius in pixels."""

    field: str
    zoom: float
    radius: float | None = None

    @classmethod
    def of(cls, given: Any) -> GeoCluster | None:
        """Return the cluster that ``{"field": "coordinates", "zoom": 6, "radius": 40}`` asks for; None stays None.

        Raises:
            OdsConfigError: It is no such mapping; the message says what is wrong.
        """
        if given is None or given == "":
            return None
        known = {"field", "zoom", "radius"}
        if not isinstance(given, Mapping) or not {"field", "zoom"} <= set(given) <= known:
            raise _bad(f"geo_cluster={given!r} is not a mapping of field, zoom and, optionally, radius")
        radius = given.get("radius")
        return cls(
            identifier(str(given["field"])),
            _within("zoom", given["zoom"], MOST_ZOOM),
            None if radius in (None, "") else _within("radius", radius, 10_000),
        )

    def group_by(self) -> str:
        """Return it as a ``group_by`` clause."""
        radius = "" if self.radius is None else f", {self.radius:g}"
        return f"geo_cluster({self.field}, {self.zoom:g}{radius}) as {KEY}"


def _within(name: str, value: Any, most: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= most or isinstance(value, bool):
        raise _bad(f"{name}={value!r} is not a number from 0 to {most}")
    return number


def _bad(what: str) -> OdsConfigError:
    return OdsConfigError(
        what, where="argument geo_cluster", advice='Pass {"field": "coordinates", "zoom": 6, "radius": 40}'
    )


def cluster_rows(rows: Iterable[Row], *, where: str) -> list[Row]:
    """Return groups of ``geo_cluster`` with their centre under ``cluster_center``; points without a place are left out.

    Raises:
        OdsNotAPortal: A group has no centre that can be found.
    """
    made = []
    for row in rows:
        rest = {name: value for name, value in row.items() if name != KEY}
        value = row.get(KEY)
        if value is None and "cluster_center" not in rest:
            continue
        center = _found(value) or _found(rest.get("cluster_center"))
        if center is None:
            raise OdsNotAPortal(
                f"A cluster has no centre: {str(value)[:100]}", status=200, where=where, advice="Group by another field"
            )
        outline = value.get("cluster") if isinstance(value, Mapping) else None
        made.append({"cluster_center": center, **({"cluster": outline} if outline else {}), **rest})
    return made


def _found(value: Any) -> dict[str, float] | None:
    try:
        center = _center(value)
        # A text may say "nan", which no file of JSON holds.
        return center if center and all(map(isfinite, center.values())) else None
    except (TypeError, ValueError, LookupError, OverflowError, RecursionError):  # shaped like none of them
        return None


def _center(value: Any) -> dict[str, float] | None:
    """Return a point as lon and lat, from whichever of the spellings that portals have for one."""
    if isinstance(value, Mapping):
        if "lon" in value and "lat" in value:
            return {"lon": float(value["lon"]), "lat": float(value["lat"])}
        if "coordinates" in value:
            return _middle(value["coordinates"])
        for name in ("cluster_center", "cluster_centroid", "center", "geometry", "cluster"):
            found = _center(value.get(name))
            if found:
                return found
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return {"lon": float(value[1]), "lat": float(value[0])}
    return None


def _middle(coordinates: Any) -> dict[str, float] | None:
    """Return the middle of a geometry's extent: of a point, the point."""
    points = list(_points(coordinates))
    if not points:
        return None
    lons, lats = zip(*points, strict=True)
    return {"lon": (min(lons) + max(lons)) / 2, "lat": (min(lats) + max(lats)) / 2}


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    if coordinates and isinstance(coordinates[0], (int, float)):
        yield float(coordinates[0]), float(coordinates[1])
        return
    for part in coordinates:
        yield from _points(part)


def feature_collection(rows: Iterable[Row]) -> dict[str, Any]:
    """Return clusters as GeoJSON: a point each, its aggregates as properties; an outline stays a property."""
    features = []
    for row in rows:
        center = row["cluster_center"]
        properties = {name: value for name, value in row.items() if name != "cluster_center"}
        geometry = {"type": "Point", "coordinates": [center["lon"], center["lat"]]}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    return {"type": "FeatureCollection", "features": features}
