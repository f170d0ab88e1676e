"""``ods_definitions``: assets, their checks, the datasets before them and one resume sensor for all, put together."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import AssetsDefinition, Definitions

from ods_provider.schedulers.dagster.pairs import READS_BY, OdsAsset
from ods_provider.schedulers.dagster.resuming import EVERY_S, ods_resume_sensor
from ods_provider.schedulers.dagster.upstream import ods_portal_assets, prefix_of, read_by, with_upstream


def ods_definitions(  # noqa: D417  two of them share a line
    *assets: Any,
    jobs: Sequence[Any] = (),
    sensors: Sequence[Any] = (),
    resources: Mapping[str, Any] | None = None,
    upstream: bool = True,
    upstream_prefix: str | Sequence[str] | None = None,
    upstream_options: Mapping[str, Any] | None = None,
    resumes: str = "ods_resumes",
    minimum_interval_seconds: int = EVERY_S,
) -> Definitions:
    """Return definitions with one resume sensor for all assets and jobs, in place of one for each asset.

    Args:
        assets: What the asset factories returned, and any other assets.
        jobs: Jobs of ops; what waits in them is resumed too.
        sensors: Other sensors.
        resources: Resources by key.
        upstream: Whether the datasets that the assets read stand before them, as ``ods_portal_assets``.
        upstream_prefix, upstream_options: Their ``key_prefix`` and ``asset_options``.
        resumes: The resume sensor's name.
        minimum_interval_seconds: How often that looks.

    Raises:
        OdsConfigError: There are neither assets nor jobs.
    """
    sensor = ods_resume_sensor(*assets, jobs=jobs, name=resumes, minimum_interval_seconds=minimum_interval_seconds)
    made: list[Any] = [item.asset if isinstance(item, OdsAsset) else item for item in assets]
    if upstream:
        for key in _resource_keys(made):
            prefix = prefix_of(key if upstream_prefix is None else upstream_prefix)
            observed = ods_portal_assets(*made, key_prefix=prefix, resource_key=key, asset_options=upstream_options)
            made = [with_upstream(item, key, prefix) if _reads(item, key) else item for item in made] + [observed]
    return Definitions(
        assets=made,
        asset_checks=[item.checks for item in assets if isinstance(item, OdsAsset) and item.checks is not None],
        jobs=list(jobs),
        sensors=[*sensors, sensor],
        resources=dict(resources or {}),
    )


def _reads(item: Any, resource_key: str) -> bool:
    return any(read_by(item, resource_key))


def _resource_keys(items: Sequence[Any]) -> list[str]:
    told = (told for item in items if isinstance(item, AssetsDefinition) for told in item.metadata_by_key.values())
    return list(dict.fromkeys(str(each[READS_BY]) for each in told if READS_BY in each))
