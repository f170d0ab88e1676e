"""Assets of Airflow: ``ods://<host>/<dataset_id>`` names a dataset of a portal, in one spelling.

``ods://<connection>@/<dataset_id>`` names it by the connection: ``ods_asset`` makes such assets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from ods_provider.core.asseturis import sanitized

if TYPE_CHECKING:
    from ods_provider.triggers.asset import OdsAsset


def ods_asset(dataset_id: str, *, ods_conn_id: str = "ods_default", source: str = "catalog") -> OdsAsset:
    """Return the asset of a dataset, which names its connection and no host.

    One value says it all: schedule a DAG on it, or on its ``watcher()``; give its ``arguments`` to an operator.

    Args:
        dataset_id: The dataset.
        ods_conn_id: Connection of type ``ods``.
        source: ``catalog``, or ``monitoring`` for what the portal knows of its own use.

    Raises:
        OdsConfigError: ``dataset_id`` is no id, or ``source`` none of these.
    """
    from ods_provider.triggers.asset import OdsAsset

    return OdsAsset.of(dataset_id, ods_conn_id=ods_conn_id, source=source)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return the one spelling of a dataset's URI, so that two DAGs that mean the same dataset name the same asset.

    Airflow calls it for every asset whose scheme is ``ods``, while a DAG file is parsed.

    Raises:
        ValueError: It names no dataset, or holds what does not belong there.
    """
    return sanitized(uri)


def to_openlineage(asset: Any, lineage_context: Any) -> Any:
    """Return the OpenLineage dataset of an ``ods`` asset, called as the operators call it in their own lineage."""
    from ods_provider.airflow.facets import dataset_of_asset

    return dataset_of_asset(asset)
