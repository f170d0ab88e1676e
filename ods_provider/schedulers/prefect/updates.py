"""What is remembered and told of a dataset's updates: a Prefect Variable, and an event for automations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from prefect.events import emit_event
from prefect.runtime import deployment as its_deployment
from prefect.runtime import flow_run as runtime
from prefect.variables import Variable

from ods_provider.schedulers.prefect.artifacts import artifact_key
from ods_provider.schedulers.prefect.credentials import OdsCredentials

UPDATED = "opendatasoft.dataset.updated"


def last_seen(dataset_id: str) -> Any:
    """Return what this flow saw of the dataset last, None when it never looked."""
    name = _variable(dataset_id)
    if name is None:
        return None
    kept = Variable.get(name)
    return json.loads(kept) if isinstance(kept, str) else kept


def remember(dataset_id: str, seen: Mapping[str, Any]) -> None:
    """Keep what was seen for the next run of this flow."""
    name = _variable(dataset_id)
    if name is not None:
        Variable.set(name, dict(seen), overwrite=True)


def _variable(dataset_id: str) -> str | None:
    """Return the name of the variable; each deployment remembers for itself. None outside a flow."""
    flow = runtime.flow_name
    return artifact_key("ods-seen", its_deployment.name, flow, dataset_id) if flow else None


def announce(credentials: OdsCredentials | str, seen: Mapping[str, Any]) -> None:
    """Emit the event that the dataset was updated."""
    block = OdsCredentials.named(credentials) if isinstance(credentials, str) else credentials
    dataset_id = str(seen["dataset_id"])
    emit_event(
        event=UPDATED,
        resource={
            "prefect.resource.id": f"ods://{block.connection().host}/{quote(dataset_id, safe='')}",
            "prefect.resource.name": dataset_id,
        },
        payload=dict(seen),
    )
