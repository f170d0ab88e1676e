"""The ids that a shell completes: the portal is asked once an hour, and what it said is kept for this user alone."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ods_provider.cli.settings import Settings

if TYPE_CHECKING:
    from ods_provider.core.connection import OdsConnection

FRESH_S = 3600.0
_PATIENCE_S = 2.0  # somebody has pressed a key and looks at the screen


def dataset_ids(settings: Settings) -> list[str]:
    """Return the ids of the datasets that the chosen portal shows; none where it does not tell them in two seconds.

    Nothing is raised and nothing is printed: it would stand in the middle of what somebody types.
    """
    from ods_provider.cli.connecting import chosen, connect
    from ods_provider.plugins.manager import plugins

    try:
        connection = connect(settings, plugins(), lambda told: None)
        kept = _place(connection, *chosen(settings))
        return _kept(kept) or _asked(connection, kept)
    except Exception:  # a completion has nobody to tell it to
        return []


def _place(connection: OdsConnection, how: str, name: str) -> Path:
    from ods_provider.core.checkpoint import fingerprint
    from ods_provider.stores.state import state_folder

    # Another user of the portal may see other datasets.
    seen_by = fingerprint(base_url=connection.base_url, how=how, name=name, login=connection.login)
    return state_folder() / "completion" / f"{seen_by}.json"


def _kept(place: Path) -> list[str]:
    if not place.exists() or time.time() - place.stat().st_mtime > FRESH_S:
        return []
    found = json.loads(place.read_text(encoding="utf-8"))
    return [name for name in found if isinstance(name, str)]


def _asked(connection: OdsConnection, place: Path) -> list[str]:
    from ods_provider.cli.nearby import hasty
    from ods_provider.client import OdsClient
    from ods_provider.core.plans import catalog

    with OdsClient(hasty(connection, _PATIENCE_S)) as client:
        found = sorted(client.run(catalog.dataset_ids()))
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(found, file)
    part.replace(place)
    return found
