"""All cities of GeoNames, and every type of field in every form of places, through the job into every database."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pyarrow.parquet as pq
import pytest
import shapely
from deltalake import DeltaTable
from lab import Lab
from mariadb import mariadb
from pyiceberg.catalog.sql import SqlCatalog
from pymysql import connect

from ods_provider.errors import OdsConfigError
from ods_provider.jobs.arguments import load_job
from ods_provider.tables.engines.registry import engine_of
from ods_provider.tables.urls import target_of
from ods_provider.testing.datasets.geonames import DATASET_ID
from ods_provider.testing.portal import LocalPortal

KINDS = ["postgresql", "mysql", "duckdb", "sqlite", "delta", "iceberg", "folder"]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> Iterator[LocalPortal]:
    with LocalPortal(datasets="demo", api_key="world-key") as portal:
        yield portal


@pytest.fixture(scope="module")
def maria() -> Iterator[str]:
    with mariadb() as url:
        yield url


@pytest.fixture
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of the kind."""
    kind = request.param
    if kind == "postgresql":
        return request.getfixturevalue("database").url
    if kind == "mysql":
        return request.getfixturevalue("maria")
    return {
        "duckdb": f"duckdb:///{tmp_path}/city.duckdb",
        "sqlite": f"sqlite:///{tmp_path}/city.db",
        "delta": f"file://{tmp_path}/lake?format=delta",
        "iceberg": f"file://{tmp_path}/lake?format=iceberg",
        "folder": f"file://{tmp_path}/lake",
    }[kind]


def rows_of(destination: str, table: str) -> list[Row]:
    """Read a table by other means than ours."""
    kind = destination.partition(":")[0]
    if kind == "postgresql":
        with psycopg2.connect(destination, options="-c TimeZone=UTC") as link, link.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            return [dict(zip([each[0] for each in cursor.description], row, strict=True)) for row in cursor]
    if kind == "mysql":
        target = target_of(destination).url.reveal()
        host, _, port = target.partition("@")[2].partition("/")[0].partition(":")
        link = connect(host=host, port=int(port), user="root", database="city", charset="utf8mb4")
        with link, link.cursor() as cursor:
            cursor.execute(f"SELECT * FROM `{table}`")
            return [dict(zip([each[0] for each in cursor.description], row, strict=True)) for row in cursor]
    path = destination.partition("://")[2].partition("?")[0]
    if kind == "file" and destination.endswith("delta"):
        return DeltaTable(f"{path}/{table}").to_pyarrow_table().to_pylist()
    if kind == "file" and destination.endswith("iceberg"):
        with SqlCatalog("default", uri=f"sqlite:///{path}/_iceberg_catalog.db") as catalog:
            return catalog.load_table(("default", table)).scan().to_arrow().to_pylist()
    if kind == "file":
        return [row for part in sorted(Path(path, table).glob("*.parquet")) for row in pq.read_table(part).to_pylist()]
    if kind == "duckdb":
        with duckdb.connect(path[1:], read_only=True) as link:
            return link.sql(f'SELECT * FROM "{table}"').to_arrow_table().to_pylist()
    with contextlib.closing(sqlite3.connect(path[1:])) as link:
        link.row_factory = sqlite3.Row
        return [dict(row) for row in link.execute(f'SELECT * FROM "{table}"')]


def plain(value: Any) -> Any:
    """Return a value as every database can be asked to show it: moments in UTC, what is nested as JSON."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return json.dumps(value) if isinstance(value, dict | list) else value


def said(value: Any, like: Any) -> Any:
    """Return what a database shows of ``like``, as ``like`` is."""
    value = plain(value)
    if isinstance(like, dict | list) and isinstance(value, str | bytes):
        return json.loads(value)
    if isinstance(like, bool) and value is not None:
        return bool(value)
    if isinstance(like, datetime) and isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(like, date) and isinstance(value, str):
        return date.fromisoformat(value)
    return value


@pytest.mark.parametrize("destination", KINDS, indirect=True)
def test_every_city_arrives_as_the_portal_has_it(world: LocalPortal, destination: str, tmp_path: Path) -> None:
    lab = Lab(world.url, tmp_path, api_key="world-key")
    done = lab.done(load_job(dataset_id=DATASET_ID, table="cities", destination=destination))
    wanted = {row["geoname_id"]: row for row in world.rows(DATASET_ID)}
    assert done["rows"] == done["table_rows"] == len(wanted) > 69_000
    found = rows_of(destination, "cities")
    assert len(found) == len(wanted)
    for row in found:
        known = dict(wanted.pop(row["geoname_id"]))
        place = known.pop("coordinates")
        known |= {"coordinates_lon": place["lon"], "coordinates_lat": place["lat"]}
        told = {name: said(row[name], value) for name, value in known.items()}
        assert told == known
    assert not wanted
    if "merge" in _modes(destination):
        again = lab.done(load_job(dataset_id=DATASET_ID, table="cities", destination=destination, mode="merge"))
        assert (again["updated"] or 0, again["inserted"] or 0, again["table_rows"]) == (0, 0, len(found))


@pytest.mark.parametrize("geo", ["lonlat", "wkt", "geojson", "postgis"])
@pytest.mark.parametrize("destination", KINDS, indirect=True)
def test_every_type_and_form_of_places_arrives(world: LocalPortal, destination: str, geo: str, tmp_path: Path) -> None:
    lab = Lab(world.url, tmp_path, api_key="world-key")
    job = load_job(dataset_id="all-types", table=f"types_{geo}", destination=destination, geo=geo, select=SELECT)
    if geo == "postgis" and not _holds_places(destination):
        with pytest.raises(OdsConfigError, match="postgis"):
            lab.done(job)
        return
    assert lab.done(job)["rows"] == 12
    wanted = {row["number"]: row for row in world.rows("all-types")}
    for row in rows_of(destination, f"types_{geo}"):
        known = wanted.pop(row["number"])
        for name in SAME:
            like = plain(known[name]) if isinstance(known[name], datetime) else known[name]
            if isinstance(like, datetime):
                like = like.replace(microsecond=like.microsecond // 1000 * 1000)  # as the portal exports them
            assert said(row[name], like) == like, name
        place, area = known["place"], json.loads(known["area"]) if known["area"] else None
        assert _place(row, "place", geo, destination) == (place and (place["lon"], place["lat"]))
        shape = _shape(row["area"], geo, destination)
        assert shape is None if area is None else shape.equals(shapely.from_geojson(json.dumps(area)))
    assert not wanted


SAME = ("words", "kind", "tags", "big", "ratio", "day", "at", "open")
SELECT = "number, words, kind, tags, big, ratio, day, at, open, place, area"


def _modes(destination: str) -> tuple[str, ...]:
    return engine_of(target_of(destination), "t").can.modes


def _holds_places(destination: str) -> bool:
    return engine_of(target_of(destination), "t").can.geometry


def _place(row: Row, name: str, geo: str, destination: str) -> tuple[float, float] | None:
    if geo == "lonlat":
        return None if row[f"{name}_lon"] is None else (row[f"{name}_lon"], row[f"{name}_lat"])
    found = _shape(row[name], geo, destination)
    return None if found is None else (found.x, found.y)


def _shape(value: Any, geo: str, destination: str) -> Any:
    if value is None:
        return None
    if geo == "wkt":
        return shapely.from_wkt(value)
    if geo in ("geojson", "lonlat"):
        return shapely.from_geojson(value if isinstance(value, str) else json.dumps(value))
    if destination.startswith("mysql"):
        value = bytes(value)[4:]  # before its WKB MariaDB keeps the number of the projection
    return shapely.from_wkb(value if isinstance(value, str) else bytes(value))
