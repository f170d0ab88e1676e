"""Where a dataset is kept: in the portal's catalogue, or in its monitoring source, which holds how it is used.

Datasets of two sources may have the same id. What tells datasets apart (progress, sidecars, quotas, assets, what was
seen last) goes by ``named``, which leaves the names of the catalogue's as they always were.

Source: Explore v2.1, ``/monitoring/``; the right ``explore_monitoring``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, overload

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given, text

Source = Literal["catalog", "monitoring"]
CATALOG: Source = "catalog"
MONITORING: Source = "monitoring"

API_LOG = "ods-api-monitoring"  # a row for each call
STATISTICS = "ods-datasets-monitoring"  # a row for each dataset
RIGHT = 'explore_monitoring ("Browse analytics")'


def root(source: Source) -> str:
    """Return the path below which Explore v2.1 has a source."""
    return f"/api/explore/v2.1/{source}"


def source_named(value: Any) -> Source:
    """Return the source that somebody named; what is not given is the catalogue.

    Raises:
        OdsConfigError: There is none of that name.
    """
    said = (text("source", value) or CATALOG).lower()
    for known in get_args(Source):
        if said == known:
            return known  # type: ignore[no-any-return]  # one of its words
    raise OdsConfigError(
        f"source={said!r} is not known", where="argument source", advice=f"Use {CATALOG} or {MONITORING}"
    )


@overload
def named(source: Source, dataset_id: str) -> str: ...
@overload
def named(source: Source, dataset_id: str | None) -> str | None: ...
def named(source: Source, dataset_id: str | None) -> str | None:
    """Return the name of a dataset among those of all sources; None for the catalogue as a whole.

    No id holds a slash, so that no dataset of the catalogue has the name of one elsewhere.
    """
    return dataset_id if source == CATALOG else f"{source}/{dataset_id or ''}"


def parted(name: str) -> tuple[Source, str]:
    """Return the source and the id that ``named`` put together."""
    head, _, dataset_id = name.partition("/")
    return (MONITORING, dataset_id) if head == MONITORING and dataset_id else (CATALOG, name)


def source_told(source: Source) -> dict[str, str]:
    """Return what a result or an argument list says of the source, beside ``dataset_id``: nothing of the catalogue."""
    return {} if source == CATALOG else {"source": source}


def telling_apart(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments without a source that is the catalogue: work without one is what it was before there was any."""
    given = arguments.get("source")
    plain = not is_given(given) or str(given).strip().lower() == CATALOG
    return {name: value for name, value in arguments.items() if name != "source" or not plain}
