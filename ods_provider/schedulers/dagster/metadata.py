"""What came of a job, as metadata that Dagster shows and compares."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dagster import DataVersion, MetadataValue, TableColumn, TableSchema

from ods_provider.core.legible import legible
from ods_provider.core.schema import Dataset
from ods_provider.core.schema import Field as DatasetField

# Dagster's own names, which its UI draws as a graph, a table, a link.
ROW_COUNT = "dagster/row_count"
COLUMN_SCHEMA = "dagster/column_schema"
URI = "dagster/uri"


def of_result(result: Any) -> dict[str, Any]:
    """Return an Outcome, or a list of rows, as metadata; keys that do not apply are left out."""
    if not isinstance(result, Mapping):
        return {ROW_COUNT: len(result)}
    if "features" in result:  # clusters as GeoJSON are a value too
        return {ROW_COUNT: len(result["features"])}
    known = {name: _shown(value) for name, value in result.items() if value is not None}
    metadata: dict[str, Any] = {}
    if "rows" in known:
        metadata[ROW_COUNT] = known.pop("rows")
    if "path" in known:
        metadata[URI] = known["path"]
        metadata["path"] = MetadataValue.path(known.pop("path"))
    return {**metadata, **known}


def of_dataset(dataset: Dataset, base_url: str, *, columns: bool) -> dict[str, Any]:
    """Return a dataset's page and, with ``columns``, its schema as metadata."""
    page = {"portal": MetadataValue.url(f"{base_url}/explore/dataset/{quote(dataset.dataset_id, safe='')}/")}
    return {**page, COLUMN_SCHEMA: table_schema(dataset)} if columns else page


def table_schema(dataset: Dataset) -> TableSchema:
    """Return the portal's schema as Dagster's."""
    return TableSchema(columns=[_column(field) for field in dataset.fields])


def _column(field: DatasetField) -> TableColumn:
    told = [text for text in (field.label, field.description) if text and text != field.name]
    return TableColumn(
        _shown(field.name),
        _shown(f"{field.type}[]" if field.multivalued else field.type),
        description=_shown(": ".join(told)) or None,
    )


def _shown(value: Any) -> Any:
    return legible(value) if isinstance(value, str) else value


def version(result: Any) -> DataVersion | None:
    """Return the state of the dataset that was read as a data version, None when the portal did not say."""
    processed = result.get("data_processed") if isinstance(result, Mapping) else None
    return DataVersion(processed) if processed else None
