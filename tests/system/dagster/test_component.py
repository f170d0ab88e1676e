"""The component: what its YAML makes of a portal's datasets, and what it refuses."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
import yaml
from dagster import AssetKey, AssetSpec

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsServerError
from ods_provider.dagster import OdsPortalComponent
from ods_provider.schedulers.dagster.component import OdsDataset

# Dagster reads YAML by what pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")

SMALL = {"where": "records_count > 0 and records_count < 100000", "limit": 3}


@pytest.fixture
def component(portal, tmp_path):
    """Return the component of some attributes, and its definitions after a refresh."""

    def load(*, refreshed=True, **attributes):
        given = {"portal": portal.netloc, "api_key": portal.api_key, "path": f"{tmp_path}/{{dataset}}.parquet"}
        made = OdsPortalComponent.resolve_from_yaml(yaml.safe_dump({**given, **attributes}))
        state = tmp_path / "state"
        if refreshed:
            made.write_state_to_path(state)
        return made, made.build_defs_from_state(None, state if state.exists() else None)

    return load


def specs(definitions):
    graph = definitions.resolve_asset_graph()
    return {key.to_user_string(): graph.get(key) for key in graph.materializable_asset_keys}


def test_what_a_query_of_the_catalogue_finds_are_assets(component, portal, instance, tmp_path):
    _, definitions = component(catalog=SMALL, checks={"rows_counted": True}, group_name="city")
    assert len(portal.requests) == 1
    found = specs(definitions)
    assert sorted(found) == ["all_types", "camera_shots", "gated_loads"]
    made = found["all_types"]
    assert (made.group_name, made.kinds) == ("city", {"opendatasoft", "parquet"})
    assert made.description.startswith("Every type of field\n\nWhat every type")
    assert "dagster/column_schema" in made.metadata and made.metadata["ods/title"] == "Every type of field"
    assert len(definitions.resolve_asset_graph().asset_check_keys) == 3
    assert len(definitions.sensors) == 1
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection={AssetKey("all_types")})
    assert job.execute_in_process(instance=instance).success
    assert pq.read_table(tmp_path / "all-types.parquet").num_rows == len(portal.rows("all-types"))


def test_datasets_by_their_ids_need_no_refresh_and_have_ways_of_their_own(component, portal, tmp_path):
    named = [
        {"dataset": "world-capitals", "name": "capitals", "path": f"{tmp_path}/c.csv", "arguments": {"limit": 3}},
        {"dataset": "synthetic-rows", "checks": {}},
    ]
    _, definitions = component(datasets=named, refreshed=False, checks={"min_rows": 2}, upstream=False)
    found = specs(definitions)
    assert sorted(found) == ["capitals", "synthetic_rows"] and not portal.requests
    assert found["capitals"].kinds == {"opendatasoft", "csv"}
    assert [key.asset_key for key in definitions.resolve_asset_graph().asset_check_keys] == [AssetKey("capitals")]


def test_before_the_first_refresh_a_query_finds_nothing(component, portal):
    _, definitions = component(catalog=SMALL, refreshed=False)
    assert not definitions.resolve_all_asset_specs() and not portal.requests


def test_tables_partitions_and_translations_are_written_in_yaml(component, tmp_path):
    _, definitions = component(
        datasets=[{"dataset": "synthetic-rows"}],
        path=None,
        destination=f"duckdb:///{tmp_path}/city.duckdb",
        arguments={"mode": "merge", "primary_key": "id"},
        partitions_def={"type": "daily", "start_date": "2026-01-01"},
        partition_field="at",
        backfill_policy={"type": "single_run"},
        translation={"key": "raw/{{ dataset.name }}", "group_name": "bronze", "metadata": {"owner": "city"}},
        observe="*/15 * * * *",
    )
    (made,) = specs(definitions).values()
    assert (made.key, made.group_name) == (AssetKey(["raw", "synthetic_rows"]), "bronze")
    assert made.kinds == {"opendatasoft", "duckdb"} and made.metadata["owner"] == "city"
    assert made.partitions_def and made.backfill_policy.max_partitions_per_run is None
    (parent,) = made.parent_keys
    assert definitions.resolve_asset_graph().get(parent).automation_condition is not None


def test_a_subclass_tells_dagster_something_else(portal, tmp_path):
    class Ours(OdsPortalComponent):
        def get_asset_spec(self, dataset):
            return AssetSpec(f"ours_{len(dataset.title)}", owners=["team:maps"])

    made = Ours(
        portal=portal.netloc, datasets=[OdsDataset(dataset="world-capitals")], path=str(tmp_path / "{dataset}.csv")
    )
    (found,) = specs(made.build_defs_from_state(None, None)).values()
    assert (found.key, list(found.owners)) == (AssetKey("ours_14"), ["team:maps"])


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"datasets": [{"dataset": "world-capitols"}]}, r"shows no dataset world-capitols .*'world-capitals'"),
        ({"datasets": [{"dataset": "world-capitals"}], "path": "x.csv"}, "written to the same path"),
        ({"datasets": [{"dataset": "world-capitals"}], "path": None}, "nothing says where world-capitals goes"),
        (
            {"datasets": [{"dataset": "world-capitals"}, {"dataset": "all-types", "name": "world_capitals"}]},
            "world-capitals and all-types would both be the asset world_capitals",
        ),
        (
            {"datasets": [{"dataset": "world-capitals"}], "checks": {"fresh": "soon"}},
            "the check fresh='soon' does not say how much",
        ),
        ({"portal": ""}, "portal is empty .*the variable that the YAML names"),
        ({"datasets": [{"dataset": "world-capitals"}], "connection": {"timeout": 3}}, "unknown field timeout"),
    ],
)
def test_what_cannot_be_served_is_refused(component, attributes, said):
    with pytest.raises(OdsConfigError, match=said):
        component(**{"catalog": {"where": "records_count < 100000"}, **attributes})


def test_no_key_stands_in_the_state_the_repr_or_the_definitions(component, portal, tmp_path):
    made, definitions = component(catalog=SMALL, destination="postgresql://u:pa55word@h/d", path=None)
    told = (tmp_path / "state").read_text() + repr(made) + str(definitions) + made.defs_state_config.key
    assert portal.api_key not in told and "pa55word" not in told
    assert json.loads((tmp_path / "state").read_text())["datasets"].keys() == {
        "all-types",
        "camera-shots",
        "gated-loads",
    }


def test_two_selections_of_one_portal_have_states_and_resources_of_their_own(component):
    one, here = component(catalog=SMALL)
    other, there = component(datasets=[{"dataset": "world-capitals"}])
    assert one.defs_state_config.key != other.defs_state_config.key
    assert not here.resources.keys() & there.resources.keys()


def test_a_portal_that_does_not_answer_leaves_the_state_as_it_was(component, portal, tmp_path, caplog):
    made, _ = component(catalog=SMALL, connection={"max_retries": 0})
    portal.fault("status", status=503, times=None)
    made.write_state_to_path(tmp_path / "state")
    assert "what was read before is kept" in caplog.text
    with pytest.raises(OdsServerError):
        made.write_state_to_path(tmp_path / "other")


def test_a_variable_that_is_not_set_is_thought_of_where_the_portal_refuses(component, portal, caplog):
    portal.fault("status", status=401, times=None)
    with pytest.raises(OdsAuthError):
        component(catalog=SMALL, api_key=None)
    assert "is the variable set that api_key names" in caplog.text
