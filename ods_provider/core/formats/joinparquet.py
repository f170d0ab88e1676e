"""Make one Parquet file of several: one schema, and row groups that are neither long nor large."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from ods_provider.core.errors import OdsMismatch
from ods_provider.core.formats.unlike import Part, unlike

_PIECE_BYTES = 262_144
_GEO = b"geo"  # the key of GeoParquet
_GROUP_ROWS = 65_536
_GROUP_BYTES = 16_777_216  # in memory, at which a row group ends sooner: cells may hold whole coastlines
_BATCH_ROWS = 1_024  # at once, and fewer where the footer tells that they are large; it need not
_LEAST_BATCH_ROWS = 16


def joined_parquet(parts: Sequence[Part]) -> Iterator[bytes]:
    """Return the bytes of one Parquet file with the row groups of all parts, regrouped, under one schema.

    Raises:
        OdsMismatch: While it is read: the parts have other columns, or types that do not fit together.
    """
    # Imported late: 26 MB that only Parquet has to pay for.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema, packing = _schema_of(parts)
    except pa.ArrowException as error:
        raise OdsMismatch(
            f"the parts have columns of different types: {str(error).partition(chr(10))[0][:200]}",
            advice="Pass layout='folder', which keeps the parts apart, or parallel=1",
        ) from None
    sink = _Drain()
    with pa.PythonFile(sink, mode="w") as target, pq.ParquetWriter(target, schema, compression=packing) as writer:
        for part in parts:
            with part() as file:
                whole = pq.ParquetFile(file, buffer_size=_PIECE_BYTES, pre_buffer=False)
                for table in _groups(whole):
                    writer.write_table(table.cast(schema))
                    yield sink.taken()
        writer.close()
        yield sink.taken()


def _groups(whole: Any) -> Iterator[Any]:
    """Give the rows of a Parquet file in tables that are neither long nor large."""
    import pyarrow as pa

    told = whole.metadata
    stated = sum(told.row_group(number).total_byte_size for number in range(told.num_row_groups))
    fit = _GROUP_BYTES // 4 * told.num_rows // max(1, stated)
    held: list[Any] = []
    rows = size = 0
    for batch in whole.iter_batches(batch_size=max(_LEAST_BATCH_ROWS, min(_BATCH_ROWS, fit)), use_threads=False):
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held, rows, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)


def _schema_of(parts: Sequence[Part]) -> tuple[Any, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas: list[Any] = []
    packing = "snappy"
    for number, part in enumerate(parts):
        with part() as file:
            whole = pq.ParquetFile(file)
            schemas.append(whole.schema_arrow)
            if schemas[-1].names != schemas[0].names:
                raise unlike("other columns", number)
            if whole.metadata.num_row_groups and whole.metadata.num_columns:
                packing = whole.metadata.row_group(0).column(0).compression.lower()
    same = all(each.equals(schemas[0]) for each in schemas)
    # A part of nothing but nulls may come without a type of its own.
    schema = schemas[0] if same else pa.unify_schemas(schemas)
    told = [(each.metadata or {}).get(_GEO) for each in schemas]
    if any(each != told[0] for each in told):
        kept = _geo_of(told)
        others = {name: text for name, text in (schema.metadata or {}).items() if name != _GEO}
        schema = schema.with_metadata(others | ({} if kept is None else {_GEO: kept}))
    return schema, "none" if packing == "uncompressed" else packing


def _geo_of(told: Sequence[bytes | None]) -> bytes | None:
    """Return what GeoParquet says of the whole: no part's own bounds and kinds of shapes; None where parts differ."""
    made = []
    for each in told:
        try:
            geo = json.loads(each or b"")
            for column in geo["columns"].values():
                column.pop("bbox", None)
                # An empty list is "not known".
                column["geometry_types"] = []
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
        made.append(geo)
    return json.dumps(made[0]).encode() if all(geo == made[0] for geo in made) else None


class _Drain(io.RawIOBase):
    """A file that is written from one side and emptied from the other."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        held, self._held = b"".join(self._held), []
        return held
