"""The API keys of a portal, each with what its user may do.

Source: Automation API v1.0, keys and permissions; the enumeration is open, so that a portal may know more words.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

EVERYTHING = frozenset(
    {
        "explore_restricted_page", "explore_restricted_dataset", "explore_monitoring", "create_dataset", "edit_dataset",
        "publish_dataset", "manage_dataset", "edit_domain", "edit_reuse", "edit_theme", "edit_form", "create_page",
        "edit_page", "manage_page", "manage_subdomains", "submit_private_form",
    }
)  # fmt: skip
READING = frozenset({"explore_restricted_page", "explore_restricted_dataset"})
ADMIN = "admin"
READER = "reader"


@dataclass(frozen=True)
class Key:
    """One key: whose it is, and what it may."""

    uid: str
    label: str
    secret: str = field(repr=False)
    permissions: frozenset[str] = EVERYTHING
    user: str = ADMIN
    revoked: bool = False


class Keyring:
    """The keys that open this portal.

    Args:
        first: The key that may do everything.
        reader: A key that sees all data, and neither changes any nor sees how the portal is used.
    """

    def __init__(self, first: str, *, reader: str | None = None) -> None:
        self._lock = threading.Lock()
        self._start = [Key("ak_first0", "the first key", first)]
        if reader is not None:
            self._start.append(Key("ak_reader", "the reader's key", reader, READING, READER))
        self._keys = [*self._start]

    def add(
        self, secret: str, permissions: Iterable[str], *, label: str = "", user: str = ADMIN, uid: str | None = None
    ) -> Key:
        """Add a key, in place of one that reads the same."""
        key = Key(uid or f"ak_{len(self._keys):06}", label or secret[:4], secret, frozenset(permissions), user)
        with self._lock:
            self._keys = [kept for kept in self._keys if kept.secret != secret] + [key]
        return key

    def change(self, uid: str, key: Key) -> None:
        """Put ``key`` in place of the one with this uid."""
        with self._lock:
            self._keys = [key if kept.uid == uid else kept for kept in self._keys]

    def all(self) -> list[Key]:
        """Return every key, oldest first."""
        return list(self._keys)

    def find(self, shown: str | None) -> Key | None:
        """Return the key that reads so and still opens, None where there is none."""
        if shown is None:
            return None
        for key in self._keys:
            if hmac.compare_digest(shown.encode(), key.secret.encode()):
                return None if key.revoked else key
        return None

    def reset(self) -> None:
        """Forget the keys that came since the beginning."""
        with self._lock:
            self._keys = [*self._start]
