"""What is remembered between two runs of the same job: the units that are confirmed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

_IDENTITY = "job"


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
        identity: The job's fingerprint. What another job or other parameters left behind is forgotten.
    """

    def __init__(self, store: CheckpointStore, identity: str) -> None:
        self._store = store
        self._identity = identity
        kept = store.load()
        if kept and kept.get(_IDENTITY) != identity:
            store.clear()
            kept = {}
        self._marked = bool(kept)
        self.units: dict[str, Any] = {unit: value for unit, value in kept.items() if unit != _IDENTITY}

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
