"""What suppliers must give, and stores that speak: whatever a plugin's object raises later names it, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsBrokenPlugin, OdsError, OdsPluginError
from ods_provider.core.oauth import Grant, TokenStore
from ods_provider.core.outcome import Wait
from ods_provider.plugins.run import Run
from ods_provider.sinks.destination import Destination
from ods_provider.tables.target import Target

# By hook: the type of its answer, or the methods that it must have.
_WANTED: dict[str, tuple[str, type | tuple[str, ...]]] = {
    "ods_get_scheduler": ("a SchedulerAdapter", ("run",)),
    "ods_resolve_connection": ("an OdsConnection", OdsConnection),
    "ods_checkpoint_store": ("a CheckpointStore", ("load", "save", "clear")),
    "ods_open_destination": ("a Destination", Destination),
    "ods_table_target": ("a Target", Target),
    "ods_wait_policy": ("a Wait", Wait),
    "ods_last_success": ("a mapping", Mapping),
    "ods_token_store": ("a TokenStore", ("lock", "load", "save")),
    "SchedulerAdapter.run": ("a Run", Run),
}


def misfit(hook: str, answer: object) -> str | None:
    """Return what is wrong with the answer of a hook that supplies, None when nothing is."""
    name, wanted = _WANTED[hook]
    if isinstance(wanted, tuple):
        lacking = [method for method in wanted if not callable(getattr(answer, method, None))]
        return f"gave {_named(answer)}, which has no {lacking[0]}(), instead of {name}" if lacking else None
    return None if isinstance(answer, wanted) else f"gave {_named(answer)} instead of {name}"


def class_of(supplier: object) -> str:
    """Return how a plugin's object is told from others."""
    return f"{type(supplier).__module__}.{type(supplier).__qualname__}"


def _named(answer: object) -> str:
    # The type alone: the value may be a connection as text, key and all.
    return "None" if answer is None else f"a {type(answer).__qualname__}"


@contextmanager
def asking(supplier: object, call: str, *, quote: bool = True) -> Iterator[None]:
    """Turn what the object of a plugin raises into an error that names it; an ``OdsError`` goes up as it is.

    Args:
        supplier: The object.
        call: What it is asked for, such as ``CheckpointStore.save``.
        quote: Whether the foreign text may be shown: that of a store of keys may hold one.
    """
    try:
        yield
    except OdsError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}" if quote else type(error).__name__
        raise OdsPluginError(
            f"{class_of(supplier)} failed: {said}",
            where=call,
            advice="Run it again; `ods plugins` lists the plugins, of which one supplies it",
        ) from (error if quote else None)


class SpeakingProgress:
    """A ``CheckpointStore`` around that of a plugin.

    Args:
        store: What the plugin gave.
    """

    def __init__(self, store: CheckpointStore) -> None:
        self._store = store

    def load(self) -> dict[str, Any]:
        """Return everything kept.

        Raises:
            OdsBrokenPlugin: The store gives no mapping.
        """
        with asking(self._store, "CheckpointStore.load"):
            kept: object = self._store.load()
        if not isinstance(kept, Mapping):
            raise OdsBrokenPlugin(
                f"{class_of(self._store)} gave {_named(kept)} instead of a dict",
                where="CheckpointStore.load",
                advice="Mend it: an empty dict says that nothing is kept",
            )
        return dict(kept)

    def save(self, unit: str, value: Any) -> None:
        """Keep a unit."""
        with asking(self._store, "CheckpointStore.save"):
            self._store.save(unit, value)

    def clear(self) -> None:
        """Forget everything."""
        with asking(self._store, "CheckpointStore.clear"):
            self._store.clear()


class SpeakingTokens:
    """A ``TokenStore`` around that of a plugin; what the plugin's says when it fails is not repeated.

    Args:
        store: What the plugin gave.
    """

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    @property
    def where(self) -> str:
        """Where the store is."""
        with asking(self._store, "TokenStore.where", quote=False):
            return self._store.where

    @contextmanager
    def lock(self) -> Iterator[object]:
        """Lock the store; what is raised under the lock is not the store's."""
        with ExitStack() as held:
            with asking(self._store, "TokenStore.lock", quote=False):
                locked = held.enter_context(self._store.lock())
            yield locked

    def load(self) -> Grant | None:
        """Return the grant."""
        with asking(self._store, "TokenStore.load", quote=False):
            return self._store.load()

    def save(self, grant: Grant) -> None:
        """Keep the grant."""
        with asking(self._store, "TokenStore.save", quote=False):
            self._store.save(grant)
