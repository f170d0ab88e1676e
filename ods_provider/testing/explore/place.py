"""What a request is about: the dataset it names or the catalogue, and whether it may be seen."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.requests import Request

from ods_provider.testing import catalog
from ods_provider.testing.access import Access
from ods_provider.testing.errors import bad_parameter, forbidden, no_dataset
from ods_provider.testing.odsql import Field
from ods_provider.testing.odsql.names import LANGUAGES
from ods_provider.testing.querying import flag
from ods_provider.testing.schema import DatasetState
from ods_provider.testing.store import Store


class Source(NamedTuple):
    """What a query runs on: fields, rows as SQL, and the dataset (None for the catalogue)."""

    fields: list[Field]
    table: str
    state: DatasetState | None


class Place:
    """The data and who may see them, by request.

    Attributes:
        store: The data.
        ceiling: This portal's ceiling for groups (Q2).
    """

    def __init__(self, store: Store, access: Access, ceiling: int) -> None:
        self.store = store
        self.ceiling = ceiling
        self._access = access

    def source(self, request: Request, cursor: Any, *, records: bool = False) -> Source:
        """Return what a request's query runs on.

        Args:
            request: The request.
            cursor: Where the table of the catalogue is made.
            records: Whether rows are shown, which gated datasets do not do.

        Raises:
            Refusal: 404 or 403; 400 for a language that portals do not speak.
        """
        lang = request.query_params.get("lang")
        if lang and lang not in LANGUAGES:
            raise bad_parameter(
                f"Invalid value for lang API parameter: {lang} was found but one of {', '.join(LANGUAGES)} is expected."
            )
        if request.path_params.get("dataset_id") is None:
            catalog.create_table(self.store, cursor, self.visible(request))
            return Source(catalog.fields(), catalog.TABLE, None)
        state = self.state(request)
        if records and not self.shows_records(request, state):
            raise forbidden()
        return Source(state.fields(), state.source, state)

    def state(self, request: Request) -> DatasetState:
        """Return the dataset that a request names.

        Raises:
            Refusal: 404.
        """
        dataset_id = request.path_params["dataset_id"]
        state = self.store.datasets.get(dataset_id)
        if state is None or not self._access.sees(request, state):
            raise no_dataset(dataset_id)
        return state

    def visible(self, request: Request) -> list[DatasetState]:
        """Return the datasets that who asks may know of."""
        return self._access.visible(request, list(self.store.datasets.values()))

    def shows_records(self, request: Request, state: DatasetState) -> bool:
        """Return whether who asks may see the records."""
        return state.data_visible or self._access.has_key(request)

    def whole(self, dataset_id: str, request: Request) -> dict[str, Any]:
        """Return a dataset as the API shows it, with links and application metadata where asked for."""
        made = catalog.dataset_object(self.store, self.store.datasets[dataset_id], base(request))
        if flag(request.query_params, "include_app_metas", False):
            made["metas"] |= catalog.app_metas(self.store, self.store.datasets[dataset_id])
        if flag(request.query_params, "include_links", False):
            made["links"] = dataset_links(request, dataset_id, self.store.datasets[dataset_id].kept_in)
        return made


def base(request: Request) -> str:
    """Return the portal's address as the client named it."""
    return f"{request.url.scheme}://{request.url.netloc}"


def here(request: Request) -> str:
    """Return the address that was asked, without its query and a slash at its end."""
    return f"{base(request)}{request.url.path.rstrip('/')}"


def dataset_links(request: Request, dataset_id: str, source: str = "catalog") -> list[dict[str, str]]:
    """Return the addresses of a dataset's parts."""
    root = f"{base(request)}/api/explore/v2.1/{source}/datasets"
    one = f"{root}/{dataset_id}"
    links = [{"rel": "self", "href": one}, {"rel": "datasets", "href": root}]
    return links + [{"rel": name, "href": f"{one}/{name}"} for name in ("records", "exports", "facets", "attachments")]
