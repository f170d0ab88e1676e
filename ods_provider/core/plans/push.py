"""Push records into a realtime resource, or delete them.

Paths end in a slash: without it portals redirect, and a redirect turns a POST into a GET (Q19). A 200 says that the
portal accepted the records, not that it stored them (Q20).

Source: Realtime push API 1.0.
"""

from __future__ import annotations

import json
from typing import Literal

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsNotAPortal, OdsResponseError
from ods_provider.core.segments import segment
from ods_provider.core.wire import Plan, Request, Response

ROOT = "/api/push/1.0"


def endpoint(dataset_id: str, resource_id: str, action: Literal["push", "delete"]) -> str:
    """Return the path that batches are sent to.

    Raises:
        OdsConfigError: An id is none.
    """
    return f"{ROOT}/{segment(dataset_named(dataset_id))}/{segment(resource_id)}/{action}/"


def send(dataset_id: str, resource_id: str, body: bytes, *, action: Literal["push", "delete"] = "push") -> Plan[None]:
    """Send one encoded batch (a JSON array, at most 5 MB) to be added, or to be deleted by value. One call."""
    response = yield Request(
        endpoint(dataset_id, resource_id, action),
        method="POST",
        body=body,
        kind="push",
        dataset_id=dataset_id,
        resource_id=resource_id,
    )
    _expect_ok(response)


def delete_by_id(dataset_id: str, resource_id: str, record_id: str) -> Plan[None]:
    """Delete one record by its id (a GET, as the portal wants it). One call."""
    parts = "/".join(segment(part) for part in (dataset_named(dataset_id), resource_id, record_id))
    response = yield Request(f"{ROOT}/{parts}/delete/", kind="push", dataset_id=dataset_id, resource_id=resource_id)
    _expect_ok(response)


def _expect_ok(response: Response) -> None:
    where = f"POST {response.url}"
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise OdsNotAPortal(
            "The answer to the push is no JSON object", status=response.status, where=where, advice="Check the host"
        )
    # "ok" in 2014, "OK" now.
    if str(body.get("status", "")).lower() != "ok":
        reason = body.get("message") or body.get("error") or body.get("status") or "no reason given"
        raise OdsResponseError(
            f"The portal did not accept the records: {response.quoted(str(reason))[:300]}",
            status=response.status,
            where=where,
            advice="Check the dataset and resource ids, and that push is enabled on the resource",
        )
