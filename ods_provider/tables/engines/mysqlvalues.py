"""Arrow batches as the text of multi-row inserts, made column by column: no value passes through Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ods_provider.core.errors import OdsTableError
from ods_provider.tables.columns import Column

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 20_000


def inserts(table: str, columns: tuple[Column, ...], rows: pa.RecordBatchReader, *, most_bytes: int) -> Iterator[bytes]:
    """Yield statements that insert all rows of a reader.

    Args:
        table: The table's name, quoted.
        columns: Its columns, in the order of the batches.
        rows: Batches of them.
        most_bytes: Size of a statement at most; one row may be larger.

    Raises:
        OdsTableError: A number is none that the database has: NaN or infinite.
    """
    names = ", ".join(f"`{column.name.replace('`', '``')}`" for column in columns)
    head = f"INSERT INTO {table} ({names}) VALUES ".encode()
    before = 0
    for batch in rows:
        for start in range(0, batch.num_rows, _BATCH_ROWS):
            piece = batch.slice(start, _BATCH_ROWS)
            yield from _cut(head, _tuples(piece, columns, before + start), most_bytes)
        before += batch.num_rows


def _cut(head: bytes, tuples: Any, most_bytes: int) -> Iterator[bytes]:
    held: list[bytes] = []
    size_bytes = 0
    for text in tuples.to_pylist():
        if held and size_bytes + len(text) > most_bytes:
            yield head + b",".join(held)
            held, size_bytes = [], 0
        held.append(text)
        size_bytes += len(text) + 1
    if held:
        yield head + b",".join(held)


def _tuples(batch: pa.RecordBatch, columns: tuple[Column, ...], before: int) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not columns:
        return pa.array([b"()"] * batch.num_rows, pa.binary())
    parts = [_literals(batch.column(at), column, before) for at, column in enumerate(columns)]
    joined = pc.binary_join_element_wise(*parts, b",")
    return pc.binary_join_element_wise(b"(", joined, b")", b"")


def _literals(values: Any, column: Column, before: int) -> Any:
    """Return the values of a column as SQL writes them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    null = pa.scalar(b"NULL", pa.binary())
    if column.kind == "bool":
        text = pc.if_else(values, pa.scalar(b"1", pa.binary()), pa.scalar(b"0", pa.binary()))
        return pc.fill_null(text, null)
    if column.kind == "double":
        strange = pc.and_kleene(pc.is_valid(values), pc.invert(pc.is_finite(values)))
        if pc.any(strange).as_py():
            at = pc.index(strange, True).as_py()
            raise OdsTableError(
                f"row {before + at + 1} holds {values[at].as_py()}, which MariaDB and MySQL have no number for",
                where=f"column {column.name}",
                advice="Leave such rows out by where=, or load the field as text",
            )
    if column.kind == "datetime":
        values = pc.cast(values, pa.timestamp("us"))  # in UTC, without a zone: the columns have none
    if column.kind in ("int", "double", "decimal"):
        return pc.fill_null(_bytes(values), null)
    prefix = b"_binary'" if column.kind in ("binary", "geometry") else b"'"
    text = _bytes(values)
    if column.kind in ("text", "json", "binary", "geometry"):
        text = pc.replace_substring(text, b"\\", b"\\\\")
        text = pc.replace_substring(text, b"'", b"\\'")
    return pc.fill_null(pc.binary_join_element_wise(prefix, text, b"'", b""), null)


def _bytes(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_binary(values.type):
        return values
    return pc.cast(pc.cast(values, pa.string()), pa.binary())
