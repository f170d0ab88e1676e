"""What the last successful run of each piece of work returned, as small files in the user's state folder."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ods_provider.core.errors import OdsSinkError
from ods_provider.core.times import parse_time, utc_now
from ods_provider.sinks.destination import Destination, destination
from ods_provider.sinks.litter import sweep
from ods_provider.sinks.writer import write_bytes
from ods_provider.stores.state import state_folder

log = logging.getLogger(__name__)

YEARS = timedelta(days=2 * 366)  # longer than between two runs of anything
_NAMES = re.compile(r"[0-9a-f]{16}\.json")


def last_success(fingerprint: str) -> dict[str, Any]:
    """Return the Outcome that is remembered under a fingerprint, empty when there is none."""
    try:
        kept = json.loads(_place(fingerprint).read_bytes())
    except (OdsSinkError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def remember(outcome: Mapping[str, Any]) -> None:
    """Keep an Outcome, unless a newer one of the same work is kept: a courtesy, of which no run fails."""
    fingerprint = str(outcome.get("fingerprint"))
    if not is_newer(outcome, last_success(fingerprint)):
        return
    place = _place(fingerprint)
    try:
        write_bytes(place, json.dumps(outcome).encode(), token="ods", private=True)  # noqa: S106  names a temporary file
    except OdsSinkError as error:
        log.info("What was written is not remembered: %s", error)
        return
    sweep(place.above(), now=utc_now(), older=YEARS, names=_NAMES, ours=fingerprint)


def is_newer(outcome: Mapping[str, Any], kept: Any) -> bool:
    """Return whether an Outcome is worth keeping in place of an earlier one: it is of no older state of the dataset."""
    if not outcome.get("dataset_state") or not outcome.get("fingerprint"):
        return False
    before = parse_time(kept.get("data_processed")) if isinstance(kept, Mapping) else None
    now = parse_time(outcome.get("data_processed"))
    return before is None or (now is not None and now >= before)


def _place(fingerprint: str) -> Destination:
    return destination(state_folder() / "last" / f"{fingerprint}.json")
