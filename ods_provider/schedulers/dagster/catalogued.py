"""What a portal says of the datasets that a component chose: read on a refresh, and kept as the component's state."""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsError, OdsTransportError
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.odsql import any_of
from ods_provider.core.plans.freshness import calls
from ods_provider.core.schema import Dataset
from ods_provider.schedulers.dagster.pairs import name_of

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")
_KEPT = ("title", "description", "publisher", "license", "records_count", "data_processed")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """A dataset that becomes an asset; ``translation`` in YAML reads it as ``dataset``.

    Attributes:
        dataset: Its id.
        name: A name made of it, without signs that Dagster does not take.
        title: What the portal calls it; the id where it says nothing.
        described: How the portal describes it, None before the first refresh.
        own: What the YAML says of it, None where a query found it.
    """

    dataset: str
    name: str
    title: str
    described: Dataset | None
    own: Any

    @classmethod
    def of(cls, dataset_id: str, body: Mapping[str, Any] | None, own: Any) -> "Listed":
        """Return the dataset as the state has it."""
        described = None if body is None else Dataset.from_json(body)
        title = default_metas(described).get("title")
        return cls(dataset_id, name_of(dataset_id), str(title) if title else dataset_id, described, own)


@dataclass(frozen=True, slots=True)
class Catalogued:
    """The state: what was found, by id."""

    found: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path) -> "Catalogued":
        """Return the state that was written."""
        return cls(json.loads(path.read_text(encoding="utf-8"))["datasets"])

    def write(self, path: Path) -> None:
        """Keep it."""
        path.write_text(json.dumps({"datasets": self.found}, ensure_ascii=False, indent=1), encoding="utf-8")

    @property
    def ids(self) -> list[str]:
        """The ids, in their order."""
        return sorted(self.found)

    def expect(self, ids: Iterable[str], portal: str) -> None:
        """Refuse datasets that the portal does not show.

        Raises:
            OdsConfigError: There is one.
        """
        for name in ids:
            if name not in self.found:
                meant = nearest(name, self.found)
                raise OdsConfigError(
                    f"{portal} shows no dataset {name}",
                    where="OdsPortalComponent, datasets",
                    advice=(f"Perhaps {listed(meant)} is meant. " if meant else "")
                    + "Look at its id in the portal's address, and whether the key may see it",
                )


def read_catalogue(resource: Any, ids: Sequence[str], query: Mapping[str, Any] | None) -> Catalogued:
    """Ask the portal for the datasets that are named, and for those that a query finds.

    Raises:
        OdsError: It does not answer, or refuses.
    """
    try:
        with resource.client() as client:
            rows = [
                row for some in calls(ids) for row in client.datasets(where=any_of("dataset_id", some), typed=False)
            ]
            if query is not None:
                rows += client.datasets(**query, order_by="dataset_id", typed=False)
    except OdsAuthError:
        if resource.api_key is not None:
            raise
        _log.error("The portal refused a call without a key: is the variable set that api_key names in the YAML?")
        raise
    return Catalogued({str(row["dataset_id"]): _kept(row) for row in rows})


def refresh(path: Path, resource: Any, ids: Sequence[str], query: Mapping[str, Any] | None) -> None:
    """Write the state anew; where the portal does not answer just now, keep the one that stands there.

    Raises:
        OdsError: There is none, or the portal refused.
    """
    try:
        found = read_catalogue(resource, ids, query)
    except OdsError as error:
        if not ((error.transient or isinstance(error, OdsTransportError)) and path.is_file()):
            raise
        _log.warning("The catalogue was not read, what was read before is kept: %s", error)
        return
    found.write(path)


def default_metas(dataset: Dataset | None) -> Mapping[str, Any]:
    """Return what stands in a dataset's own metadata."""
    found = dataset.metas.get("default") if dataset else None
    return found if isinstance(found, Mapping) else {}


def slug(portal: str) -> str:
    """Return a portal's host as a name."""
    return _NOT_A_NAME.sub("_", portal.lower().partition("://")[2] or portal.lower()).strip("_")


def selection_digest(what: Any) -> str:
    """Return what tells a selection from others."""
    return blake2b(json.dumps(what, sort_keys=True, default=str).encode(), digest_size=4).hexdigest()


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    metas = row.get("metas") or {}
    default = metas.get("default") or {}
    return {
        "dataset_id": row["dataset_id"],
        "fields": list(_fields(row.get("fields"))),
        "metas": {"default": {name: default[name] for name in _KEPT if default.get(name) is not None}},
    }


def _fields(given: Any) -> Iterator[dict[str, Any]]:
    for each in given or ():
        yield {name: each.get(name) for name in ("name", "type", "label", "description", "annotations")}
