"""Which engine loads into a lake, by its format."""

from __future__ import annotations

from ods_provider.tables.engine import Engine
from ods_provider.tables.engines.lake import lake_of
from ods_provider.tables.target import Target


def lake_engine(target: Target, token: str) -> Engine:
    """Return the engine for the format of a lake."""
    lake = lake_of(target)
    if lake.format == "delta":
        from ods_provider.tables.engines.delta import DeltaEngine

        return DeltaEngine(target, lake)
    if lake.format == "iceberg":
        from ods_provider.tables.engines.iceberg import IcebergEngine

        return IcebergEngine(target, lake, token)
    from ods_provider.tables.engines.parquetfolder import ParquetFolderEngine

    return ParquetFolderEngine(target, lake, token)
