"""The dlt source: a resource for each dataset, which does nothing before its pipeline runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dlt
from dlt.common.typing import TSecretStrValue

from ods_provider.core.errors import OdsConfigError
from ods_provider.dlt.reading import Wanted, read

_WORDS = {"table", "where", "select", "refine", "exclude", "cursor", "lag_s", "initial", "primary_key"}
_WORDS |= {"write_disposition", "geo", "min_rows"}


@dlt.source(name="opendatasoft", section="opendatasoft", max_table_nesting=0)  # type: ignore[untyped-decorator,unused-ignore]
def portal(
    url: str = dlt.config.value,
    *,
    datasets: Iterable[str] | Mapping[str, Mapping[str, Any] | None],
    api_key: TSecretStrValue | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Any:
    """Return the datasets of a portal as resources.

    ``url`` and ``api_key`` may come from dlt's configuration: ``SOURCES__OPENDATASOFT__API_KEY``, or
    ``[sources.opendatasoft]`` in its files.

    Args:
        url: The portal.
        datasets: Ids, or a mapping of each id to what is wanted of it: ``table`` (its id), ``where``, ``select``,
            ``refine``, ``exclude``, ``cursor`` (a field: only rows at or after its highest value so far are asked for),
            ``lag_s`` (seconds before it, for rows that come late), ``initial`` (its value at the first run),
            ``primary_key`` (by default the fields that the dataset annotates as ``id``), ``write_disposition`` (by
            default ``merge`` with a cursor, else ``replace``), ``geo`` (``lonlat``, ``wkt``, ``geojson``) and
            ``min_rows``.
        api_key: Key of the portal.
        settings: Extras of the connection, as ``OdsClient`` takes them.

    Returns:
        The source. ``with_resources``, ``add_limit``, ``apply_hints``, ``clone`` and ``schema_contract`` are dlt's own.

    Raises:
        OdsConfigError: Something is asked of a dataset that is not known.
    """
    named = dict(datasets) if isinstance(datasets, Mapping) else dict.fromkeys(_listed(datasets))
    return [_resource(url, api_key, dict(settings or {}), each, dict(how or {})) for each, how in named.items()]


def _listed(datasets: Iterable[str]) -> list[str]:
    if isinstance(datasets, str):
        return [datasets]
    return list(datasets)


def _resource(url: str, api_key: str | None, settings: dict[str, Any], dataset_id: str, how: dict[str, Any]) -> Any:
    if strange := sorted(set(how) - _WORDS):
        raise OdsConfigError(
            f"{strange[0]!r} is nothing that can be said of a dataset",
            where=f"datasets[{dataset_id!r}]",
            advice=f"Known are {', '.join(sorted(_WORDS))}",
        )
    cursor, key = how.pop("cursor", None), how.pop("primary_key", None)
    table = how.pop("table", None) or dataset_id
    lag_s, initial = how.pop("lag_s", None), how.pop("initial", None)
    disposition = how.pop("write_disposition", None) or ("merge" if cursor else "replace")
    kind = disposition.get("disposition") if isinstance(disposition, Mapping) else disposition
    wanted = Wanted(
        url=url,
        api_key=api_key,
        settings=settings,
        dataset_id=dataset_id,
        cursor=cursor,
        key=(key,) if isinstance(key, str) else tuple(key or ()),
        keyed=kind == "merge",
        **how,
    )
    if cursor is None:

        def rows() -> Iterator[Any]:
            yield from read(wanted, None)

    else:
        # No key of its own: by one, dlt would drop a row that was corrected at the boundary.
        since = dlt.sources.incremental(cursor, initial_value=initial, lag=lag_s, primary_key=())

        def rows(since: Any = since) -> Iterator[Any]:  # type: ignore[misc]
            yield from read(wanted, since.start_value)

    return dlt.resource(rows, name=table, table_name=table, write_disposition=disposition)
