"""A whole portal as one asset: its report is its metadata, and a dataset that fails fails it, after that was kept."""

from __future__ import annotations

from dagster import materialize

from ods_provider.schedulers.dagster import ods_mirror_asset

WHERE = "dataset_id in ('world-capitals', 'all-types')"


def test_each_materialization_brings_what_changed(ods, portal, instance, tmp_path):
    pair = ods_mirror_asset("portal", to=str(tmp_path / "portal"), format="csv", where=WHERE)

    def made(**how):
        result = materialize([pair.asset], resources={"ods": ods}, instance=instance, **how)
        (said,) = result.asset_materializations_for_node("portal")
        return result, {name: value.value for name, value in said.metadata.items()}

    result, told = made()
    assert result.success
    assert (told["done"], told["dagster/row_count"], told["calls"]) == (2, 122, 11)
    assert {each["what"] for each in told["datasets"]} == {"done"}
    assert made()[1]["unchanged"] == 2
    portal.touch("world-capitals", rows=1)
    portal.touch("all-types")
    portal.fault("status", status=403, times=None, path="/all-types/exports")
    failed, told = made(raise_on_error=False)
    assert not failed.success
    assert (told["done"], told["failed"]) == (1, 1)
