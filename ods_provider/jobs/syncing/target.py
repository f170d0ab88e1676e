"""Where a sync pushes to, looked at before its source is read: an hour of comparing must not end at the first push.

Source: Automation API v1.0, resources: ``push_url`` and ``enabled`` of realtime ones (recorded from live portals).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsNotAPortal, OdsNotFound, OdsQueryError
from ods_provider.core.nearest import listed
from ods_provider.core.plans.automation import datasets, resources
from ods_provider.jobs.context import JobContext

_PUSHED_TO = re.compile(r"/api/push/[^/?]{1,10}/[^/?]{1,300}/([^/?]{1,300})")
_SHOWN = 10
# A portal without this API, or a key without its rights: the first push will tell.
_UNTOLD = (OdsAuthError, OdsNotAPortal, OdsNotFound, OdsQueryError)


def expect_takes_pushes(ctx: JobContext, dataset_id: str, resource_id: str) -> None:
    """Check that a resource takes pushes, where the key may edit its dataset. Two calls.

    Raises:
        OdsConfigError: The dataset has none of this id that does; the message has those that do.
    """
    try:
        found = ctx.client.run(datasets.find(dataset_id))
        there = [] if found is None else ctx.client.run(resources.resources(str(found["uid"])))
    except _UNTOLD:
        return
    if found is None:
        return
    ids = {_id(each): each for each in there if each.get("type") == "realtime" or each.get("push_url")}
    where = f"argument resource_id, dataset {dataset_id}"
    if not ids:
        raise OdsConfigError(
            f"{dataset_id} has no resource that takes pushes",
            where=where,
            advice="Name a realtime dataset; what files give a dataset is published as a file",
        )
    meant = next((each for name, each in ids.items() if resource_id in (name, each.get("uid"))), None)
    if meant is None and None not in ids:
        raise OdsConfigError(
            f"{dataset_id} has no resource {resource_id!r} that takes pushes",
            where=where,
            advice=f"There is {listed([str(name) for name in ids][:_SHOWN])}",
        )
    if meant is not None and meant.get("enabled") is False:
        raise OdsConfigError(
            f"the resource {resource_id!r} refuses pushes: it is disabled",
            where=where,
            advice="Enable it in the back office",
        )


def _id(resource: Mapping[str, Any]) -> str | None:
    """Return what pushes call a resource, None where the portal does not tell."""
    for name in ("push_url", "url"):
        found = _PUSHED_TO.search(str(resource.get(name) or ""))
        if found:
            return found[1]
    return None
