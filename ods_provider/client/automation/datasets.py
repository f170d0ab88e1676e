"""Datasets, from the first draft to what is public: ``client.automation.datasets``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.core.errors import OdsPublicationFailed
from ods_provider.core.forgetting import forgets
from ods_provider.core.plans.automation import datasets, publications, watching
from ods_provider.core.plans.automation import status as statuses
from ods_provider.core.plans.automation.publications import Action, Look, Publication
from ods_provider.core.plans.automation.status import Status

log = logging.getLogger(__name__)
Object = dict[str, Any]
Objects = list[Object]
Looks = list[Look]


class Datasets:
    """Datasets as their editors see them. Each is named by its ``dataset_id`` or its uid (``da_…``).

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def list(self) -> Objects:
        """Return all datasets that the key may edit, unpublished ones included: the portal's objects."""
        return self._office.run(datasets.datasets())

    def find(self, dataset: str) -> Object | None:
        """Return one dataset, None where there is none that the key may edit.

        Raises:
            OdsConfigError: Several have this id; the message names their uids.
        """
        return self._office.run(datasets.find(dataset))

    def get(self, dataset: str) -> Object:
        """Return one dataset: ``{uid, dataset_id, is_published, is_restricted, metadata, …}``.

        Raises:
            OdsNotFound: There is none that the key may edit.
            OdsConfigError: Several have this id.
        """
        return self._office.run(datasets.found(dataset))

    @forgets
    def create(
        self,
        metadata: Mapping[str, Mapping[str, Any]],
        *,
        dataset_id: str | None = None,
        is_restricted: bool = True,
    ) -> Object:
        """Make a dataset, restricted unless told and not published, and return it.

        Args:
            metadata: ``{"default": {"title": {"value": "Trees"}, "language": {"value": "en"}}}``; what is empty is
                left out.
            dataset_id: Its id; without one the portal makes it of the title.
            is_restricted: Whether only those whom a rule lets see it once it is published.

        Raises:
            OdsConfigError: The id is taken.
        """
        return self._office.run(datasets.create(metadata, dataset_id=dataset_id, is_restricted=is_restricted))

    @forgets
    def update(self, dataset: str, **changes: Any) -> Object:
        """Change what is given of a dataset and return it: ``is_restricted``, ``dataset_id``, ``default_security``.

        Its id can be changed while it is not published only. Who sees it may change at the next publication only.
        """
        changed = self._office.on(dataset, lambda uid: datasets.update(uid, changes))
        if "dataset_id" in changes:
            self._office.forget(dataset)
        return changed

    def delete(self, dataset: str) -> None:
        """Delete a dataset for good: its records, files, attachments and versions too, published or not."""
        self._office.on(dataset, datasets.delete)
        self._office.forget(dataset)

    def copy(self, dataset: str) -> Object:
        """Copy a dataset within its portal and return the copy: unpublished, of another uid and id."""
        return self._office.on(dataset, datasets.copy)

    # Orders

    def status(self, dataset: str) -> Status:
        """Return where a dataset is: ``.status``, ``.is_published``, ``.message``, ``.records_errors``, ``.raw``."""
        return self._office.on(dataset, statuses.status)

    def wait_ready(self, dataset: str, *, timeout_s: float = 3600.0) -> Status:
        """Wait until a dataset is at nothing, whoever ordered what, and return its status.

        Raises:
            OdsPublicationRunning: It is still at work, or in a status that nobody knows.
        """
        said = ""

        def once() -> Status | None:
            nonlocal said
            told = self.status(dataset)
            said = told.said()
            return told if told.ready else None

        return self._office.waited(once, timeout_s, lambda: f"dataset {dataset}: {said}")

    def publish(self, dataset: str, *, most_busy_s: float = 3600.0) -> Publication:
        """Order the publication of a dataset, once whatever runs has ended, and return it: ``wait`` follows it.

        Args:
            dataset: Which.
            most_busy_s: Seconds to wait for what runs already.

        Raises:
            OdsPublicationRunning: That runs for longer.
        """
        return self._ordered(dataset, "publish", most_busy_s)

    def publish_metadata(self, dataset: str, *, most_busy_s: float = 3600.0) -> Publication:
        """Order the publication of a dataset's metadata alone: no record is read. As ``publish`` otherwise."""
        return self._ordered(dataset, "publish_metadata", most_busy_s)

    def unpublish(self, dataset: str, *, most_busy_s: float = 3600.0) -> Publication:
        """Order that a dataset is public no more; a realtime dataset may lose its records. As ``publish`` otherwise."""
        return self._ordered(dataset, "unpublish", most_busy_s)

    def abort(self, dataset: str) -> None:
        """Stop what a dataset is at; the records read so far stay, as an incomplete set.

        Raises:
            OdsQueryError: It is at nothing that can be stopped.
        """
        self._office.on(dataset, publications.aborted)

    def look(self, publication: Publication) -> Look:
        """Look once how far a publication is, and return the look: its ``state`` is running, done or failed.

        It never waits, and a publication that failed raises nothing. Look with ``.publication`` of it the next time.
        """
        return self._office.run(publications.look(publication))

    def look_many(self, these: Sequence[Publication]) -> Looks:
        """Look once at many publications, in fewer calls than one for each, and return their looks in their order."""
        return self._office.run(watching.look_many(these))

    def wait(
        self, publication: Publication, *, timeout_s: float = 3600.0, seen: Callable[[Look], None] | None = None
    ) -> Look:
        """Wait until a publication has ended, and return the last look: its ``status.records_errors`` may hold some.

        Args:
            publication: What was ordered.
            timeout_s: Seconds to wait; after them the portal goes on with its work.
            seen: Hears every look.

        Raises:
            OdsPublicationFailed: It ended, and not well; the message is the portal's.
            OdsPublicationRunning: It has not ended.
        """
        now, said = publication, "ordered"

        def once() -> Look | None:
            nonlocal now, said
            look = self.look(now)
            now, said = look.publication, look.message
            if seen:
                seen(look)
            return look if look.ended else None

        ended = self._office.waited(
            once, timeout_s, lambda: f"{publication.action} of {publication.dataset_uid}: {said}"
        )
        if not ended.proven:
            log.warning("%s of %s: its status never moved, and was taken for the end", now.action, now.dataset_uid)
        if ended.state == "failed":
            raise OdsPublicationFailed(
                f"the portal says: {ended.message}",
                where=f"{publication.action} of dataset {publication.dataset_uid}",
                advice="Correct what it names, and publish again",
            )
        return ended

    # Versions

    def versions(self, dataset: str) -> Objects:
        """Return the last versions of a dataset's configuration: ``[{uid, sections, created_by, can_restore, …}]``."""
        return self._office.on(dataset, datasets.versions)

    def restore(self, dataset: str, version: str, *, most_busy_s: float = 3600.0) -> Publication:
        """Order that a dataset's configuration is what it was in a version; it shows at the next publication.

        Security and schedules stay as they are. As ``publish`` otherwise.
        """
        return self._ordered(dataset, "restore", most_busy_s, version=version)

    def _ordered(self, dataset: str, action: Action, most_busy_s: float, *, version: str | None = None) -> Publication:
        # A look at many needs the id; of a uid it is not known, and it is looked at alone.
        named = None if dataset.startswith("da_") else dataset
        return self._office.on(
            dataset,
            lambda uid: publications.start(uid, action, version=version, dataset_id=named, most_busy_s=most_busy_s),
        )
