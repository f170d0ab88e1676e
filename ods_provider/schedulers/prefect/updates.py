"""What is remembered of updates and of what was loaded, in Prefect Variables; and an event for automations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prefect.events import emit_event
from prefect.runtime import deployment as its_deployment
from prefect.runtime import flow_run as runtime
from prefect.types import MAX_VARIABLE_NAME_LENGTH
from prefect.variables import Variable

from ods_provider.core.asseturis import of_portal
from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.source import named, source_named
from ods_provider.core.watermark import What
from ods_provider.schedulers.prefect.artifacts import artifact_key
from ods_provider.schedulers.prefect.credentials import OdsCredentials, expect_credentials
from ods_provider.stores.last import is_newer

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
    return _named(artifact_key("ods-seen", deployment, flow, dataset_id), told_apart)


def _named(readable: str, told_apart: str) -> str:
    return f"{readable[: MAX_VARIABLE_NAME_LENGTH - len(told_apart) - 1]}-{told_apart}"


def outcome_name(asked: str) -> str | None:
    """Return the name of the variable that remembers what this flow's tasks wrote last, None outside a flow.

    Args:
        asked: The fingerprint of the work.
    """
    flow, deployment = runtime.flow_name, its_deployment.name
    if not flow:
        return None
    told_apart = fingerprint(deployment=deployment, flow=flow, asked=asked)
    return _named(artifact_key("ods-last", deployment, flow), told_apart)


def last_outcome(asked: str) -> Mapping[str, Any] | None:
    """Return the Outcome of this flow's last success at that work, empty when there is none, None outside a flow."""
    name = outcome_name(asked)
    kept = last_seen(name)
    return None if name is None else kept if isinstance(kept, Mapping) else {}


def remember_outcome(outcome: Mapping[str, Any]) -> None:
    """Keep an Outcome for the next run of this flow, unless a newer one of the same work is kept."""
    name = outcome_name(str(outcome.get("fingerprint")))
    if name is not None and is_newer(outcome, last_seen(name)):
        remember(name, {key: value for key, value in outcome.items() if value is not None})


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
    given = expect_credentials(credentials)
    return OdsCredentials.named(given) if isinstance(given, str) else given


def announce(credentials: OdsCredentials | str, seen: Mapping[str, Any]) -> None:
    """Emit the event that the dataset was updated."""
    dataset_id = str(seen["dataset_id"])
    name = named(source_named(seen.get("source")), dataset_id)
    emit_event(
        event=UPDATED,
        resource={
            "prefect.resource.id": of_portal(_block(credentials).connection().base_url, name),
            "prefect.resource.name": dataset_id,
        },
        payload=dict(seen),
    )
