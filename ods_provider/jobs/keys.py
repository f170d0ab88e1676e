"""Which fields tell a dataset's rows apart."""

from __future__ import annotations

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.schema import Dataset
from ods_provider.tables.load import Mode

_UNFIT = ("geo_point_2d", "geo_shape", "file", "json_blob")


def key_of(mode: Mode, named: tuple[str, ...], dataset: Dataset) -> tuple[str, ...]:
    """Return the fields of the key: those that were named, else those that the dataset annotates as ``id``.

    Args:
        mode: What becomes of the table's rows.
        named: The fields, empty where nobody named any.
        dataset: The dataset.

    Raises:
        OdsConfigError: A mode needs a key and there is none, or a field cannot be part of one.
    """
    if mode not in ("merge", "scd2"):
        return ()
    return key_fields(named, dataset, needed_by=f"mode={mode!r}", argument="primary_key")


def annotated_key(dataset: Dataset) -> tuple[str, ...]:
    """Return the fields by which the portal itself tells rows apart: those that are annotated as ``id``."""
    return tuple(field.name for field in dataset.fields if field.annotations.get("id"))


def key_fields(named: tuple[str, ...], dataset: Dataset, *, needed_by: str, argument: str) -> tuple[str, ...]:
    """Return the fields that were named, else those that the dataset annotates as ``id``.

    Args:
        named: The fields, empty where nobody named any.
        dataset: The dataset.
        needed_by: What needs a key, for messages.
        argument: Where they were named.

    Raises:
        OdsConfigError: There are none, or a field cannot be part of a key.
    """
    fields = named or annotated_key(dataset)
    if not fields:
        raise OdsConfigError(
            f"{needed_by} needs to know what tells rows apart, and no field of {dataset.dataset_id} is annotated as "
            "its id",
            where=f"argument {argument}",
            advice=f"Name one or more of {', '.join(field.name for field in dataset.fields)}",
        )
    for name in fields:
        found = dataset.field(name)
        if found is None:
            meant = nearest(name, [field.name for field in dataset.fields])
            raise OdsConfigError(
                f"{dataset.dataset_id} has no field {name!r}",
                where=f"argument {argument}",
                advice=f"Perhaps {listed(meant)} is meant" if meant else "Name fields of the dataset",
            )
        if found.type in _UNFIT or found.multivalued:
            kind = f"several values of {found.type}" if found.multivalued else found.type
            raise OdsConfigError(
                f"the field {name} holds {kind}, which tells no rows apart",
                where=f"argument {argument}",
                advice="Name fields of texts, numbers, dates or moments",
            )
    return fields
