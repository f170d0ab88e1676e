"""Producers and consumers of assets: what is declared hears of the result, and a dataset is named once."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, AssetAlias, task

from ods_provider.assets import ods_asset
from ods_provider.hooks.ods import OdsHook
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.operators.push import OdsPushOperator

capitals = ods_asset("world-capitals", ods_conn_id="ods_assets")
readings = ods_asset("live-readings", ods_conn_id="ods_assets")
FOLDER = "{{ params.folder }}"

with DAG("assets", schedule=None, params={"folder": "/tmp"}) as dag:
    declared = OdsDownloadOperator(
        task_id="declared", path=FOLDER + "/declared.csv", outlets=[Asset("our-capitals")], **capitals.arguments
    )
    aliased = OdsDownloadOperator(
        task_id="aliased", path=FOLDER + "/aliased.csv", outlets=[AssetAlias("any-file")], **capitals.arguments
    )
    pushed = OdsPushOperator(
        task_id="pushed",
        resource_id="realtime",
        records=[{"sensor_id": "a", "at": "2026-01-01T00:00:00Z", "value": 1}],
        **readings.target,
    )

    @task
    def asked() -> int:
        """Count in Python."""
        with OdsHook("ods_assets").get_conn() as client:
            return client.count("world-capitals")

    skipped = OdsDownloadOperator(
        task_id="skipped", path=FOLDER + "/skipped.csv", if_unchanged="skip", **capitals.arguments
    )
    failed = OdsDownloadOperator(
        task_id="failed", path=FOLDER + "/failed.csv", dataset_id="no-such-dataset", ods_conn_id="ods_assets"
    )
    wrong = OdsDownloadOperator(task_id="wrong", path=FOLDER + "/wrong.csv", if_moved="perhaps", **capitals.arguments)
    declared >> aliased >> pushed >> asked() >> [skipped, failed, wrong]

with DAG("assets_read", schedule=[readings]) as consumer:

    @task
    def seen(triggering_asset_events: Any = None) -> list[dict[str, Any]]:
        """Return what the events say."""
        return [event.extra for events in triggering_asset_events.values() for event in events]

    seen()
