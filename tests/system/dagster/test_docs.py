"""docs/dagster.md: its examples stand in one file, which is loaded and made here as they stand."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "dagster.md").read_text()


@pytest.fixture
def example(portal, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODS_HOST", portal.netloc)
    monkeypatch.setenv("ODS_API_KEY", portal.api_key)
    spec = importlib.util.spec_from_file_location("portal_example", ROOT / "docs" / "examples" / "dagster_portal.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_block_of_code_is_cut_from_the_example():
    assert PAGE.count("```python") == PAGE.count("<!-- example: docs/examples/dagster_portal.py") == 9


@pytest.mark.parametrize(
    ("name", "partition"),
    [
        ("world_capitals", None),
        ("large_capitals", None),
        ("synthetic_rows", "2026-01-01"),
        ("capitals_of_a_continent", "Africa"),
        ("newest_rows", None),
        ("capitals_by_zone", None),
        ("landmark_photos_files", None),
    ],
)
def test_an_asset_of_the_page_is_made(example, instance, name, partition):
    result = example.defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, partition_key=partition, asset_selection=[_key(example, name)]
    )
    (made,) = result.get_asset_materialization_events()
    rows = made.materialization.metadata.get("dagster/row_count") or made.materialization.metadata["files"]
    assert rows.value > 0


def test_what_is_pushed_arrives(example, instance, portal, monkeypatch):
    portal_with_key = example.OdsResource(host=portal.netloc, api_key=portal.api_key, push_api_key=portal.push_key)
    assets = [example.readings, example.on_the_portal.asset, example.sent]
    result = example.Definitions(assets=assets, resources={"ods": portal_with_key})
    assert result.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance).success
    assert {"s-1", "count"} <= {row["sensor_id"] for row in portal.rows("live-readings")}


def test_the_job_of_the_page_takes_its_dataset_from_the_config(example, instance, tmp_path):
    config = {"ops": {"ods_download": {"config": {"dataset_id": "world-capitals", "path": str(tmp_path / "x.csv")}}}}
    bring = example.defs.resolve_job_def("bring")
    assert bring.execute_in_process(run_config=config, instance=instance).success
    assert (tmp_path / "x.csv").read_text().count("\n") > 100


def test_the_settings_of_the_page_are_settings_of_an_instance(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert yaml.safe_load(block)["run_retries"]["enabled"]
    (tmp_path / "dagster.yaml").write_text(block)
    with DagsterInstance.from_config(str(tmp_path)) as made:
        assert made.run_retries_enabled and made.run_retries_max_retries == 2


def _key(example, name):
    return next(key for key in example.defs.resolve_all_asset_keys() if key.path[-1] == name)
