"""A token store that tells maskers of every token before anybody can use it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from ods_provider.core.oauth import Grant, TokenStore
from ods_provider.core.redact import Secret


class MaskedTokens:
    """A ``TokenStore`` around another one.

    Args:
        store: Where the grant is kept.
        tell: Hears of each token once.
    """

    def __init__(self, store: TokenStore, tell: Callable[[Secret], None]) -> None:
        self._store = store
        self._tell = tell
        self._told: set[Secret] = set()

    @property
    def where(self) -> str:
        """Where the store is."""
        return self._store.where

    def lock(self) -> AbstractContextManager[object]:
        """Lock the store."""
        return self._store.lock()

    def load(self) -> Grant | None:
        """Return the grant, its tokens told."""
        grant = self._store.load()
        self._mask(grant)
        return grant

    def save(self, grant: Grant) -> None:
        """Keep the grant, its tokens told."""
        self._mask(grant)
        self._store.save(grant)

    def _mask(self, grant: Grant | None) -> None:
        for secret in grant.secrets() if grant else ():
            if secret not in self._told:
                self._told.add(secret)
                self._tell(secret)
