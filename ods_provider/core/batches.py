"""Fill push batches by encoded bytes: records go into one buffer, which is sent when the next would not fit (Q51)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faithful import Unfaithful, faithful, is_flat
from ods_provider.core.legible import kind_of
from ods_provider.core.limits import PUSH_BYTES

Encode = Callable[[Any], bytes]
MOST_AHEAD = 64
_AHEAD_BYTES = 32_768  # of records that are encoded together


@dataclass(frozen=True, slots=True)
class Batch:
    """One encoded batch: ``rows`` records, the first of them number ``first_row`` (from 0) of the whole."""

    body: bytes = field(repr=False)
    rows: int
    first_row: int


def batches(
    records: Iterable[Mapping[str, Any]],
    *,
    batch_bytes: int = PUSH_BYTES,
    first_row: int = 0,
    most_ahead: int = MOST_AHEAD,
) -> Iterator[Batch]:
    """Yield JSON arrays of at most ``batch_bytes`` encoded bytes, as few as will hold the records in order.

    The same records give the same batches, so that a batch number is enough to go on after an interruption.

    Args:
        records: Mappings of field to value, of types that ``faithful`` takes.
        batch_bytes: Largest body, in bytes.
        first_row: Number of the first of them, where others were sent before.
        most_ahead: How many small ones may be read before they are encoded, together: half the time of one by one.

    Raises:
        OdsConfigError: A record is no mapping, holds a value without a faithful form, or does not fit by itself; the
            message numbers it, and names the field.
    """
    encode = encoder()
    buffer = bytearray(b"[")
    first = number = first_row
    each = iter(records)
    ahead = 1
    while some := list(islice(each, ahead)):
        together = _together(encode, some)
        if together and len(buffer) + len(together) + 1 <= batch_bytes:
            buffer += together
            buffer += b","
            number += len(some)
            ahead = max(1, min(most_ahead, _AHEAD_BYTES * len(some) // len(together)))
            continue
        ahead = 1 if together is None else ahead
        for record in some:
            piece = encoded(encode, record, number)
            if len(piece) + 2 > batch_bytes:
                raise too_large(number, len(piece), batch_bytes)
            if len(buffer) > 1 and len(buffer) + len(piece) + 1 > batch_bytes:
                buffer[-1:] = b"]"
                yield Batch(bytes(buffer), number - first, first)
                buffer[1:] = b""
                first = number
            buffer += piece
            buffer += b","
            number += 1
    if len(buffer) > 1:
        buffer[-1:] = b"]"
        yield Batch(bytes(buffer), number - first, first)


def _together(encode: Encode, some: list[Any]) -> bytes | None:
    """Return records as JSON with commas between them; None when they have to be looked at one by one."""
    try:
        for record in some:
            if type(record) is not dict or not is_flat(record):
                return None
        return encode(some)[1:-1]
    except ValueError:  # half a character
        return None


def encoded(encode: Encode, record: Any, number: int) -> bytes:
    """Return a record as JSON.

    Args:
        encode: From ``encoder``.
        record: A mapping.
        number: Which record it is, for messages.

    Raises:
        OdsConfigError: It is no mapping, or holds a value without a faithful form.
    """
    try:
        # Most records are flat, and then their encoder alone is several times as fast.
        if type(record) is dict and is_flat(record):
            return encode(record)
    except ValueError:
        pass  # half a character: found below, with its place
    if not isinstance(record, Mapping):
        raise OdsConfigError(
            f"record {number} is {kind_of(record)}, not a mapping of fields",
            where="argument records",
            advice="Push a list of dicts",
        )
    try:
        return encode(faithful(record))
    except Unfaithful as error:
        raise OdsConfigError(
            f"record {number}: {error.what}",
            where=f"field {error.field}" if error.path else "argument records",
            advice=error.advice,
        ) from None


def too_large(number: int, size_bytes: int, batch_bytes: int) -> OdsConfigError:
    """Return the error of a record that no batch holds."""
    return OdsConfigError(
        f"record {number} takes {size_bytes} bytes, more than a batch of {batch_bytes} may hold",
        where="argument records",
        advice="The portal takes 5 MB per call: make the record smaller",
    )


def encoder(*, fast: bool = True) -> Encode:
    """Return what writes a value of JSON's own types: msgspec where it is installed, which is several times as fast.

    Args:
        fast: False takes the standard library's, as an installation without msgspec does.
    """
    try:
        import msgspec
    except ImportError:
        fast = False
    if fast:
        return msgspec.json.Encoder().encode
    return lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
