"""A dataset of a component as an asset: its arguments, and what Dagster is told of it."""

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

from dagster import AssetKey, AssetSpec

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.legible import legible
from ods_provider.jobs.arguments import download_job, load_job
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.arguments import job_of
from ods_provider.schedulers.dagster.assets import ods_dataset_asset, ods_load_asset
from ods_provider.schedulers.dagster.catalogued import Listed, default_metas
from ods_provider.schedulers.dagster.options import SHAPING, given, kinds_of
from ods_provider.schedulers.dagster.pairs import OdsAsset
from ods_provider.sinks.names import safe_name

PLACEHOLDER = "{dataset}"
_MOST_CHARS = 2_000
_TAG = re.compile(r"<[^<>]{0,300}>")


def asset_of(component: Any, dataset: Listed, spec: AssetSpec, *, resource_key: str) -> OdsAsset:
    """Return the asset of a dataset, with what its spec says.

    Raises:
        OdsConfigError: The component does not say where it goes, or an argument is bad.
    """
    arguments = _arguments(component, dataset)
    own = dataset.own
    kinds = {"kinds": spec.kinds} if spec.kinds else {}
    options = {
        "key": spec.key,
        "description": spec.description,
        "metadata": spec.metadata,
        "group_name": spec.group_name,
        "tags": {name: value for name, value in spec.tags.items() if not name.startswith("dagster/kind/")},
        "owners": list(spec.owners),
        "deps": list(spec.deps),
        "automation_condition": spec.automation_condition,
        **kinds,
    }
    if spec.code_version:
        options["code_version"] = spec.code_version
    if component.backfill_policy is not None:
        options["backfill_policy"] = component.backfill_policy
    make = ods_load_asset if component.destination else ods_dataset_asset
    checks = own.checks if own and own.checks is not None else component.checks
    return make(
        dataset.dataset,
        **arguments,
        checks=checks,
        resource_key=resource_key,
        partitions_def=component.partitions_def,
        partition_field=(own and own.partition_field) or component.partition_field,
        asset_options=options,
    )


def base_spec(component: Any, dataset: Listed) -> AssetSpec:
    """Return what Dagster is told of an asset where nobody says otherwise."""
    arguments = _arguments(component, dataset)
    make = load_job if component.destination else download_job
    kinds = kinds_of(make, job_of(make, {"dataset_id": dataset.dataset, **arguments}), arguments)
    told = default_metas(dataset.described)
    said: dict[str, Any] = {name: legible(str(told[name])) for name in ("publisher", "license") if told.get(name)}
    if dataset.described is not None and not given(SHAPING, arguments):
        said[metadata.COLUMN_SCHEMA] = metadata.table_schema(dataset.described)
    said["ods/title"] = legible(dataset.title)
    own = dataset.own
    return AssetSpec(
        key=AssetKey([(own and own.name) or dataset.name]),
        description=_description(dataset, told.get("description")),
        metadata=said,
        group_name=component.group_name,
        kinds=kinds,
    )


def expect_apart(listed: Sequence[Listed], keys: Sequence[AssetKey]) -> None:
    """Refuse two datasets with one key.

    Raises:
        OdsConfigError: There are two.
    """
    first: dict[AssetKey, str] = {}
    for dataset, key in zip(listed, keys, strict=True):
        other = first.setdefault(key, dataset.dataset)
        if other != dataset.dataset:
            raise OdsConfigError(
                f"{other} and {dataset.dataset} would both be the asset {key.to_user_string()}",
                where="OdsPortalComponent",
                advice="Give one of them a name under datasets, or write a key into translation",
            )


def _arguments(component: Any, dataset: Listed) -> dict[str, Any]:
    own = dataset.own
    found = {**(component.arguments or {}), **(own.arguments if own else {})}
    if component.destination:
        table = (own and own.table) or dataset.name.lower()
        return {"table": table, "destination": component.destination, **found}
    path = (own and own.path) or component.path
    if not path:
        raise OdsConfigError(
            f"nothing says where {dataset.dataset} goes",
            where="OdsPortalComponent",
            advice=f"Write path: data/{PLACEHOLDER}.parquet, or destination: and the URL of a database",
        )
    if not (own and own.path) and PLACEHOLDER not in path:
        raise OdsConfigError(
            "all datasets would be written to the same path",
            where="OdsPortalComponent, path",
            advice=f"Put {PLACEHOLDER} into it: data/{PLACEHOLDER}.parquet",
        )
    return {"path": path.replace(PLACEHOLDER, safe_name(dataset.dataset)), **found}


def _description(dataset: Listed, text: Any) -> str:
    # Editors write HTML; Dagster shows Markdown, and would show tags as they are.
    plain = legible(" ".join(unescape(_TAG.sub(" ", str(text)[:_MOST_CHARS])).split())) if text else ""
    return legible(dataset.title) + (f"\n\n{plain}" if plain else "")
