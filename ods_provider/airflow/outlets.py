"""Assets of a task: what was written is told to those that it declares, and what was read becomes an inlet.

An ``Asset`` gets the result as the extra of its event. An ``AssetAlias`` gets the asset of what was written, so that a
DAG can wait for an address that is known at run time only. Nothing is made of addresses that nobody asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ods_provider.airflow.places import place_of
from ods_provider.core.asseturis import of_connection
from ods_provider.jobs.ends import Ends, FileAt, PortalData

if TYPE_CHECKING:
    from ods_provider.airflow.traced import Traced

log = logging.getLogger("airflow.task")
ALWAYS = ("rows", "size_bytes", "sha256", "table", "path", "dataset_id", "data_processed", "moved")
WHERE_KNOWN = ("unchanged", "inserted", "updated", "deleted", "pushed", "files", "batches", "status", "source")


def extra_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says of an Outcome: these keys always, the others where the Outcome has them."""
    told = {name: result.get(name) for name in ALWAYS}
    return told | {name: result[name] for name in WHERE_KNOWN if result.get(name) is not None}


def tell(task: Traced, context: Any, result: Any) -> None:
    """Tell a task's assets of its result.

    Args:
        task: The operator, at its end.
        context: Airflow's.
        result: What the task returns; the results of several datasets have no extra in common.
    """
    events = context.get("outlet_events")
    if events is None or not isinstance(result, Mapping):
        return
    try:
        ends, portal = task.ends(), task.portal()
        _tell_inlets(task, ends, portal)
        _tell_outlets(task, events, ends, portal, extra_of(result))
    except Exception as error:
        # The work is done; an asset that does not hear of it is no reason to do it again.
        log.warning("Assets could not be told of the result: %s: %s", type(error).__name__, error)


def _tell_inlets(task: Any, ends: Ends, portal: str) -> None:
    from airflow.sdk import Asset

    for end in ends.reads:
        if isinstance(end, PortalData) and end.is_one:
            uri = str(place_of(end, portal).uri)
            # Either spelling may have been written by hand.
            spellings = {uri, of_connection(task.ods_conn_id, end.name)}
            if spellings.isdisjoint(getattr(each, "uri", "") for each in task.inlets):
                task.inlets.append(Asset(name=uri, uri=uri))


def _tell_outlets(task: Any, events: Any, ends: Ends, portal: str, extra: dict[str, Any]) -> None:
    from airflow.sdk import Asset, AssetAlias

    for outlet in task.outlets:
        accessor = events[outlet]
        if isinstance(outlet, AssetAlias):
            for uri in _written(ends, portal):
                # The asset that somebody named so, where there is one: a second one of its URI would be inactive.
                accessor.add(_named(events, uri) or Asset(name=uri, uri=uri), extra=extra)
        else:
            accessor.extra = {**extra, **accessor.extra}


def _written(ends: Ends, portal: str) -> Iterator[str]:
    for end in ends.writes:
        # A file of which this is a part is not there yet.
        whole = not isinstance(end, FileAt) or end.whole
        if whole and (uri := place_of(end, portal).uri) is not None:
            yield uri


def _named(events: Any, uri: str) -> Any:
    from airflow.sdk import Asset
    from airflow.sdk.exceptions import AirflowRuntimeError

    asset = Asset.ref(uri=uri)
    try:
        events[asset]
    except AirflowRuntimeError:
        return None
    return asset
