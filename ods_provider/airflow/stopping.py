"""What becomes of a portal's work when a task's time is over: it goes on, unless the portal is told to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

log = logging.getLogger("airflow.task")


@contextmanager
def stopping(ods_conn_id: str, dataset_id: str, *, wanted: Callable[[], Any]) -> Iterator[None]:
    """Tell the portal to stop what a dataset is at, where the time is over and that is wanted.

    Args:
        ods_conn_id: Connection of type ``ods``.
        dataset_id: The dataset.
        wanted: Returns the argument that says so, rendered.
    """
    from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, AirflowTaskTimeout

    over = (AirflowSensorTimeout, AirflowTaskTimeout)
    try:
        yield
    except (*over, AirflowSkipException) as end:
        # A sensor with soft_fail is skipped because of the timeout.
        if isinstance(end, over) or isinstance(end.__cause__, over):
            _stop(ods_conn_id, dataset_id, wanted())
        raise


def _stop(ods_conn_id: str, dataset_id: str, wanted: Any) -> None:
    from ods_provider.client import OdsClient
    from ods_provider.core.errors import OdsError
    from ods_provider.core.given import truth
    from ods_provider.plugins.manager import plugins

    try:
        if not truth("abort_on_timeout", wanted, default=False):
            return
        connection = plugins().connection(ods_conn_id, "airflow")
        with OdsClient(connection, tokens=plugins().token_store(connection, "airflow")) as client:
            client.automation.datasets.abort(dataset_id)
    except OdsError as error:
        log.warning("The portal could not be told to stop: %s", error)
    else:
        log.warning("The portal was told to stop what it does to %s; what it had read so far may be public", dataset_id)
