"""Harvesters: they make datasets of what another portal has, and publish them when told.

Source: Automation API v1.0, harvesters (start, publish, unpublish, abort).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ods_provider.testing.backoffice.draft import Draft, Resource, uid
from ods_provider.testing.backoffice.drafts import Drafts
from ods_provider.testing.backoffice.harvester import GARDENS, READY, TYPES, Harvester, Remote
from ods_provider.testing.backoffice.metadata import Metadata
from ods_provider.testing.backoffice.moments import Clock, moment
from ods_provider.testing.backoffice.publication import Publications
from ods_provider.testing.backoffice.switches import Switches
from ods_provider.testing.backoffice.trouble import ExtractionError, invalid, not_found, wrong_harvester_status


class Harvesters:
    """The harvesters of this portal.

    Args:
        drafts: Where what they make goes.
        publications: What publishes it.
        switches: How long each status lasts.
        clock: Seconds since the epoch.
    """

    def __init__(self, drafts: Drafts, publications: Publications, switches: Switches, clock: Clock) -> None:
        self._drafts = drafts
        self._publications = publications
        self._switches = switches
        self._clock = clock
        self._harvesters: dict[str, Harvester] = {}
        self.reset()

    def reset(self) -> None:
        """Go back to the one that a portal begins with."""
        self._harvesters.clear()
        self.add("Town gardens", datasets=GARDENS)

    def add(
        self,
        name: str,
        *,
        type: str = "ods",
        datasets: Iterable[Mapping[str, Any]] = (),
        fatal: str | None = None,
        **settings: Any,
    ) -> str:
        """Add a harvester, and what it will find.

        Args:
            name: Its name; its uid is made of it.
            type: One of ``TYPES``.
            datasets: Each with ``dataset_id``, ``metadata``, ``rows``, and ``error`` where it cannot be harvested.
            fatal: Why its runs fail as a whole.
            **settings: Whatever else it is told.

        Raises:
            ValueError: There is no such type.
        """
        if type not in TYPES:
            raise ValueError(f"no harvester of type {type!r}; there are {', '.join(TYPES)}")
        uid_ = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        remotes = [Remote(**one) for one in datasets]
        old = self._harvesters.get(uid_)
        made = Harvester(uid_, name, type, self._clock(), settings, remotes=remotes, fatal=fatal)
        if old is not None:
            # The same one, which finds something else from now on.
            old.remotes, old.fatal = remotes, fatal
        else:
            self._harvesters[uid_] = made
        return uid_

    def all(self) -> list[Harvester]:
        """Return all, oldest first."""
        return list(self._harvesters.values())

    def find(self, harvester_uid: str) -> Harvester:
        """Return one.

        Raises:
            Refused: 404.
        """
        found = self._harvesters.get(harvester_uid)
        if found is None:
            raise not_found("Harvester")
        return found

    def create(self, given: Mapping[str, Any]) -> Harvester:
        """Make a harvester that finds nothing until it is told what.

        Raises:
            Refused: 400.
        """
        name, type_ = given.get("name"), given.get("type")
        if not isinstance(name, str) or not name:
            raise invalid({"name": ["This field is required"]})
        if type_ not in TYPES:
            raise invalid({"type": [f"One of {', '.join(TYPES)} is required"]})
        settings = {key: value for key, value in given.items() if key not in ("name", "type", "datasets", "fatal")}
        return self.find(self.add(name, type=str(type_), **settings))

    def delete(self, harvester: Harvester, *, with_datasets: bool) -> None:
        """Remove a harvester, and its datasets where told."""
        del self._harvesters[harvester.uid]
        for draft in self.datasets(harvester):
            draft.harvester = None
            if with_datasets:
                self._publications.forget(draft)
                self._drafts.delete(draft)

    def datasets(self, harvester: Harvester) -> list[Draft]:
        """Return the datasets that it made and that are still there."""
        uids = set(harvester.attached.values())
        return [draft for draft in self._drafts.all() if draft.uid in uids]

    def rows_of(self, domain: str, dataset_id: str) -> list[dict[str, Any]]:
        """Return the records of a remote dataset.

        Raises:
            ExtractionError: There is none.
        """
        for harvester in self._harvesters.values():
            for remote in harvester.remotes:
                if (harvester.uid, remote.dataset_id) == (domain, dataset_id):
                    return remote.rows
        raise ExtractionError(f"The dataset {dataset_id} of {domain} cannot be reached")

    # Orders

    def start(self, harvester: Harvester, *, order: str = "start") -> None:
        """Take an order (start, publish, unpublish); it is carried out later.

        Raises:
            Refused: 400, it is at work.
        """
        self.advance()
        if harvester.status not in READY:
            raise wrong_harvester_status(harvester.status, "processing")
        self._go(harvester, "queued", self._switches.queued_s)
        harvester.order = order
        if order == "start":
            harvester.last_started_at = self._clock()

    def abort(self, harvester: Harvester) -> None:
        """Stop what it does.

        Raises:
            Refused: 400, it does nothing.
        """
        self.advance()
        if harvester.status not in ("queued", "processing"):
            raise wrong_harvester_status(harvester.status, "aborting")
        harvester.order = None
        self._go(harvester, "aborting", self._switches.aborting_s)

    def advance(self) -> None:
        """Let happen what is due by now."""
        for harvester in self._harvesters.values():
            while harvester.ends_at is not None and self._clock() >= harvester.ends_at:
                self._next(harvester)

    def step(self) -> None:
        """End the present status of every one that is at work."""
        for harvester in self._harvesters.values():
            if harvester.status not in READY:
                self._next(harvester)

    def settle(self) -> None:
        """Let every one end what it does."""
        while any(harvester.status not in READY for harvester in self._harvesters.values()):
            self.step()

    def _go(self, harvester: Harvester, status: str, lasts_s: float | None) -> None:
        harvester.status, harvester.since = status, self._clock()
        harvester.ends_at = None if lasts_s is None else harvester.since + lasts_s

    def _next(self, harvester: Harvester) -> None:
        if harvester.status == "queued":
            self._go(harvester, "processing", self._switches.processing_s)
            return
        if harvester.order == "start":
            self._harvest(harvester)
        elif harvester.order in ("publish", "unpublish"):
            # It queues them and is done: that it is idle proves nothing of them.
            for draft in self.datasets(harvester):
                if not self._publications.busy(draft):
                    self._publications.order(draft, harvester.order, by="harvester")
        self._go(harvester, "idle", None)
        harvester.ends_at, harvester.order = None, None

    def _harvest(self, harvester: Harvester) -> None:
        harvester.errors.clear()
        harvester.failed = harvester.fatal
        if harvester.fatal is not None:
            return
        there = {draft.uid: draft for draft in self.datasets(harvester)}
        for remote in harvester.remotes:
            if remote.error is not None:
                harvester.errors[remote.dataset_id] = remote.error
                continue
            draft = there.get(harvester.attached.get(remote.dataset_id, ""))
            if draft is None:
                draft = self._made(harvester, remote)
            draft.metadata.set_remote(remote.metadata)
        if harvester.settings.get("delete_missing_datasets"):
            found = {remote.dataset_id for remote in harvester.remotes}
            for remote_id, uid_ in list(harvester.attached.items()):
                if remote_id not in found and uid_ in there:
                    self._publications.forget(there[uid_])
                    self._drafts.delete(there[uid_])
                    del harvester.attached[remote_id]
        harvester.last_success_at = self._clock()

    def _made(self, harvester: Harvester, remote: Remote) -> Draft:
        draft = self._drafts.new(remote.dataset_id, Metadata(), by="harvester")
        draft.harvester = harvester.uid
        draft.is_restricted = bool(harvester.settings.get("restrict_datasets_visibility"))
        datasource = {
            "type": "federated",
            "domain": {"domain_id": harvester.uid},
            "dataset": {"dataset_id": remote.dataset_id},
            "parameters": {},
        }
        at = moment(self._clock())
        draft.resources.append(Resource(uid("re"), "federated", remote.dataset_id, {}, datasource, at))
        self._drafts.put(draft)
        harvester.attached[remote.dataset_id] = draft.uid
        return draft
