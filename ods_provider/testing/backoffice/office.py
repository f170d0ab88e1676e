"""The back office as a whole, and what tests may do to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from ods_provider.testing.backoffice.draft import Draft
from ods_provider.testing.backoffice.drafts import Drafts
from ods_provider.testing.backoffice.harvesters import Harvesters
from ods_provider.testing.backoffice.moments import Clock
from ods_provider.testing.backoffice.people import People
from ods_provider.testing.backoffice.publication import Outcome, Publications
from ods_provider.testing.backoffice.showing import visible
from ods_provider.testing.backoffice.switches import Switches
from ods_provider.testing.backoffice.uploads import Uploads
from ods_provider.testing.backoffice.works import Works
from ods_provider.testing.keyring import EVERYTHING, Keyring
from ods_provider.testing.store import Store


class BackOffice:
    """Everything that is prepared here before Explore shows it.

    Args:
        store: What Explore shows.
        keyring: Who may do what.
        push_key: Of realtime resources that have none of their own.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: Store, keyring: Keyring, push_key: str, clock: Clock = time.time) -> None:
        self.store = store
        self.clock = clock
        self.lock = threading.RLock()
        self.switches = Switches()
        self.uploads = Uploads()
        self.keyring = keyring
        self.push_key = push_key
        self.images: list[str] = []
        self.people = People(keyring, clock())
        self.drafts = Drafts(store, self.uploads, self.switches, clock)
        self.works = Works(store, self.uploads, self.switches, clock, self._rows_of)
        self.publications = Publications(self.works, self.switches, clock)
        self.harvesters = Harvesters(self.drafts, self.publications, self.switches, clock)

    def advance(self) -> None:
        """Let happen what is due by now."""
        with self.lock:
            self.harvesters.advance()
            self.publications.advance()

    @property
    def active(self) -> bool:
        """Whether anything may happen by itself."""
        return self.publications.active or any(one.ends_at is not None for one in self.harvesters.all())

    def expose(self, draft: Draft) -> None:
        """Show a dataset's visibility and push key as they are now, without a publication."""
        state = self.store.datasets.get(draft.shown_as or "")
        if state is not None:
            self.store.publish(visible(draft, state))

    def close(self) -> None:
        """Stop what runs; the store may then close, and after it the files go (``uploads.close``)."""
        self.publications.reset()

    def _rows_of(self, domain: str, dataset_id: str) -> list[dict[str, Any]]:
        return self.harvesters.rows_of(domain, dataset_id)

    # What tests do to it

    def switch(self, **switches: Any) -> dict[str, Any]:
        """Change switches and return all of them; ``switches.Switches`` describes each.

        Raises:
            ValueError: There is no such switch, or it takes no such value.
        """
        return self.switches.set(**switches)

    def outcome(
        self,
        *,
        dataset_id: str | None = None,
        status: str | None = None,
        message: str | None = None,
        records_errors: list[dict[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Let the next run of a dataset, or of any, end in this way; None keeps what comes of it.

        Args:
            dataset_id: Whose.
            status: ``idle``, ``error``, ``limit_reached``, or a word that nobody knows.
            message: What the status says.
            records_errors: Errors of records, besides those there are.
            params: What the status holds besides.

        Raises:
            ValueError: There is no such dataset.
        """
        given = Outcome(status, message, deepcopy(records_errors), dict(params) if params is not None else None)
        self.publications.want(given, None if dataset_id is None else self._named(dataset_id).uid)

    def step(self, dataset_id: str | None = None) -> None:
        """End the present status of a dataset, or of everything, whatever its duration.

        Raises:
            ValueError: There is no such dataset.
        """
        if dataset_id is None:
            self.harvesters.step()
        self.publications.step(None if dataset_id is None else self._named(dataset_id))

    def settle(self) -> None:
        """Carry out all that was ordered, at once."""
        self.harvesters.settle()
        self.publications.settle()

    def add_key(self, key: str, permissions: Iterable[str] = tuple(EVERYTHING), *, user: str = "publisher") -> None:
        """Let a key open the portal, and do no more than this."""
        self.keyring.add(key, permissions, user=user)

    def add_harvester(self, name: str, **what: Any) -> str:
        """Add a harvester, or change what it finds; ``Harvesters.add`` describes the arguments.

        Raises:
            ValueError: A type that no harvester has.
        """
        return self.harvesters.add(name, **what)

    def reset(self) -> None:
        """Go back to the start; the store follows, and after it the files go (``uploads.close``)."""
        with self.lock:
            self.publications.reset()
            self.drafts.reset()
            self.harvesters.reset()
            self.switches.reset()
            self.keyring.reset()
            self.images.clear()

    def _named(self, dataset_id: str) -> Draft:
        found = self.drafts.named(dataset_id)
        if not found:
            raise ValueError(f"no dataset {dataset_id!r}")
        return found[0]
