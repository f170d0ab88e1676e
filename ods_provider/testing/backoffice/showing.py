"""From a dataset of the back office to what Explore shows of it, and back for those that came with the portal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ods_provider.testing.backoffice.draft import DEFAULT_SECURITY, Draft, HungFile, Resource
from ods_provider.testing.backoffice.extraction import kept
from ods_provider.testing.backoffice.metadata import Metadata
from ods_provider.testing.backoffice.moments import moment, spelled
from ods_provider.testing.backoffice.status import Status
from ods_provider.testing.backoffice.templates import LICENSES
from ods_provider.testing.backoffice.uploads import UploadedFile
from ods_provider.testing.schema import Attachment, Column, DatasetState

Keep = Callable[[Attachment], UploadedFile]
# Not for Explore's readers.
_HIDDEN = frozenset({"internal", "asset_content_configuration", "admin"})
_OWN = ("title", "description", "publisher", "license", "theme", "keyword")
# What Explore tells of a dataset by itself.
_COMPUTED = frozenset({"data_processed", "metadata_processed", "records_count", "modified"})


def seeded(state: DatasetState, keep: Keep) -> Draft:
    """Return the draft of a dataset that came with the portal: published, and without a resource but a realtime one.

    Args:
        state: What Explore shows.
        keep: Makes an uploaded file of an attachment.
    """
    own = {name: getattr(state, name) for name in _OWN if getattr(state, name)}
    values = {
        "default": own
        | {
            "language": "en",
            "modified": spelled(state.modified),
            "modified_updates_on_metadata_change": True,
            "modified_updates_on_data_change": True,
        },
        "custom": dict(state.custom),
    }
    draft = Draft(
        state.uid,
        state.dataset_id,
        state.modified,
        state.modified,
        Metadata({template: fields for template, fields in values.items() if fields}),
        Status(state.data_processed.timestamp(), previous="processing", is_published=True),
        is_restricted=state.restricted,
        default_security=DEFAULT_SECURITY | {"is_data_visible": state.data_visible},
        attachments=[_hanging(item, keep) for item in state.attachments],
        alternative_exports=[_hanging(item, keep) for item in state.alternative_exports],
        shown_as=state.dataset_id,
        seeded=True,
    )
    draft.base = kept.base_of(state)
    if state.realtime_resource:
        draft.resources.append(
            Resource(state.realtime_resource, "realtime", "Realtime", {"recovery": False}, None, state.modified)
        )
    return draft


def described(draft: Draft, state: DatasetState, at: datetime) -> DatasetState:
    """Return ``state`` with the metadata, the files and the visibility that the draft has now."""
    shown = draft.metadata.shown()
    default = {name: value for name, value in shown.get("default", {}).items() if name not in _COMPUTED}
    default_modified = draft.metadata.get("default", "modified")
    columns, facets = state.columns, draft.metadata.get("asset_content_configuration", "facets")
    return visible(
        draft,
        replace(
            state,
            columns=faceted(columns, facets) if isinstance(facets, list) else columns,
            title=_text(default.get("title")) or draft.dataset_id,
            description=_text(default.get("description")),
            publisher=_text(default.get("publisher")),
            license=LICENSES.get(_text(shown.get("internal", {}).get("license_id"))) or _text(default.get("license")),
            theme=_texts(default.get("theme")),
            keyword=_texts(default.get("keyword")),
            attachments=[_hung(item) for item in draft.attachments],
            alternative_exports=[_hung(item) for item in draft.alternative_exports],
            own_uid=draft.uid,
            modified=_instant(default_modified) or at,
            catalogued=at,
            custom={name: value for name, value in shown.get("custom", {}).items() if isinstance(value, str)},
            extra_metas={
                template: {name: value for name, value in fields.items() if name not in _COMPUTED | set(_OWN)}
                if template == "default"
                else fields
                for template, fields in shown.items()
                if template not in _HIDDEN
            },
            app_metas=app_metas(draft, at),
        ),
    )


def visible(draft: Draft, state: DatasetState) -> DatasetState:
    """Return ``state`` as visible as the draft is, and with the push key that it has."""
    realtime = draft.realtime
    return replace(
        state,
        restricted=draft.is_restricted,
        data_visible=bool(draft.default_security.get("is_data_visible", True)) or draft.is_restricted,
        viewers=tuple(
            rule["user"]["username"] for rule in draft.users if rule["security"].get("is_data_visible", True)
        ),
        realtime_resource=realtime.uid if realtime else None,
        push_key=realtime.push_key if realtime else None,
        push_enabled=realtime is None or realtime.enabled,
    )


def faceted(columns: Sequence[Column], facets: list[dict[str, Any]]) -> list[Column]:
    """Return the columns with the facets that the metadata name, and no others."""
    marks = ("facet", "facetsort", "disjunctive", "timerangeFilter")
    told = {facet.get("field_name"): facet for facet in facets if isinstance(facet, dict)}
    made = []
    for column in columns:
        annotations = {name: value for name, value in column.annotations.items() if name not in marks}
        if (facet := told.get(column.name)) is not None:
            annotations["facet"] = True
            annotations |= {"facetsort": facet["facetsort"]} if facet.get("facetsort") else {}
            annotations |= {"disjunctive": True} if facet.get("disjunctive") else {}
            annotations |= {"timerangeFilter": True} if facet.get("timerange_filter") else {}
        made.append(replace(column, annotations=annotations))
    return made


def app_metas(draft: Draft, at: datetime) -> dict[str, dict[str, Any]]:
    """Return what Explore tells of the last publication, beside what it counts itself."""
    return {
        "processing": {
            "processing_modified": moment(draft.status.since).isoformat(),
            "security_last_modified": at.isoformat(),
            "complete": True,
        },
        "publishing": {
            "status": draft.status.status,
            "published": draft.status.is_published,
            "error_message": draft.status.message,
            "last_modified_user": draft.updated_by,
            "properties": None,
            "extractors": sorted({resource.type for resource in draft.resources}) or None,
            "harvester": draft.harvester,
            "joined_datasets": None,
            "datasource_types": sorted(
                {str(resource.datasource["type"]) for resource in draft.resources if resource.datasource}
            )
            or None,
        },
    }


def _hanging(item: Attachment, keep: Keep) -> HungFile:
    return HungFile(item.id, keep(item), item.title, item.description, item.elsewhere)


def _hung(item: HungFile) -> Attachment:
    content = item.file.path.read_bytes()
    return Attachment(item.uid, item.title, item.file.mimetype, content, item.description, item.elsewhere)


def _instant(value: Any) -> datetime | None:
    try:
        told = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
