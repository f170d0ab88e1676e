"""All datasets of the back office: those that came with the portal, and those that clients made.

Source: Automation API v1.0, datasets (uid, dataset_id, creation, copy, deletion).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from ods_provider.testing.backoffice.draft import DEFAULT_SECURITY, Draft, uid
from ods_provider.testing.backoffice.metadata import Metadata
from ods_provider.testing.backoffice.moments import Clock, moment
from ods_provider.testing.backoffice.showing import seeded
from ods_provider.testing.backoffice.status import Status
from ods_provider.testing.backoffice.switches import Switches
from ods_provider.testing.backoffice.trouble import invalid, not_found
from ods_provider.testing.backoffice.uploads import UploadedFile, Uploads, slug
from ods_provider.testing.schema import Attachment
from ods_provider.testing.store import Store

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}\Z")


class Drafts:
    """The datasets, by uid.

    Args:
        store: What Explore serves.
        uploads: Where files lie.
        switches: How this portal behaves.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: Store, uploads: Uploads, switches: Switches, clock: Clock) -> None:
        self._store = store
        self._uploads = uploads
        self._switches = switches
        self._clock = clock
        self._drafts: dict[str, Draft] = {}

    def reset(self) -> None:
        """Forget all; those that came with the portal are found anew."""
        self._drafts.clear()

    def all(self) -> list[Draft]:
        """Return all datasets, in the order in which they came."""
        shown = {draft.shown_as for draft in self._drafts.values()}
        for dataset_id, state in self._store.datasets.items():
            if dataset_id in shown:
                continue
            known = self._drafts.get(state.uid)
            if known is not None and state.born_as is not None:
                known.dataset_id = known.shown_as = dataset_id  # a test renamed it
            else:
                self._drafts[state.uid] = seeded(state, self._keep)
        # What a test took away behind our back is gone here too.
        for draft in list(self._drafts.values()):
            if draft.seeded and draft.shown_as is not None and draft.shown_as not in self._store.datasets:
                del self._drafts[draft.uid]
        return list(self._drafts.values())

    def _keep(self, item: Attachment) -> UploadedFile:
        path = self._uploads.path()
        path.write_bytes(item.content)
        return UploadedFile(slug(item.title, set()), item.title, item.mimetype, moment(self._clock()), path)

    def find(self, dataset_uid: str) -> Draft:
        """Return the dataset with this uid.

        Raises:
            Refused: 404.
        """
        for draft in self.all():
            if draft.uid == dataset_uid:
                return draft
        raise not_found("Dataset")

    def shown(self, dataset_id: str) -> Draft | None:
        """Return the dataset that Explore shows under this id; None while nobody has asked for it here."""
        return next((draft for draft in self._drafts.values() if draft.shown_as == dataset_id), None)

    def named(self, dataset_id: str) -> list[Draft]:
        """Return the datasets with this id: mostly none or one."""
        return [draft for draft in self.all() if draft.dataset_id == dataset_id]

    def create(self, given: Mapping[str, Any], *, by: str | None) -> Draft:
        """Make a dataset.

        Args:
            given: dataset_id, is_restricted, metadata, default_security.
            by: Whose key asked.

        Raises:
            Refused: 400, something is missing or has another shape.
        """
        metadata = Metadata()
        told = given.get("metadata")
        metadata.replace(told, overrides=True)
        if not metadata.get("default", "title"):
            raise invalid({"title": ["This field is required"]})
        if self._switches.refuse_empty_values:
            _refuse_empty(metadata)
        if not self._switches.keeps_custom_on_create:
            metadata = Metadata({name: fields for name, fields in metadata.shown().items() if name != "custom"})
        made = uid("da")
        draft = self._new(made, self._id(given.get("dataset_id"), metadata, made), metadata, by)
        draft.is_restricted = bool(given.get("is_restricted", False))
        draft.default_security = DEFAULT_SECURITY | _security(given.get("default_security"))
        self._drafts[made] = draft
        return draft

    def _new(self, made: str, dataset_id: str, metadata: Metadata, by: str | None) -> Draft:
        now = self._clock()
        return Draft(
            made, dataset_id, moment(now), moment(now), metadata, Status(round(now, 3)), created_by=by, updated_by=by
        )

    def _id(self, wanted: Any, metadata: Metadata, made: str) -> str:
        if wanted in (None, ""):
            title = str(metadata.get("default", "title"))
            return self._free(re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or made)
        if not isinstance(wanted, str) or not _ID.match(wanted):
            raise invalid({"dataset_id": ["This id is not valid"]})
        if self._switches.taken_dataset_id == "refuse" and self.named(wanted):
            raise invalid({"dataset_id": ["A dataset with this id exists already"]})
        return self._free(wanted) if self._switches.taken_dataset_id == "alter" else wanted

    def _free(self, wanted: str) -> str:
        number, free = 0, wanted
        while self.named(free):
            number += 1
            free = f"{wanted}{number}"
        return free

    def update(self, draft: Draft, given: Mapping[str, Any], *, by: str | None) -> None:
        """Change what ``given`` names of a dataset.

        Raises:
            Refused: 400, for an id that cannot be changed, or another shape.
        """
        wanted = given.get("dataset_id")
        if wanted is not None and wanted != draft.dataset_id:
            if draft.status.is_published:
                raise invalid({"dataset_id": ["The id of a published dataset cannot be changed"]})
            if not isinstance(wanted, str) or not _ID.match(wanted):
                raise invalid({"dataset_id": ["This id is not valid"]})
        security = DEFAULT_SECURITY | _security(given.get("default_security"))
        if "metadata" in given:
            metadata = deepcopy(draft.metadata)
            metadata.replace(given["metadata"], overrides=self._switches.value_overrides)
            draft.metadata = metadata
        if wanted is not None:
            draft.dataset_id = wanted
        if "is_restricted" in given:
            draft.is_restricted = _flag(given["is_restricted"])
        if given.get("default_security") is not None:
            draft.default_security = security
        self.touch(draft, by=by)

    def touch(self, draft: Draft, *, by: str | None) -> None:
        """Remember that the configuration changed."""
        draft.updated_at, draft.updated_by = moment(self._clock()), by

    def copy(self, draft: Draft, *, by: str | None) -> Draft:
        """Return a new dataset with the same configuration, unpublished, under an id made of the other's."""
        made = uid("da")
        copied = self._new(made, self._free(f"{draft.dataset_id}-copy"), deepcopy(draft.metadata), by)
        for name in ("is_restricted", "default_security", "fields", "processors", "files"):
            setattr(copied, name, deepcopy(getattr(draft, name)))
        copied.resources = deepcopy([resource for resource in draft.resources if not resource.realtime])
        for item in [*copied.fields, *copied.processors]:
            item["uid"] = uid("pr")
        for resource in copied.resources:
            resource.uid = uid("re")
        self._drafts[made] = copied
        return copied

    def put(self, draft: Draft) -> None:
        """Add a dataset that was made elsewhere, by a harvester."""
        self._drafts[draft.uid] = draft

    def new(self, dataset_id: str, metadata: Metadata, *, by: str | None) -> Draft:
        """Return a dataset that is not among the others yet; its id is one that is free."""
        return self._new(uid("da"), self._free(dataset_id), metadata, by)

    def delete(self, draft: Draft) -> None:
        """Remove a dataset for good, from Explore too."""
        self._drafts.pop(draft.uid, None)
        if draft.shown_as is not None:
            self._store.withdraw(draft.shown_as)
            draft.shown_as = None


def _security(given: Any) -> dict[str, Any]:
    # Some clients say a word where an object is due.
    return {key: value for key, value in given.items() if key in DEFAULT_SECURITY} if isinstance(given, dict) else {}


def _flag(value: Any) -> bool:
    # A form holds text.
    return value.lower() in ("true", "1", "on") if isinstance(value, str) else bool(value)


def _refuse_empty(metadata: Metadata) -> None:
    empty = {name: ["This value may not be empty"] for name in _empty(metadata)}
    if empty:
        raise invalid(empty)


def _empty(metadata: Metadata) -> Iterator[str]:
    for fields in metadata.shown().values():
        yield from (name for name, value in fields.items() if value in (None, "", []))
