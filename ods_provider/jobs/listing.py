"""Which files a dataset has, of each kind, and under which names they will lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.odsql import identifier
from ods_provider.core.plans import catalog
from ods_provider.core.plans.explore import path
from ods_provider.core.query import Query
from ods_provider.core.reading import Reader
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
        dataset_id: The dataset.
        field: The file-typed field; None takes the only one.
        query: Its filters narrow the records.
        limit: Files at most.
    """

    run: Callable[[Plan[Any]], Any]
    dataset_id: str
    field: str | None
    query: Query
    limit: int | None

    def values(self) -> list[dict[str, Any]]:
        """Return the values of the field that name a file, each file once.

        Raises:
            OdsConfigError: The dataset has no such field.
            OdsNotFound: The field holds values that name no file.
        """
        field = self._field()
        name = identifier(field)
        query = replace(self.query, select=name, where=(*self.query.where, f"{name} IS NOT NULL"))
        rows = [row for batch in Reader(self.run, self.dataset_id, query).batches(self.limit) for row in batch]
        seen: dict[str, dict[str, Any]] = {}
        for row in rows:
            value = row.get(field)
            if isinstance(value, dict) and (value.get("url") or value.get("id")):
                url = value.get("url") or path("files", str(value["id"]), dataset_id=self.dataset_id)
                seen.setdefault(url, value | {"url": url})
        if rows and not seen:
            raise OdsNotFound(
                f"the field {field} names no address to fetch its files from",
                status=200,
                where=f"dataset {self.dataset_id}",
                advice="Check that the field is of type file",
            )
        return list(seen.values())

    def _field(self) -> str:
        dataset = self.run(catalog.dataset(self.dataset_id))
        offered = [field.name for field in dataset.fields if field.type == "file"]
        if self.field is None and len(offered) == 1:
            return str(offered[0])
        if self.field in offered:
            return str(self.field)
        raise OdsConfigError(
            f"{self.field!r} is no field of files" if self.field else "the field of the files is not named",
            where=f"argument field, dataset {self.dataset_id}",
            advice=f"Fields of files are: {', '.join(offered) or 'none'}",
        )


def thumbnail(value: dict[str, Any], dataset_id: str) -> tuple[str, ...]:
    """Return where the thumbnail of an image may be.

    The forms of API v1 and of the portal's own pages are those that the vendor's clients use; that of Explore v2.1 is
    not documented and is tried last (section 7).
    """
    file_id = str(value.get("id") or value["url"].rstrip("/").rpartition("/")[2])
    dataset, file = quote(dataset_id, safe=""), quote(file_id, safe="")
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
        unit = "file-" + hashlib.sha256(f"{each[0]}\n{name}".encode()).hexdigest()[:20]
        made.append(Item(unit, each, name, said))
    return made


def _file_name(said: dict[str, Any]) -> str:
    named = said.get("filename") or said.get("title")
    return str(named or unquote(urlsplit(str(said["url"])).path.rstrip("/").rpartition("/")[2]))
