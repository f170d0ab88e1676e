"""Rows on their way out: into XCom while they fit, else into a JSON lines file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from ods_provider.core.clusters import feature_collection
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.outcome import outcome
from ods_provider.jobs.context import JobContext
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.writer import FileWriter

T = TypeVar("T")


def as_json(value: Any, separators: tuple[str, str] = (",", ":")) -> bytes:
    """Return a row as JSON on one line."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=separators).encode()
    except UnicodeEncodeError:
        # Half a character, as a cut emoji leaves it: it stays as the portal wrote it, escaped.
        return json.dumps(value, separators=separators).encode()


class Allowance:
    """How many more bytes of rows may go to XCom.

    Args:
        max_bytes: The most, as JSON.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._used = 0  # each row costs its text and two marks: the brackets of the list, or a comma and a space

    def take(self, rows: Iterable[Any]) -> None:
        """Count rows in.

        Raises:
            OdsConfigError: They no longer fit.
        """
        for row in rows:
            self._used += len(as_json(row, (", ", ": "))) + 2
            if self._used > self._max_bytes:
                raise OdsConfigError(
                    f"the rows take more than max_xcom_bytes ({self._max_bytes})",
                    where="argument max_xcom_bytes",
                    advice="Give a path to write them to a file, or select fewer fields, or set a limit",
                )

    def fitting(self, rows: Iterable[T]) -> Iterator[T]:
        """Yield rows while they fit."""
        for row in rows:
            self.take([row])
            yield row


def write_rows(ctx: JobContext, place: Destination, rows: Iterable[Mapping[str, Any]], **known: Any) -> dict[str, Any]:
    """Write rows as JSON lines and return the Outcome."""
    count = 0
    with FileWriter(place, token=ctx.token) as writer:
        for row in rows:
            writer.write(as_json(row) + b"\n")
            count += 1
        writer.commit()
    dataset_id = known.get("dataset_id")
    return outcome(
        **known,
        path=place.url,
        format="jsonl",
        rows=count,
        size_bytes=writer.size_bytes,
        sha256=writer.sha256,
        calls=ctx.calls,
        quota_remaining=ctx.remaining(dataset_id),
        **ctx.source_told,
    )


def give_rows(
    ctx: JobContext,
    place: Destination | None,
    rows: Iterable[Mapping[str, Any]],
    *,
    max_xcom_bytes: int,
    dataset_id: str | None,
) -> Any:
    """Return rows, or the Outcome of the file that holds them.

    Raises:
        OdsConfigError: They do not fit into XCom and no place was given.
    """
    if place is not None:
        return write_rows(ctx, place, rows, dataset_id=dataset_id)
    return list(Allowance(max_xcom_bytes).fitting(rows))


def give_map(
    ctx: JobContext, place: Destination | None, clusters: list[dict[str, Any]], *, max_xcom_bytes: int, dataset_id: Any
) -> dict[str, Any]:
    """Return clusters as GeoJSON, or the Outcome of the file that holds it.

    Raises:
        OdsConfigError: They do not fit into XCom and no place was given.
    """
    collection = feature_collection(clusters)
    if place is None:
        Allowance(max_xcom_bytes).take(collection["features"])
        return collection
    with FileWriter(place, token=ctx.token) as writer:
        writer.write(as_json(collection))
        writer.commit()
    return outcome(
        dataset_id=dataset_id,
        path=place.url,
        format="geojson",
        rows=len(clusters),
        size_bytes=writer.size_bytes,
        sha256=writer.sha256,
        calls=ctx.calls,
        quota_remaining=ctx.remaining(dataset_id),
        **ctx.source_told,
    )
