"""docs/dagster.md: its examples stand in one file, which is loaded and made here as they stand."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance

from ods_provider.dagster import OdsPortalComponent

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "dagster.md").read_text()


@pytest.fixture
def example(portal, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODS_HOST", portal.netloc)
    monkeypatch.setenv("ODS_API_KEY", portal.api_key)
    monkeypatch.setenv("WAREHOUSE_URL", "duckdb:///city.duckdb")
    spec = importlib.util.spec_from_file_location("portal_example", ROOT / "docs" / "examples" / "dagster_portal.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_block_of_code_is_cut_from_the_example():
    assert PAGE.count("```python") == PAGE.count("<!-- example: docs/examples/dagster_portal.py") == 14


@pytest.mark.parametrize(
    ("name", "partition"),
    [
        ("world_capitals", None),
        ("large_capitals", None),
        ("checked_capitals", None),
        ("capitals_table", None),
        ("table_of_days", "2026-01-01"),
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


def test_the_job_in_parts_of_the_page_brings_all_rows(example, instance):
    result = example.defs.resolve_job_def("in_parts").execute_in_process(instance=instance)
    assert result.output_for_node("ods_assemble")["rows"] == 520


def test_the_settings_of_the_page_are_settings_of_an_instance(tmp_path):
    (block,) = (each for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "run_retries" in each)
    assert yaml.safe_load(block)["run_retries"]["enabled"]
    (tmp_path / "dagster.yaml").write_text(block)
    with DagsterInstance.from_config(str(tmp_path)) as made:
        assert made.run_retries_enabled and made.run_retries_max_retries == 2


def test_what_the_page_puts_together_has_one_sensor_and_the_datasets_before_it(example):
    assert [sensor.name for sensor in example.together.sensors] == ["ods_resumes"]
    assert {key.to_user_string() for key in example.together.resolve_all_asset_keys()} == {
        "world_capitals",
        "checked_capitals",
        "ods/world-capitals",
    }


@pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")
def test_the_component_of_the_page_makes_assets_of_the_portal(example, portal, tmp_path):
    written = yaml.safe_load((ROOT / "docs" / "examples" / "dagster_component.yaml").read_text())
    given = written["attributes"] | {"portal": portal.netloc, "api_key": portal.api_key}
    component = OdsPortalComponent.resolve_from_yaml(yaml.safe_dump(given))
    component.write_state_to_path(tmp_path / "state")
    definitions = component.build_defs_from_state(None, tmp_path / "state")
    made = {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}
    assert made["capitals"].tags["source"] == "opendatasoft" and "all_types" in made
    assert len(definitions.resolve_asset_graph().asset_check_keys) == 3 * len(
        definitions.resolve_asset_graph().materializable_asset_keys
    )


def _key(example, name):
    return next(key for key in example.defs.resolve_all_asset_keys() if key.path[-1] == name)
