"""What came of a job, as metadata that Dagster shows and compares."""

from collections.abc import Mapping
from typing import Any

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    DagsterInstance,
    DataVersion,
    MetadataValue,
    TableColumn,
    TableSchema,
)

from ods_provider.core.legible import legible
from ods_provider.core.schema import Dataset
from ods_provider.core.schema import Field as DatasetField
from ods_provider.core.times import parse_time
from ods_provider.core.webaddress import dataset_page

# Dagster's own names, which its UI draws as a graph, a table, a link.
ROW_COUNT = "dagster/row_count"
COLUMN_SCHEMA = "dagster/column_schema"
URI = "dagster/uri"
PARTITION_ROW_COUNT = "dagster/partition_row_count"
LAST_UPDATED = "dagster/last_updated_timestamp"
PORTAL = "portal"


def of_result(result: Any, *, one_partition: bool = False) -> dict[str, Any]:
    """Return an Outcome, or a list of rows, as metadata; keys that do not apply are left out.

    Args:
        result: What came of the job.
        one_partition: Whether it is of one partition: what a run of several brought is nobody's count of any.
    """
    if not isinstance(result, Mapping):
        return {ROW_COUNT: len(result)}
    if "features" in result:  # clusters as GeoJSON are a value too
        return {ROW_COUNT: len(result["features"])}
    known = {name: _shown(value) for name, value in result.items() if value is not None}
    metadata: dict[str, Any] = {}
    if one_partition and "rows" in known:
        metadata[PARTITION_ROW_COUNT] = known["rows"]
    if processed := parse_time(known.get("data_processed")):
        # The data's own time, by which Dagster's checks of freshness go then.
        metadata[LAST_UPDATED] = MetadataValue.timestamp(processed)
    if "table_rows" in known:
        metadata[ROW_COUNT] = known["table_rows"]  # a load may bring few rows to many
    elif "rows" in known:
        metadata[ROW_COUNT] = known.pop("rows")
    if "path" in known:
        metadata[URI] = known["path"]
        metadata["path"] = MetadataValue.path(known.pop("path"))
    return {**metadata, **known}


def last_result(instance: DagsterInstance, key: AssetKey, partition: str | None) -> dict[str, Any]:
    """Return the Outcome that was told as metadata when the asset was last made, empty when it never was."""
    wanted = AssetRecordsFilter(key, asset_partitions=[partition] if partition is not None else None)
    made = next(
        (record.asset_materialization for record in instance.fetch_materializations(wanted, limit=1).records), None
    )
    if made is None:
        return {}
    told = {name: shown.value for name, shown in made.metadata.items() if "/" not in name and name != PORTAL}
    return {"rows": shown.value if (shown := made.metadata.get(ROW_COUNT)) else None} | told


def of_dataset(dataset: Dataset, base_url: str | None, *, columns: bool) -> dict[str, Any]:
    """Return a dataset's page, where its portal's address is given, and with ``columns`` its schema as metadata."""
    page: dict[str, Any] = {}
    if base_url is not None:
        page[PORTAL] = MetadataValue.url(dataset_page(base_url, dataset.dataset_id))
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
