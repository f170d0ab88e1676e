"""Dagster's plugin works, and loads, where Dagster is not installed."""

from __future__ import annotations

import logging
from types import SimpleNamespace

from ods_provider.core.connection import from_parts
from ods_provider.core.events import DatasetDescribed
from ods_provider.core.schema import Dataset
from ods_provider.plugins.manager import Plugins
from ods_provider.schedulers.dagster import plugin


def native(tmp_path, **resource):
    instance = SimpleNamespace(storage_directory=lambda: str(tmp_path))
    context = SimpleNamespace(log=logging.getLogger("a dagster step"), instance=instance)
    return plugin.Native(context, SimpleNamespace(**resource), "asset orders")


def test_the_resource_gives_the_connection_and_the_instance_keeps_the_progress(tmp_path, monkeypatch):
    monkeypatch.delenv("ODS_CHECKPOINT_URL", raising=False)
    plugins = Plugins({"dagster": plugin}, entry_points=False)
    connection = from_parts(host="data.example.org", password="k3y")
    run = plugins.scheduler("dagster").run(native(tmp_path, connection=lambda: connection), connection_ref="ods")
    assert plugins.connection("ods", "dagster", run) is connection
    plugins.checkpoint_store(run).save("page-1", {"rows": 1})
    assert plugins.checkpoint_store(run).load() == {"page-1": {"rows": 1}}
    assert len(list((tmp_path / "ods-checkpoints").iterdir())) == 1
    assert run.key == "dagster/asset orders" and "k3y" not in repr(run)


def test_a_place_for_all_hosts_is_kept_to(tmp_path, monkeypatch):
    monkeypatch.setenv("ODS_CHECKPOINT_URL", str(tmp_path / "shared"))
    plugins = Plugins({"dagster": plugin}, entry_points=False)
    run = plugins.scheduler("dagster").run(native(tmp_path / "local"), connection_ref="ods")
    plugins.checkpoint_store(run).save("page-1", 1)
    assert (tmp_path / "shared").exists() and not (tmp_path / "local").exists()


def test_the_step_is_told_what_people_read_and_not_every_request(tmp_path, caplog):
    run = plugin.Dagster().run(native(tmp_path), connection_ref="ods")
    with caplog.at_level(logging.DEBUG, logger="a dagster step"):
        run.log.info("40 of 40 files")
        run.log.debug("GET … 200")
    assert caplog.messages == ["40 of 40 files"]


def test_a_description_of_the_dataset_is_kept_for_the_asset(tmp_path):
    plugins = Plugins({"dagster": plugin}, entry_points=False)
    run = plugins.scheduler("dagster").run(native(tmp_path), connection_ref="ods")
    plugins.notify(DatasetDescribed(Dataset("orders")), run)
    assert run.native.dataset.dataset_id == "orders"
