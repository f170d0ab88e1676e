"""Datasets as version 1 shows them.

Source: Search API v1.0, dataset object; section 7 (attachments are listed under an address that cannot be fetched).
"""

from __future__ import annotations

from typing import Any

from ods_provider.testing import catalog
from ods_provider.testing.schema import Attachment, DatasetState
from ods_provider.testing.store import Store

FACETS = ("modified", *catalog.FACETS)


def annotation_list(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return annotations as a list of names, with arguments where they have some."""
    return [
        {"name": name} if value is True else {"name": name, "args": value if isinstance(value, list) else [value]}
        for name, value in given.items()
        if value is not False
    ]


def dataset_object(store: Store, state: DatasetState) -> dict[str, Any]:
    """Return one dataset."""
    fields = []
    for column in state.columns:
        shown = column.as_json()
        fields.append(
            {key: value for key, value in shown.items() if value is not None}
            | {"annotations": annotation_list(column.annotations)}
        )
    return {
        "datasetid": state.dataset_id,
        "metas": {key: value for key, value in catalog.metas(store, state).items() if value is not None},
        "has_records": True,
        "data_visible": state.data_visible,
        "features": catalog.features(state),
        "attachments": [_file(item) for item in state.attachments],
        "alternative_exports": [{**_file(item), "description": item.description} for item in state.alternative_exports],
        "fields": fields,
    }


def _file(item: Attachment) -> dict[str, Any]:
    return {"id": item.id, "title": item.title, "mimetype": item.mimetype, "url": f"odsfile://{item.title}"}
