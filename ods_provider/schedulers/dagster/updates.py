"""``ods_dataset_sensor``: runs follow when datasets were updated on the portal, seen with one call for all of them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dagster import (
    AssetsDefinition,
    AssetSelection,
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    sensor,
)

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.patience import next_look, patient_with
from ods_provider.core.plans.freshness import datasets as freshness
from ods_provider.core.schema import Dataset
from ods_provider.core.source import Source, named, parted, source_told
from ods_provider.core.times import iso, parse_time, utc_now
from ods_provider.core.watermark import What, moved_on, watermark, what_named
from ods_provider.plugins.manager import plugins
from ods_provider.schedulers.dagster.pairs import DATASET_ID, RESOURCE
from ods_provider.schedulers.dagster.plugin import NAME

EVERY_S = 300
# A tick that lasts longer than a minute is ended by Dagster, and its cursor with it.
MOST_WAIT_S = 5.0
MOST_SILENCE_S = 15.0

Freshness = Mapping[str, Any]
Request = Callable[[Freshness], RunRequest | Sequence[RunRequest]]


def ods_dataset_sensor(
    *assets: Any,
    datasets: Sequence[str] = (),
    job: Any = None,
    request: Request | None = None,
    name: str = "ods_datasets_updated",
    resource_key: str = RESOURCE,
    what: str = "data",
    minimum_interval_seconds: int = EVERY_S,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
) -> SensorDefinition:
    """Return the sensor that makes assets anew, or runs a job, when their datasets were updated.

    A look costs one call for every hundred datasets, however many they are. The first look at a dataset notes its state
    and asks for nothing. Only times of the portal are compared.

    Args:
        assets: What the asset factories returned; each is made anew when its dataset was updated.
        datasets: Other datasets to watch, with ``job`` or ``request``; ``monitoring/ods-datasets-monitoring`` is one of
            the monitoring source.
        job: The job to run, instead of making assets.
        request: Makes the run request of ``{dataset_id, data_processed, modified, records_count}``; needed for assets
            with partitions, of which only you know the one that changed. A run key is set where it sets none.
        name: The sensor's name.
        resource_key: Key of the ``OdsResource``.
        what: ``data`` compares when the records changed, ``metadata`` the editorial date, ``any`` either.
        minimum_interval_seconds: How often it looks.
        default_status: Whether it is on by default.

    Raises:
        OdsConfigError: Nothing is watched, or nothing could be asked for.
    """
    watched = _watched(assets, datasets)
    _check(watched, assets, job, request)
    keys = [key for listed in watched.values() for key in listed]
    target: dict[str, Any] = {"job": job} if job is not None else {"asset_selection": AssetSelection.assets(*keys)}
    compared = what_named(what)

    @sensor(
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        required_resource_keys={resource_key},
        description="Asks for runs when datasets were updated on the portal.",
        **target,
    )
    def updated(context: SensorEvaluationContext) -> SensorResult:
        memory = _Memory.read(context.cursor)
        if memory.not_before and memory.not_before > utc_now():
            return memory.skip(f"The portal asks not to be called before {iso(memory.not_before)}")
        try:
            seen = look(getattr(context.resources, resource_key), list(watched))
        except OdsError as error:
            if not patient_with(error, answered=bool(memory.seen)):
                raise
            named = getattr(error, "retry_at", None)
            memory.not_before = next_look(utc_now(), every_s=0, named=named) if named else None
            return memory.skip(str(error))
        return memory.take(seen, watched, compared, request)

    return updated


def _watched(assets: Sequence[Any], datasets: Sequence[str]) -> dict[str, list[Any]]:
    watched: dict[str, list[Any]] = {dataset_id: [] for dataset_id in datasets}
    for item in assets:
        asset = _asset(item)
        for key, told in asset.metadata_by_key.items():
            if told.get(DATASET_ID):
                watched.setdefault(str(told[DATASET_ID]), []).append(key)
    return watched


def _asset(item: Any) -> AssetsDefinition:
    found: AssetsDefinition = getattr(item, "asset", item)
    return found


def _check(watched: Mapping[str, Sequence[Any]], assets: Sequence[Any], job: Any, request: Request | None) -> None:
    what = None
    if not watched:
        what = "no dataset is watched"
    elif job is None and request is None and not all(watched.values()):
        what = "nothing is known to make of a dataset that is given by its id"
    elif request is None and any(_asset(item).partitions_def for item in assets):
        what = "which partitions an update has changed is not known"
    if what:
        raise OdsConfigError(
            what,
            where="ods_dataset_sensor",
            advice="Pass assets of the factories, or request=, or datasets with job= or request=",
        )


def look(resource: Any, names: list[str]) -> dict[str, Dataset]:
    """Return datasets as they are now, by the names that tell sources apart; those that are not seen are absent."""
    ids: dict[Source, list[str]] = {}
    for source, dataset_id in map(parted, names):
        ids.setdefault(source, []).append(dataset_id)
    connection = resource.connection()
    patient = replace(
        connection,
        max_wait_s=min(connection.max_wait_s, MOST_WAIT_S),
        timeout_s=min(connection.timeout_s, MOST_SILENCE_S),
        connect_timeout_s=min(connection.connect_timeout_s, MOST_WAIT_S),
    )
    with OdsClient(patient, tokens=plugins().token_store(patient, NAME)) as client:
        return {
            named(source, dataset_id): dataset
            for source, some in ids.items()
            for dataset_id, dataset in client.at(source).run(freshness(some)).items()
        }


@dataclass
class _Memory:
    """The cursor: what was seen of every dataset, and when the portal may be called again."""

    seen: dict[str, Any]
    not_before: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None) -> "_Memory":
        kept = json.loads(cursor) if cursor else {}
        return cls(dict(kept.get("seen") or {}), parse_time(kept.get("not_before")))

    def _cursor(self) -> str:
        return json.dumps({"seen": self.seen, "not_before": iso(self.not_before)}, sort_keys=True)

    def skip(self, reason: str) -> SensorResult:
        return SensorResult(skip_reason=reason, cursor=self._cursor())

    def take(
        self,
        found: Mapping[str, Dataset],
        watched: Mapping[str, Sequence[Any]],
        what: What,
        request: Request | None,
    ) -> SensorResult:
        """Compare what was found with what was seen, remember it, and ask for what follows."""
        self.not_before = None
        requests: list[RunRequest] = []
        told = [f"{name} is not in the catalogue" for name in watched if name not in found]
        for name, dataset in found.items():
            before, now = self.seen.get(name), dataset.freshness() | source_told(parted(name)[0])
            if before is None:
                told.append(f"{name} is seen for the first time")
            elif not moved_on(dataset, watermark(before, what), what):
                continue
            else:
                requests += _requests(name, now, watched[name], request)
            self.seen[name] = now
        if not requests:
            return self.skip("; ".join(told) or "No dataset was updated")
        return SensorResult(run_requests=requests, cursor=self._cursor())


def _requests(name: str, now: Freshness, keys: Sequence[Any], request: Request | None) -> Iterator[RunRequest]:
    run_key = f"{name} {now['data_processed']} {now['modified']}"
    tags = {"ods/dataset_id": name, "ods/data_processed": str(now["data_processed"])}
    if request is None:
        yield RunRequest(run_key=run_key, asset_selection=list(keys) or None, tags=tags)
        return
    made = request(now)
    for number, each in enumerate([made] if isinstance(made, RunRequest) else made):
        key = each.run_key or f"{run_key} {each.partition_key or number}"
        yield each.with_replaced_attrs(run_key=key, tags={**tags, **each.tags})
