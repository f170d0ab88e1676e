"""What is remembered between two runs of the same job: the units that are confirmed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Protocol

_IDENTITY = "job"
_SHAPE = 2  # of what the jobs keep; another number when an older release's progress means something else

Valid = Callable[[str, Any], bool]
"""Whether a job can read what is kept under a unit's name; where it is not what it takes it for, it may raise."""


class CheckpointStore(Protocol):
    """Keeps small JSON values for one run of one job, so that they survive kill -9. One instance knows one run."""

    def load(self) -> dict[str, Any]:
        """Return everything kept, by unit name."""
        ...

    def save(self, unit: str, value: Any) -> None:
        """Keep ``value`` (JSON, not None) under ``unit``; durable when it returns."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...


def fingerprint(**parameters: Any) -> str:
    """Return a digest of a job's parameters: progress of other parameters is not progress of this job."""
    text = json.dumps(parameters, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Ledger:
    """The confirmed units of one job, backed by a store.

    Args:
        store: Where they are kept.
        identity: The job's fingerprint. What another job, other parameters or another release left behind is forgotten.
        valid: Whether the job can read a unit; if there is one that it cannot, all are forgotten, since they belong
            together.
    """

    def __init__(self, store: CheckpointStore, identity: str, valid: Valid | None = None) -> None:
        self._store = store
        self._identity = f"{_SHAPE}-{identity}"
        kept = store.load()
        found = {unit: value for unit, value in kept.items() if unit != _IDENTITY}
        if kept and (kept.get(_IDENTITY) != self._identity or not all(_reads(valid, *item) for item in found.items())):
            store.clear()
            kept, found = {}, {}
        self._marked = bool(kept)
        self.units: dict[str, Any] = found

    def confirm(self, unit: str, value: Any) -> None:
        """Keep ``value`` under ``unit``: it is not asked for again."""
        if not self._marked:
            self._store.save(_IDENTITY, self._identity)
            self._marked = True
        self._store.save(unit, value)
        self.units[unit] = value

    def clear(self) -> None:
        """Forget everything: the job is done, or must begin anew."""
        if self._marked:
            self._store.clear()
        self._marked = False
        self.units = {}


def _reads(valid: Valid | None, unit: str, value: Any) -> bool:
    try:
        return valid is None or valid(unit, value)
    except (LookupError, TypeError, ValueError, AttributeError):
        return False
