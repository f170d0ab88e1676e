"""Which files a dataset has, of each kind, and under which names they will lie."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.odsql import identifier
from ods_provider.core.plans.explore import path
from ods_provider.core.plans.rows import ExploreRows
from ods_provider.core.query import Query
from ods_provider.core.reading import Reader, settled
from ods_provider.core.schema import Dataset
from ods_provider.core.segments import segment
from ods_provider.core.wire import Plan
from ods_provider.sinks.names import safe_name, unique_names

THUMBNAIL_PX = 300  # the one size that is documented


@dataclass(frozen=True, slots=True)
class Item:
    """One file to fetch.

    Attributes:
        unit: Its name in the ledger.
        urls: Where it may be; the first that is there is taken.
        name: As what it will lie in the folder.
        said: What the portal says of it.
    """

    unit: str
    urls: tuple[str, ...]
    name: str
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Files:
    """The files in a field of a dataset's records.

    Args:
        run: What runs a plan to its end.
        dataset: The dataset.
        field: The file-typed field; None takes the only one.
        query: Its filters narrow the records.
        limit: Files at most.
    """

    run: Callable[[Plan[Any]], Any]
    dataset: Dataset
    field: str | None
    query: Query
    limit: int | None

    def values(self) -> list[dict[str, Any]]:
        """Return the values of the field that name a file, each file once.

        Raises:
            OdsConfigError: The dataset has no such field.
            OdsNotFound: The field holds values that name no file.
        """
        dataset_id = self.dataset.dataset_id
        offered = [field.name for field in self.dataset.fields if field.type == "file"]
        field = field_of_files(offered, self.field, dataset_id)
        name = identifier(field)
        query = replace(self.query, select=name, where=(*self.query.where, f"{name} IS NOT NULL"))
        reader = Reader(self.run, ExploreRows(dataset_id, query))
        rows = settled(lambda: [row for batch in reader.batches(self.limit) for row in batch])
        return distinct(
            (row.get(field) for row in rows),
            field,
            dataset_id,
            address=lambda file_id: path("files", file_id, dataset_id=dataset_id),
        )


def field_of_files(offered: Sequence[str], asked: str | None, dataset_id: str) -> str:
    """Return which of the fields of files is meant: the one that is asked for, or the only one.

    Raises:
        OdsConfigError: There is none, or not this one; the message names those that are.
    """
    if asked is None and len(offered) == 1:
        return offered[0]
    if asked in offered:
        return str(asked)
    raise OdsConfigError(
        f"{asked!r} is no field of files" if asked else "the field of the files is not named",
        where=f"argument field, dataset {dataset_id}",
        advice=f"Fields of files are: {', '.join(offered) or 'none'}",
    )


def distinct(
    values: Iterable[Any], field: str, dataset_id: str, *, address: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return those values of a field that name a file, each file once and with its ``url``.

    Args:
        values: One of each record.
        field: Where they come from, for messages.
        dataset_id: The same.
        address: Where the file of an id is, for values that hold no address.

    Raises:
        OdsNotFound: There are values, and none names a file.
    """
    seen: dict[str, dict[str, Any]] = {}
    empty = True
    for value in values:
        empty = False
        if isinstance(value, dict) and (url := _address(value, address)):
            seen.setdefault(url, value | {"url": url})
    if not seen and not empty:
        raise OdsNotFound(
            f"the field {field} names no address to fetch its files from",
            status=200,
            where=f"dataset {dataset_id}",
            advice="Check that the field is of type file",
        )
    return list(seen.values())


def _address(value: dict[str, Any], address: Callable[[str], str]) -> str | None:
    """Return where a value's file is, None when the value names none: what it holds may be of any type."""
    url, file_id = value.get("url"), value.get("id")
    if isinstance(url, str) and url:
        return url
    known = isinstance(file_id, (str, int)) and not isinstance(file_id, bool) and file_id != ""
    return address(str(file_id)) if known else None


def pictures(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those that have a thumbnail: documents have none, and the portal says so."""
    return [value for value in found if value.get("thumbnail") is not False]


def thumbnail(value: dict[str, Any], dataset_id: str) -> tuple[str, ...]:
    """Return where the thumbnail of an image may be.

    The forms of API v1 and of the portal's own pages are those that the vendor's clients use; that of Explore v2.1 is
    not documented and is tried last (section 7).
    """
    file_id = str(value.get("id") or value["url"].rstrip("/").rpartition("/")[2])
    dataset, file = segment(dataset_id), segment(file_id)
    return (
        f"/api/datasets/1.0/{dataset}/files/{file}/{THUMBNAIL_PX}/",
        f"/explore/dataset/{dataset}/files/{file}/{THUMBNAIL_PX}/",
        f"{path('files', file_id, str(THUMBNAIL_PX), dataset_id=dataset_id)}/",
    )


def items(found: list[dict[str, Any]], urls: Callable[[dict[str, Any]], tuple[str, ...]], taken: str) -> list[Item]:
    """Return what was found as items with safe names of their own; ``taken`` is a name that none may have."""
    names = unique_names([taken, *(safe_name(_file_name(said)) for said in found)])[1:]
    made = []
    for said, name in zip(found, names, strict=True):
        each = urls(said)
        # Named by its address: the same file is the same unit even when the list has changed meanwhile.
        unit = "file-" + hashlib.sha256(f"{each[0]}\n{name}".encode(errors="surrogatepass")).hexdigest()[:20]
        made.append(Item(unit, each, name, said))
    return made


def _file_name(said: dict[str, Any]) -> str:
    named = (said.get(name) for name in ("filename", "title"))
    # No urlsplit, which stumbles over some addresses: what is wrong with one is said where it is sent.
    path = re.split("[?#]", str(said["url"]), maxsplit=1)[0]
    return next((name for name in named if isinstance(name, str) and name), None) or unquote(
        path.rstrip("/").rpartition("/")[2]
    )


def marked(said: dict[str, Any]) -> bool:
    """Return whether what is said of a file changes when the file does: then no state of the dataset need be compared.

    Source: values of file fields, whose id is a digest of the content, and which say when it was fetched.
    """
    return bool(said.get("last_synchronized") or said.get("etag"))


def state_of(metas: Any, *, records: bool) -> dict[str, str | None]:
    """Return the times of a dataset that move when its files may have.

    Args:
        metas: Its metadata, those called default in Explore v2.1.
        records: Whether the files are those of its records; attachments are replaced without any record's changing.
    """
    given = metas if isinstance(metas, Mapping) else {}
    names = ("data_processed",) if records else ("data_processed", "metadata_processed", "modified")
    return {name: str(given[name]) if given.get(name) else None for name in names}
