"""Rows as an Arrow table, for IO managers that keep frames: with the types of the dataset, and columns without rows."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import shown
from ods_provider.core.plans import catalog
from ods_provider.core.schema import Dataset, Field
from ods_provider.core.source import CATALOG
from ods_provider.core.times import parse_time
from ods_provider.jobs.context import Job, JobContext

_WAYS = ("list", "arrow")


class Described:
    """A search that asks for the dataset's description first: one call more, for the types of its columns.

    Args:
        job: The search.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)

    def work(self, ctx: JobContext) -> Any:
        """Do the search's work."""
        if self._job.dataset_id is not None:
            ctx.at(getattr(self._job, "source", CATALOG)).client.run(catalog.dataset(self._job.dataset_id))
        return self._job.work(ctx)


def as_arrow(rows_as: str, *, rows: bool) -> bool:
    """Return whether rows are given on as a table.

    Raises:
        OdsConfigError: There is no such way, or no rows are given on.
    """
    if rows_as not in _WAYS:
        raise OdsConfigError(
            f"rows_as={shown(rows_as)} is not known", where="argument rows_as", advice=f"Use {' or '.join(_WAYS)}"
        )
    if rows_as == "arrow" and not rows:
        raise OdsConfigError(
            "rows_as goes with rows that are given on, and here is a file or a map",
            where="argument rows_as",
            advice="Leave out path and geojson, or rows_as",
        )
    return rows_as == "arrow"


def table_of(rows: Sequence[Mapping[str, Any]], dataset: Dataset | None) -> Any:
    """Return rows as a ``pyarrow.Table``; a value that has not its field's type decides over the column's.

    Args:
        rows: As a search gives them.
        dataset: Their dataset, None where nobody described it.
    """
    import pyarrow as pa  # late: a code location is loaded without it

    fields = {field.name: field for field in dataset.fields} if dataset else {}
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(fields)
    return pa.table({name: _column([row.get(name) for row in rows], fields.get(name)) for name in names})


def _column(values: list[Any], field: Field | None) -> Any:
    import pyarrow as pa

    kind, read = _kind(field) if field else (None, None)
    told: list[tuple[Any, Callable[[Any], Any] | None]] = [(None, None), (pa.string(), _text)]
    for type_, convert in [(kind, read), *told] if field else told:
        try:
            return pa.array([None if each is None else convert(each) if convert else each for each in values], type_)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            continue
    raise AssertionError("everything is a text")


def _kind(field: Field) -> tuple[Any, Callable[[Any], Any] | None]:
    import pyarrow as pa

    plain = {"text": pa.string(), "int": pa.int64(), "double": pa.float64(), "boolean": pa.bool_()}
    if field.type in plain:
        return (pa.list_(plain[field.type]) if field.multivalued else plain[field.type]), None
    if field.type == "date":
        return pa.date32(), date.fromisoformat
    if field.type == "datetime":
        return pa.timestamp("us", tz="UTC"), _moment
    if field.type == "geo_point_2d":
        return pa.struct([("lon", pa.float64()), ("lat", pa.float64())]), None
    return pa.string(), _text


def _moment(value: Any) -> Any:
    found = parse_time(value)
    if found is None:
        raise ValueError("no time")
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
