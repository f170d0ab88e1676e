"""An asset, and the sensor that brings it back after a wait: what the factories of assets share."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dagster import (
    AssetChecksDefinition,
    AssetExecutionContext,
    AssetIn,
    AssetsDefinition,
    Definitions,
    MaterializeResult,
    Nothing,
    Output,
    SensorDefinition,
    asset,
)

from ods_provider.core.given import clauses
from ods_provider.core.outcome import Done
from ods_provider.core.source import CATALOG, named, source_named
from ods_provider.jobs.arguments import (
    analysis_job,
    download_job,
    load_job,
    media_job,
    mirror_job,
    search_job,
)
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.mirror import expect_none_failed
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.arguments import Builder, job_of
from ods_provider.schedulers.dagster.arrowrows import Described, as_arrow, table_of
from ods_provider.schedulers.dagster.checks import Checks, checks_of, wanted
from ods_provider.schedulers.dagster.options import (
    LIFTED,
    SHAPING,
    chosen,
    code_version,
    impossible,
    kinds_of,
    of_several,
)
from ods_provider.schedulers.dagster.partitions import Parts
from ods_provider.schedulers.dagster.resuming import ods_resume_sensor
from ods_provider.schedulers.dagster.working import Step

RESOURCE = "ods"
DATASET_ID = "ods/dataset_id"
# The resource by which an asset reads its dataset: what is sent to a portal comes from elsewhere.
READS_BY = "ods/reads_by"
_READ = (analysis_job, download_job, load_job, media_job, search_job)
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]+")


class _Pair(NamedTuple):
    asset: AssetsDefinition
    resume_sensor: SensorDefinition


class OdsAsset(_Pair):
    """An asset, and the sensor that runs it again when it had to wait: ``Definitions`` needs both.

    Attributes:
        checks: Its checks as a step, None where none were asked for.
    """

    checks: AssetChecksDefinition | None = None

    def definitions(self) -> Definitions:
        """Return all of it as definitions, for ``Definitions.merge``."""
        return Definitions(
            assets=[self.asset],
            sensors=[self.resume_sensor],
            asset_checks=[self.checks] if self.checks is not None else None,
        )


def pair(
    make: Builder,
    arguments: dict[str, Any],
    parts: Parts,
    *,
    name: str | None,
    resource_key: str,
    options: Mapping[str, Any] | None,
    records: Any = None,
    checks: Checks = None,
    rows_as: str = "list",
) -> OdsAsset:
    """Return the asset of a job, and its sensor.

    Args:
        make: Builds the job of its arguments.
        arguments: What it is given.
        parts: Its partitions.
        name: The asset's; None makes one of the dataset's id.
        resource_key: Key of the ``OdsResource``.
        options: What else ``dagster.asset`` takes.
        records: The asset whose value is the list of records; None where there is none.
        checks: Which checks it has.
        rows_as: What rows without a path are given on as.
    """
    given = chosen(make, options, arguments)
    if of_several(given):
        parts = parts.of_ranges(table=make is load_job)
    # Built once now, so that a bad argument is found when the code is loaded and not at night.
    built = job_of(make, arguments, beside=LIFTED)
    if isinstance(built, DownloadJob):
        # Of all partitions: the dot of a key is no ending.
        arguments |= {"format": built.format.name}
    # The name tells it from a dataset of the catalogue with the same id.
    of = named(source_named(arguments.get("source")), arguments.get("dataset_id"))
    rows = _gives_rows(make, arguments)
    arrow = as_arrow(rows_as, rows=rows and not arguments.get("geojson"))
    asked = wanted(checks, impossible=impossible(make, built, arguments))

    def work(context: AssetExecutionContext, **inputs: Any) -> Iterator[Any]:
        step = Step(context, getattr(context.resources, resource_key))
        job = job_of(make, {**arguments, **inputs, **_of_partition(context, parts, arguments)})
        done = step.run(Described(job) if arrow and make is search_job and not arguments.get("v1") else job)
        if isinstance(done, Done) and done.skipped is None:
            yield _made(step, done.result, arguments, rows=rows, arrow=arrow)
            if make is mirror_job:
                expect_none_failed(done.result)

    def without(context: AssetExecutionContext) -> Iterator[Any]:
        yield from work(context)

    def with_records(context: AssetExecutionContext, records: Any) -> Iterator[Any]:
        yield from work(context, records=records)

    shown = {DATASET_ID: of} if arguments.get("dataset_id") else {}
    if shown and make in _READ:
        shown[READS_BY] = resource_key
    shown |= given.pop("metadata", {})
    defaults: dict[str, Any] = {
        "kinds": kinds_of(make, built, arguments),
        "description": _described(make, of),
        "code_version": code_version(arguments),
    }
    if "key" not in given:
        defaults["name"] = name or name_of(of or "catalogue")
    made: Any = asset(
        required_resource_keys={resource_key},
        output_required=False,
        dagster_type=None if rows else Nothing,
        partitions_def=parts.definition,
        metadata=shown,
        ins=None if records is None else {"records": AssetIn(key=_key(records))},
        **{**defaults, **given},
    )(without if records is None else with_records)
    both = OdsAsset(made, ods_resume_sensor(made))
    both.checks = checks_of(made.key, asked)
    return both


def _made(step: Step, result: Any, arguments: Mapping[str, Any], *, rows: bool, arrow: bool) -> Any:
    said = metadata.of_result(result, one_partition=step.one_partition)
    dataset = step.native.dataset
    if dataset is not None:
        whole = not any(arguments.get(name) for name in SHAPING)
        # What the portal knows of its own use has no page for readers.
        public = source_named(arguments.get("source")) == CATALOG
        base_url = step.native.resource.connection().base_url if public else None
        # First what leads to the portal: people see the beginning of a long table.
        said = metadata.of_dataset(dataset, base_url, columns=whole) | said
    if rows:
        return Output(table_of(result, dataset) if arrow else result, metadata=said)
    return MaterializeResult(metadata=said, data_version=metadata.version(result))


def _of_partition(context: AssetExecutionContext, parts: Parts, arguments: Mapping[str, Any]) -> dict[str, Any]:
    narrowed = parts.filter(context)
    if narrowed is None:
        return {}
    # A table has no path.
    place = {"path": parts.place(context)} if "path" in arguments else {}
    return {"where": [*clauses("where", arguments.get("where")), narrowed], **place}


def _gives_rows(make: Builder, arguments: Mapping[str, Any]) -> bool:
    return make in (search_job, analysis_job) and arguments.get("path") is None


def _described(make: Builder, dataset_id: str | None) -> str:
    return f"The {make.__name__.removesuffix('_job')} of {dataset_id or 'the catalogue'} on an Opendatasoft portal."


def name_of(dataset_id: str) -> str:
    """Return an asset's name made of a dataset's id."""
    return _NOT_A_NAME.sub("_", dataset_id).strip("_")


def _key(records: Any) -> Any:
    found = getattr(records, "asset", records)
    return found.key if isinstance(found, AssetsDefinition) else found
