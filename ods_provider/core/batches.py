"""Fill push batches by encoded bytes: records go into one buffer, which is sent when the next would not fit (Q51)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.limits import PUSH_BYTES


@dataclass(frozen=True, slots=True)
class Batch:
    """One encoded batch: ``rows`` records, the first of them number ``first_row`` (from 0) of the whole."""

    body: bytes = field(repr=False)
    rows: int
    first_row: int


def batches(records: Iterable[Mapping[str, Any]], *, batch_bytes: int = PUSH_BYTES) -> Iterator[Batch]:
    """Yield JSON arrays of at most ``batch_bytes`` encoded bytes, as few as will hold the records in order.

    The same records give the same batches, so that a batch number is enough to go on after an interruption.

    Args:
        records: Mappings of field to value; dates and times become ISO 8601 text.
        batch_bytes: Largest body, in bytes.

    Raises:
        OdsConfigError: A record is no mapping, cannot be encoded, or does not fit by itself; the message numbers it.
    """
    encode = _encoder()
    buffer = bytearray(b"[")
    first = number = 0
    for number, record in enumerate(records):
        piece = _encoded(encode, record, number, batch_bytes)
        if len(buffer) > 1 and len(buffer) + len(piece) + 1 > batch_bytes:
            buffer[-1:] = b"]"
            yield Batch(bytes(buffer), number - first, first)
            buffer[1:] = b""
            first = number
        buffer += piece
        buffer += b","
    if len(buffer) > 1:
        buffer[-1:] = b"]"
        yield Batch(bytes(buffer), number + 1 - first, first)


def _encoded(encode: Callable[[Any], bytes], record: Any, number: int, batch_bytes: int) -> bytes:
    if not isinstance(record, Mapping):
        raise OdsConfigError(
            f"record {number} is a {type(record).__name__}, not a mapping of fields",
            where="argument records",
            advice="Push a list of dicts",
        )
    try:
        piece = encode(record)
    except (TypeError, ValueError) as error:
        raise OdsConfigError(
            f"record {number} cannot be written as JSON: {error}", where="argument records", advice="Convert that value"
        ) from None
    if len(piece) + 2 > batch_bytes:
        raise OdsConfigError(
            f"record {number} takes {len(piece)} bytes, more than a batch of {batch_bytes} may hold",
            where="argument records",
            advice="The portal takes 5 MB per call: make the record smaller",
        )
    return piece


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def _encoder() -> Callable[[Any], bytes]:
    try:
        import msgspec
    except ImportError:
        return lambda record: json.dumps(
            record, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
        ).encode()
    encode = msgspec.json.Encoder(enc_hook=_plain, decimal_format="number").encode

    def checked(record: Any) -> bytes:
        # msgspec writes NaN and infinity as null; json.dumps refuses them. Both installations shall do the same.
        _refuse_nonfinite(record)
        return encode(record)

    return checked


def _refuse_nonfinite(record: Mapping[str, Any]) -> None:
    for name, value in record.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}")
