"""``ods_portal_assets``: datasets as they stand on the portal, which Dagster observes and never makes."""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    DataVersion,
    Failure,
    MetadataValue,
    ObserveResult,
    multi_observable_source_asset,
)

from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.schema import Dataset
from ods_provider.core.source import CATALOG, parted
from ods_provider.core.times import iso
from ods_provider.core.webaddress import dataset_page
from ods_provider.jobs.runner import explain
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.pairs import DATASET_ID, READS_BY, RESOURCE
from ods_provider.schedulers.dagster.updates import look

_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_.-]")


def ods_portal_assets(
    *assets: Any,
    datasets: Sequence[str] = (),
    name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
    resource_key: str = RESOURCE,
    asset_options: Mapping[str, Any] | None = None,
) -> AssetsDefinition:
    """Return the datasets of a portal as assets that are observed: where what stands behind them comes from.

    An observation is one call for every hundred datasets. Its data version is ``data_processed``, which is its
    ``dagster/last_updated_timestamp`` too, so that Dagster's checks of freshness go by the data's own time.

    Args:
        assets: What the asset factories returned: the datasets that they read, by this resource.
        datasets: Other datasets, by their ids.
        name: The name of the step that observes; None makes one of the prefix.
        key_prefix: Of the keys, before the dataset's id; None takes the resource's key.
        resource_key: Key of the ``OdsResource``.
        asset_options: What else ``AssetSpec`` takes, for each of them: group_name, tags, or
            ``automation_condition=AutomationCondition.on_cron("*/15 * * * *")``, which observes them by itself.

    Raises:
        OdsConfigError: No dataset is named.
    """
    prefix = prefix_of(resource_key if key_prefix is None else key_prefix)
    names = dict.fromkeys([*(named for item in assets for named in read_by(item, resource_key)), *datasets])
    if not names:
        raise OdsConfigError(
            "no dataset is observed", where="ods_portal_assets", advice="Pass assets of the factories, or datasets=[…]"
        )
    by_key = {upstream_key(named, prefix): named for named in names}
    _expect_apart(names, prefix)
    specs = [_spec(key, named, asset_options or {}) for key, named in by_key.items()]

    def observed(context: AssetExecutionContext) -> Iterator[ObserveResult]:
        resource = getattr(context.resources, resource_key)
        wanted = {by_key[key]: key for key in by_key if key in context.selected_asset_keys}
        try:
            found = look(resource, list(wanted))
            base_url = resource.connection().base_url
        except OdsError as error:
            raise Failure(explain(error), allow_retries=error.transient) from error
        for named, dataset in found.items():
            yield _observation(wanted[named], named, dataset, base_url)
        missing = [named for named in wanted if named not in found]
        if missing:
            raise Failure(f"Not in the catalogue, or hidden from this key: {', '.join(missing)}", allow_retries=False)

    with warnings.catch_warnings():
        # Which of Dagster's functions are beta is no concern of who calls ours.
        warnings.filterwarnings("ignore", message="Function `multi_observable_source_asset`")
        made: AssetsDefinition = multi_observable_source_asset(
            specs=specs,
            name=name or f"{'__'.join(prefix)}_observed",
            can_subset=True,
            required_resource_keys={resource_key},
        )(observed)
    return made


def upstream_key(named: str, prefix: Sequence[str]) -> AssetKey:
    """Return the key of a dataset on its portal: ``monitoring/…`` are those of the monitoring source."""
    # Dagster makes a name of it, which takes few signs: not that of another portal's dataset, `id@portal`.
    return AssetKey([*prefix, *(_NOT_IN_A_KEY.sub("_", part) for part in named.split("/"))])


def prefix_of(given: str | Sequence[str]) -> list[str]:
    """Return a prefix of keys as its parts."""
    return [given] if isinstance(given, str) else list(given)


def read_by(item: Any, resource_key: str) -> Iterator[str]:
    """Yield the datasets that an asset reads by a resource."""
    found = getattr(item, "asset", item)
    if isinstance(found, AssetsDefinition):
        for told in found.metadata_by_key.values():
            if told.get(READS_BY) == resource_key and told.get(DATASET_ID):
                yield str(told[DATASET_ID])


def with_upstream(item: AssetsDefinition, resource_key: str, prefix: Sequence[str]) -> AssetsDefinition:
    """Return an asset that stands behind the datasets which it reads by a resource."""

    def behind(spec: AssetSpec) -> AssetSpec:
        told = spec.metadata
        if told.get(READS_BY) != resource_key or not told.get(DATASET_ID):
            return spec
        return spec.merge_attributes(deps=[upstream_key(str(told[DATASET_ID]), prefix)])

    return item.map_asset_specs(behind)


def _expect_apart(names: Iterable[str], prefix: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for named in names:
        other = first.setdefault(upstream_key(named, prefix).to_python_identifier(), named)
        if other != named:
            raise OdsConfigError(
                f"{other} and {named} have one name in Dagster",
                where="ods_portal_assets",
                advice="Observe one of them, or leave the datasets of the portal out: upstream=False",
            )


def _spec(key: AssetKey, named: str, options: Mapping[str, Any]) -> AssetSpec:
    defaults: dict[str, Any] = {
        "kinds": {"opendatasoft"},
        "description": f"The dataset {named} on the portal.",
        "metadata": {DATASET_ID: named},
    }
    return AssetSpec(key, **{**defaults, **options})


def _observation(key: AssetKey, named: str, dataset: Dataset, base_url: str) -> ObserveResult:
    processed = iso(dataset.data_processed)
    told: dict[str, Any] = {"data_processed": processed, "modified": iso(dataset.modified)}
    told[metadata.ROW_COUNT] = dataset.records_count
    if dataset.data_processed is not None:
        told[metadata.LAST_UPDATED] = MetadataValue.timestamp(dataset.data_processed)
    if parted(named)[0] == CATALOG:
        told[metadata.PORTAL] = MetadataValue.url(dataset_page(base_url, dataset.dataset_id))
    return ObserveResult(
        asset_key=key,
        data_version=DataVersion(processed) if processed else None,
        metadata={name: value for name, value in told.items() if value is not None},
    )
