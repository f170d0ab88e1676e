"""What is remembered and told of a dataset's updates: a Prefect Variable, and an event for automations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from prefect.events import emit_event
from prefect.runtime import deployment as its_deployment
from prefect.runtime import flow_run as runtime
from prefect.types import MAX_VARIABLE_NAME_LENGTH
from prefect.variables import Variable

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.watermark import What
from ods_provider.schedulers.prefect.artifacts import artifact_key
from ods_provider.schedulers.prefect.credentials import OdsCredentials

UPDATED = "opendatasoft.dataset.updated"


def memory_name(credentials: OdsCredentials | str, dataset_id: str, what: What) -> str | None:
    """Return the name of the variable that remembers what this flow saw of the dataset last, None outside a flow.

    Each deployment remembers for itself, and each portal, dataset and thing watched.
    """
    flow = runtime.flow_name
    if not flow:
        return None
    deployment = its_deployment.name
    # The readable part writes air_quality and Air.Quality alike, and does not tell the portal.
    told_apart = fingerprint(
        deployment=deployment,
        flow=flow,
        base_url=_block(credentials).connection().base_url,
        dataset_id=dataset_id,
        what=what,
    )
    readable = artifact_key("ods-seen", deployment, flow, dataset_id)
    return f"{readable[: MAX_VARIABLE_NAME_LENGTH - len(told_apart) - 1]}-{told_apart}"


def last_seen(name: str | None) -> Any:
    """Return what is remembered under that name, None when there is nothing yet."""
    if name is None:
        return None
    kept = Variable.get(name)
    return json.loads(kept) if isinstance(kept, str) else kept


def remember(name: str | None, seen: Mapping[str, Any]) -> None:
    """Keep what was seen for the next run of this flow."""
    if name is not None:
        Variable.set(name, dict(seen), overwrite=True)


def _block(credentials: OdsCredentials | str) -> OdsCredentials:
    return OdsCredentials.named(credentials) if isinstance(credentials, str) else credentials


def announce(credentials: OdsCredentials | str, seen: Mapping[str, Any]) -> None:
    """Emit the event that the dataset was updated."""
    dataset_id = str(seen["dataset_id"])
    emit_event(
        event=UPDATED,
        resource={
            "prefect.resource.id": f"ods://{_block(credentials).connection().host}/{quote(dataset_id, safe='')}",
            "prefect.resource.name": dataset_id,
        },
        payload=dict(seen),
    )
