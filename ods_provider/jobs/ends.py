"""What a job reads and what it writes: the two ends of a lineage, whatever the scheduler that shows it.

It is told by the job (before it runs), by what was heard while it ran, and by what came of it. Nothing is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.events import DatasetDescribed, Event, JobStarted, RequestSent
from ods_provider.core.given import is_given
from ods_provider.core.query import Query
from ods_provider.core.schema import Dataset
from ods_provider.core.source import CATALOG, named, source_named
from ods_provider.jobs.download import DownloadJob

DONE = "done"  # what a mirror's rows say of a dataset that was brought
_NAMED = frozenset({"csv", "geojson", "json", "jsonl", "parquet"})  # formats whose columns are called as the fields
EVERY = "*"  # of a portal's datasets: no id is that
_LAST_ASKED = re.compile(r"/(exports|records|facets|aggregates|analyze|search|download)\b")
_GEO = ("geo_point_2d", "geo_shape")
_SAFE = re.compile(r"[a-z_][a-z0-9_]{0,59}")
_PLAIN = re.compile(r"[\w-]+")
_ALIAS = re.compile(r"([\w-]+)\s+as\s+([\w-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PortalData:
    """A dataset of the portal.

    Attributes:
        name: As ``core.source.named`` calls it; ``catalog/*`` for all of them.
        dataset: As the portal described it, None where nobody asked.
        rows: That were read or written, None where that is not known.
        version: State of its data, ISO 8601.
    """

    name: str
    dataset: Dataset | None = field(default=None, repr=False)
    rows: int | None = None
    version: str | None = None

    @property
    def is_one(self) -> bool:
        """Whether it is one dataset, and not all of them."""
        return not self.name.endswith(EVERY)


@dataclass(frozen=True, slots=True)
class FileAt:
    """A file, or a folder of files.

    Attributes:
        url: Where, as an Outcome says it.
        rows, size_bytes, sha256, files: Of it, None where not known.
        whole: Whether this is all of it, and no part of what several tasks write.
    """

    url: str
    rows: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    files: int | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class TableIn:
    """A table.

    Attributes:
        destination: The database, as the user named it; a URL may hold a password.
        table: ``table`` or ``schema.table``.
        rows: That were loaded, None where not known.
        whole: Whether they took the place of all others.
    """

    destination: Any = field(repr=False)
    table: str
    rows: int | None = None
    whole: bool = True


End = PortalData | FileAt | TableIn


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends of a job.

    Attributes:
        reads, writes: What is at them.
        same: Which column of what was written holds which field of the dataset as it is; empty where not known.
    """

    reads: tuple[End, ...] = ()
    writes: tuple[End, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)


class Heard:
    """What a job's events tell of its ends: a listener of ``run_job``, or of a client.

    Attributes:
        portal: Base URL of the portal, empty until the job began.
        query: The call that brought the data, without credentials; None while none did.
        wrote: Whether something was to be changed on the portal.
    """

    def __init__(self, portal: str = "") -> None:
        self.portal = portal
        self.query: str | None = None
        self.wrote = False
        self._described: dict[str, Dataset] = {}
        self._asks_for_data = False

    def __call__(self, event: Event) -> None:
        """Hear of one event; those of several threads may come at once."""
        if isinstance(event, JobStarted):
            self.portal = event.portal
        elif isinstance(event, DatasetDescribed):
            self._described[named(event.source, event.dataset.dataset_id)] = event.dataset
        elif isinstance(event, RequestSent) and event.status < 400:
            self.wrote = self.wrote or event.writes
            self._keep_query(event)

    def dataset(self, name: str) -> Dataset | None:
        """Return what the portal said of a dataset."""
        return self._described.get(name)

    def _keep_query(self, sent: RequestSent) -> None:
        """Keep the first call for data, an export above all; before there is one, any call that reads."""
        if sent.writes or sent.kind == "token" or self._asks_for_data:
            return
        asks = _LAST_ASKED.search(sent.url) is not None and "limit=0" not in sent.url
        if asks or self.query is None:
            self.query = sent.url
        self._asks_for_data = sent.kind == "export"


def ends_of(job: Any, heard: Heard, result: Any = None) -> Ends:
    """Return what a job reads and writes, by what is known of it.

    Args:
        job: Any job: what it is about stands in its attributes, and ``changes_portal`` says whether it writes there.
        heard: What was heard while it ran, nothing before.
        result: What it returned; None while it did not, or where it had nothing to do: then nothing is written that is
            known.
    """
    asked = getattr(job, "download", job)
    told: Mapping[str, Any] = result if isinstance(result, Mapping) else {}
    started, changes = bool(heard.portal), getattr(job, "changes_portal", heard.wrote)
    data = _portal_data(job, asked, heard, told, result)
    if changes:
        idle = told.get("dry_run") or told.get("unchanged") or (started and result is None)
        path = _path(asked, told)
        files: tuple[End, ...] = () if path is None else (FileAt(path, **_of_file(told, started)),)
        return Ends(reads=files + (data if idle else ()), writes=() if idle else data)
    if told.get("unchanged") or (started and result is None):
        return Ends(reads=data)
    writes = tuple(_written(job, asked, told, started, result))
    return Ends(reads=data, writes=writes, same=_same(job, asked, data))


def _portal_data(job: Any, asked: Any, heard: Heard, told: Mapping[str, Any], result: Any) -> tuple[End, ...]:
    source = told.get("source") or getattr(asked, "source", CATALOG)
    due = [each.dataset_id for each in getattr(job, "due", ())]
    if due:
        return tuple(PortalData(each) for each in due)
    # An Outcome knows the id where the user gave a uid.
    name = named(source_named(source), told.get("dataset_id") or job.dataset_id)
    if name is None or name.endswith("/"):
        return (PortalData(f"{source}/{EVERY}"),)
    dataset = heard.dataset(name)
    rows = told.get("rows")
    if isinstance(result, list) and not hasattr(job, "parts"):
        rows = len(result)
    version = told.get("data_processed")
    if version is None and result is not None and dataset is not None and dataset.data_processed is not None:
        version = dataset.data_processed.isoformat()
    return (PortalData(name, dataset, rows if type(rows) is int else None, version),)


def _path(asked: Any, told: Mapping[str, Any]) -> str | None:
    path = told.get("path") or getattr(asked, "path", None)
    return None if path is None else str(path)


def _of_file(told: Mapping[str, Any], started: bool) -> dict[str, Any]:
    return {name: told.get(name) for name in ("rows", "size_bytes", "sha256", "files")} if started else {}


def _written(job: Any, asked: Any, told: Mapping[str, Any], started: bool, result: Any) -> Iterator[End]:
    if (table := getattr(job, "table", None)) is not None:
        yield TableIn(job.destination, str(table), told.get("rows"), job.mode == "replace")
    elif (order := getattr(job, "order", None)) is not None:
        yield from _mirrored(order, getattr(job, "due", ()), result if started else None)
    elif hasattr(job, "parts") and not told:
        return  # it names parts of a file that others write
    elif (part := getattr(job, "part", None)) is not None:
        yield FileAt(part["target"], **_of_file(told, started), whole=False)
    elif (path := _path(asked, told)) is not None:
        yield FileAt(path, **_of_file(told, started))


def _mirrored(order: Any, due: Sequence[Any], rows: Sequence[Mapping[str, Any]] | None) -> Iterator[End]:
    brought = None if rows is None else {each["dataset_id"] for each in rows if each["what"] == DONE}
    for each in due:
        if brought is not None and each.dataset_id not in brought:
            continue
        if order.into == "tables":
            yield TableIn(order.to, f"{order.schema}.{each.place}" if order.schema else each.place)
        else:
            yield FileAt(f"{str(order.to).rstrip('/')}/{each.place}")


def _same(job: Any, asked: Any, data: tuple[End, ...]) -> dict[str, str]:
    """Return the fields that are written as they are, by the name that they get."""
    first = data[0]
    query: Any = getattr(asked, "query", None)
    if not isinstance(first, PortalData) or first.dataset is None or not _keeps_names(asked) or query.group_by:
        return {}
    fields = {each.name: each for each in first.dataset.fields}
    select = query.select
    kept = {name: name for name in fields} if select is None else _plain(select, fields)
    table = getattr(job, "table", None) is not None
    if table or asked.format.name == "geojson":
        # Points and shapes become other columns there, or the geometry.
        kept = {column: name for column, name in kept.items() if fields[name].type not in _GEO}
    # Other names may be others in a database.
    return {column: name for column, name in kept.items() if not table or _SAFE.fullmatch(column)}


def _keeps_names(asked: Any) -> bool:
    """Return whether this is a download of Explore whose columns are called as the fields."""
    if not isinstance(asked, DownloadJob) or not isinstance(asked.query, Query):
        return False
    named_by_label = (asked.format_options or {}).get("use_labels")
    return asked.format.name in _NAMED and str(named_by_label).lower() not in ("true", "1")


def _plain(select: str, fields: Mapping[str, Any]) -> dict[str, str]:
    kept: dict[str, str] = {}
    if "(" in select or '"' in select or "'" in select:
        return kept  # a comma may stand within
    for each in map(str.strip, select.split(",")):
        alias = _ALIAS.fullmatch(each)
        name, column = (alias[1], alias[2]) if alias else (each, each)
        if name == "*":
            kept |= {field: field for field in fields}
        elif _PLAIN.fullmatch(name) and name in fields:
            kept[column] = name
    return kept


def watched(dataset_id: Any, source: Any, heard: Heard, result: Mapping[str, Any] | None) -> Ends:
    """Return what somebody reads who only looks: a dataset, or where none is named all of them.

    Args:
        dataset_id: As the user named it.
        source: As the user named it.
        heard: What was heard while it was looked at.
        result: What was seen: ``records_count``, ``data_processed``; None while nothing was.
    """
    where = source_named(source)
    if not is_given(dataset_id):
        return Ends(reads=(PortalData(f"{where}/{EVERY}"),))
    name, told = named(where, dataset_named(dataset_id)), result or {}
    return Ends(reads=(PortalData(name, heard.dataset(name), told.get("records_count"), told.get("data_processed")),))
