"""Records as portals hand them out, made records as a portal takes them in.

A page of an API, a GeoJSON collection and the rows of the older API hold records inside an envelope. A portal that is
sent the envelope takes it for the record, finds no field that it knows, and stores a row of nulls without a word (Q20).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Literal, TypeVar

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.schema import Dataset

T = TypeVar("T")
Record = Mapping[str, Any]
UnknownFields = Literal["refuse", "send"]
Describe = Callable[[], Dataset | None]
_COMPARED = 100  # of the records, at the beginning
_NAMED = 20  # of the names, in a message


def _unseen() -> None:
    return None


def opened(records: Iterable[Record], describe: Describe = _unseen, *, where: str) -> Iterator[Record]:
    """Yield records without the envelope that they came in; plain ones as they are.

    What the first record is, all must be: ``{"total_count", "results"}`` of Explore v2.1, ``{"nhits", "records"}`` of
    the older API and its ``{"datasetid", "recordid", "fields"}``, ``{"record": {"fields"}}`` of v2.0, or GeoJSON.

    Args:
        records: Of a file, an earlier task, or a portal.
        describe: Returns the dataset that they go into, None when its schema cannot be read: then geometries of
            features have no field. It is asked for envelopes only.
        where: Where they come from, for messages.

    Raises:
        OdsConfigError: An answer holds one page of several, or a feature's geometry has no field of its own.
    """
    each = iter(records)
    first = next(each, None)
    if first is None:
        return
    whole = chain([first], each)
    if not is_envelope(first) or set(first) <= set(names_of(describe())):
        yield from whole
    elif _answer(first) is not None:
        inside = (record for number, answer in enumerate(whole) for record in _page(answer, number, where))
        yield from opened(inside, describe, where=where)
    else:
        for number, record in enumerate(whole):
            made = _inside(record, describe, where) if isinstance(record, Mapping) else None
            if made is None:
                raise OdsConfigError(
                    f"record {number} is of another shape than the first",
                    where=where,
                    advice="Push one shape at a time",
                )
            yield made


def names_of(dataset: Dataset | None) -> list[str]:
    """Return the names of a dataset's fields, none when it is not known."""
    return [each.name for each in dataset.fields] if dataset else []


def is_envelope(record: Any) -> bool:
    """Return whether a record is what holds records, or holds one, and none itself by its looks."""
    return isinstance(record, Mapping) and (_answer(record) is not None or _shape(record) is not None)


def _answer(record: Record) -> list[Any] | None:
    """Return the records of a whole answer or collection; None when it is neither."""
    for count, rows in (("total_count", "results"), ("total_count", "records"), ("nhits", "records")):
        if count in record and isinstance(record.get(rows), list):
            return list(record[rows])
    features = record.get("features")
    return list(features) if record.get("type") == "FeatureCollection" and isinstance(features, list) else None


def _page(answer: Any, number: int, where: str) -> list[Any]:
    rows = _answer(answer) if isinstance(answer, Mapping) else None
    if rows is None:
        raise OdsConfigError(
            f"record {number} is no answer, as the first is", where=where, advice="Push one shape at a time"
        )
    total = answer.get("total_count", answer.get("nhits"))
    if isinstance(total, int) and total > len(rows):
        raise OdsConfigError(
            f"an answer of the API holds {len(rows)} of {counted(total, 'records')}",
            where=where,
            advice="Push an export or a download, which holds them all",
        )
    return rows


def _shape(record: Record) -> str | None:
    """Return what kind of envelope a single record lies in, None when in none."""
    if {"datasetid", "recordid", "fields"} <= set(record) and isinstance(record["fields"], Mapping):
        return "v1"
    if isinstance(record.get("record"), Mapping) and isinstance(record["record"].get("fields"), Mapping):
        return "v2.0"
    return "feature" if record.get("type") == "Feature" and "properties" in record else None


def _inside(record: Record, describe: Describe, where: str) -> Record | None:
    shape = _shape(record)
    if shape == "feature":
        return _of_feature(record, describe, where)
    holder = record if shape == "v1" else record["record"] if shape else {}
    fields: Record | None = holder.get("fields")
    return fields


def _of_feature(feature: Record, describe: Describe, where: str) -> Record | None:
    properties = feature["properties"]
    if not isinstance(properties, (Mapping, type(None))):
        return None
    record = dict(properties or {})
    geometry = feature.get("geometry")
    if geometry is None:
        return record
    dataset = describe()
    fields = dataset.fields if dataset else ()
    shapes = [each.name for each in fields if each.type == "geo_shape"]
    points = [each.name for each in fields if each.type == "geo_point_2d"]
    if len(shapes) == 1:
        return {shapes[0]: geometry, **record}
    if not shapes and len(points) == 1 and isinstance(geometry, Mapping) and geometry.get("type") == "Point":
        lon, lat = geometry["coordinates"][:2]
        return {points[0]: {"lon": lon, "lat": lat}, **record}
    raise OdsConfigError(
        "the geometry of a feature has no field of its own",
        where=where,
        advice=(
            f"Write it under its field's name, in JSON lines; fields of geometries are: "
            f"{', '.join(shapes + points) or 'none that the key may see'}"
        ),
    )


@dataclass(slots=True)
class Names:
    """The names in the first records, collected while these go by.

    Args:
        where: Where the records come from, for messages.
    """

    where: str
    _first: dict[str, int] = field(default_factory=dict)

    def watching(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records as they are."""
        each = iter(records)
        for number, record in enumerate(islice(each, _COMPARED)):
            self.see(record, number)
            yield record
        yield from each

    def see(self, record: Record, number: int) -> None:
        """Collect the names in one record."""
        for name in record if isinstance(record, Mapping) else ():
            self._first.setdefault(str(name), number)

    def before(self, batches: Iterable[T], describe: Describe) -> Iterator[T]:
        """Yield batches of the records; the names are looked up before the first, once all of it is ready.

        What is wrong with a record itself needs no call to be found.

        Raises:
            OdsConfigError: A name is no field.
        """
        each = iter(batches)
        for batch in islice(each, 1):
            self.expect_known(describe())
            yield batch
            del batch  # which may be large, before the next one is made
        yield from each

    def expect_known(self, dataset: Dataset | None) -> None:
        """Look the names up among the fields of the dataset; without a schema nothing is compared.

        Raises:
            OdsConfigError: A name is no field; the message lists those that are.
        """
        fields = names_of(dataset)
        unknown = [name for name in self._first if name not in fields]
        if dataset is None or not fields or not unknown:
            return
        raise OdsConfigError(
            f"record {self._first[unknown[0]]} names {_listed(unknown)}, which {dataset.dataset_id} does not have",
            where=self.where,
            advice=(
                f"Its fields are {_listed(fields)}; a portal drops others without a word. "
                "Where a processor of the dataset takes them, pass unknown_fields='send'"
            ),
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(repr, names[:_NAMED])) + more
