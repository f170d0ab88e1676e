"""``OdsAsset``: a dataset that is named once, for schedules, watchers and operators."""

from __future__ import annotations

from typing import Any, Self

import attrs
from airflow.sdk import Asset


@attrs.define(init=False, eq=False)
class OdsAsset(Asset):
    """A dataset of a portal, as ``ods_provider.assets.ods_asset`` makes it.

    Attributes:
        dataset_id: The dataset.
        ods_conn_id: Connection of type ``ods``.
        source: ``catalog`` or ``monitoring``.
    """

    dataset_id: str = ""
    ods_conn_id: str = ""
    source: str = ""

    # As that of every asset: fields of a subclass do not count.
    __hash__ = Asset.__hash__
    __eq__ = Asset.__eq__

    @classmethod
    def of(cls, dataset_id: str, *, ods_conn_id: str, source: str) -> Self:
        """Return the asset of a dataset.

        Raises:
            OdsConfigError: An argument is none.
        """
        from ods_provider.core.asseturis import of_connection
        from ods_provider.core.datasetid import dataset_named
        from ods_provider.core.errors import OdsConfigError
        from ods_provider.core.faces import AIRFLOW
        from ods_provider.core.source import named, source_named

        with AIRFLOW.speaking():
            where = source_named(source)
            dataset = dataset_named(dataset_id)
            try:
                uri = of_connection(ods_conn_id, named(where, dataset))
            except ValueError as error:
                raise OdsConfigError(str(error), where="argument ods_conn_id", advice="Name a connection") from None
        # The name is the URI: Airflow refuses a second name for one URI, and whoever means this dataset finds this one.
        made = cls(uri, uri)
        made.dataset_id, made.ods_conn_id, made.source = dataset, ods_conn_id, where
        return made

    def watcher(self, **arguments: Any) -> Self:
        """Have the asset watched from now on, and return it: what is scheduled on it runs at every update.

        Args:
            arguments: Those of ``OdsDatasetEventTrigger``: ``what``, ``poll_interval_s``.
        """
        from airflow.sdk import AssetWatcher

        from ods_provider.triggers.dataset import OdsDatasetEventTrigger

        trigger = OdsDatasetEventTrigger(**self._named, **arguments)
        self.watchers = [AssetWatcher(name=f"updates of {self.dataset_id}", trigger=trigger)]
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of an operator or sensor that reads the dataset, with the asset among its ``inlets``."""
        return {**self._named, "inlets": [self]}

    @property
    def target(self) -> dict[str, Any]:
        """The arguments of an operator that writes the dataset, with the asset among its ``outlets``."""
        return {"dataset_id": self.dataset_id, "ods_conn_id": self.ods_conn_id, "outlets": [self]}

    @property
    def _named(self) -> dict[str, Any]:
        from ods_provider.core.source import CATALOG

        source = {} if self.source == CATALOG else {"source": self.source}
        return {"dataset_id": self.dataset_id, "ods_conn_id": self.ods_conn_id, **source}
