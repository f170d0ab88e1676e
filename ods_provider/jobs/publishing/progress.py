"""How far a publication is, kept so that whoever goes on does nothing twice."""

from __future__ import annotations

from typing import Any

from ods_provider.core.checkpoint import Ledger

_UNIT = "publication"


class Progress:
    """What is confirmed, as one small object that is written whole.

    Args:
        ledger: Where it is kept.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get(self, name: str) -> Any:
        """Return what is kept under a name, None where nothing is."""
        return self._kept.get(name)

    def put(self, **changes: Any) -> None:
        """Keep more, or other values; durable when it returns."""
        self._ledger.confirm(_UNIT, self._kept | changes)

    def only(self, **kept: Any) -> None:
        """Keep this and nothing else."""
        self._ledger.confirm(_UNIT, kept)

    def forget(self) -> None:
        """Forget all."""
        self._ledger.clear()

    @property
    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self._ledger.units.get(_UNIT) or {}
        return kept
