"""``ods_resume_sensor``: runs that ended because they had to wait are run again when it is time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    AssetsDefinition,
    AssetSelection,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    define_asset_job,
    sensor,
)

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.times import utc_now
from ods_provider.schedulers.dagster.runtags import PARTITION, RunPartitions, partition_of
from ods_provider.schedulers.dagster.working import (
    BEGAN_IN,
    RESUMES,
    WAITING,
    Work,
    at_it,
    began_in,
    settle,
    waits_until,
)

EVERY_S = 30
_ASSETS_JOB = "What the resume sensor runs of assets; it need not be launched."
_OURS_OR_DAGSTERS = ("ods/", "dagster/", ".dagster/")


def ods_resume_sensor(
    *assets: Any,
    jobs: Sequence[Any] = (),
    name: str | None = None,
    minimum_interval_seconds: int = EVERY_S,
    default_status: DefaultSensorStatus = DefaultSensorStatus.RUNNING,
) -> SensorDefinition:
    """Return the sensor that runs waiting assets, or waiting jobs, again when their time has come.

    An asset is run again with those of the assets behind it that its run had been asked for. A job is run again as it
    was, with its run config. Either happens once for every wait: Dagster drops a second request with the same run key.

    Args:
        assets: What the asset factories returned, assets, or asset keys.
        jobs: Jobs of ops, besides assets or instead of them. With both, a job ``<name>_assets`` is what runs assets.
        name: The sensor's name; None makes one of the assets' or the jobs'.
        minimum_interval_seconds: How often it looks. A look is one query of Dagster's own database, no call.
        default_status: It runs by default: without it, what waits would wait for ever.

    Raises:
        OdsConfigError: Neither assets nor jobs were given.
    """
    if not assets and not jobs:
        raise OdsConfigError(
            "a resume sensor serves assets, jobs, or both",
            where="ods_resume_sensor",
            advice="Pass assets, or jobs=[…]",
        )
    keys = [key for item in assets for key in _keys(item)]
    names = [key.to_python_identifier() for key in keys] or [job.name for job in jobs]
    name = name or f"{'_and_'.join(names[:3])}_resumes"
    selection = AssetSelection.assets(*keys).downstream() if keys else None
    assets_job = define_asset_job(f"{name}_assets", selection, description=_ASSETS_JOB) if keys and jobs else None
    options: dict[str, Any] = (
        {"jobs": [*jobs, *([assets_job] if assets_job else [])]} if jobs else {"asset_selection": selection}
    )

    @sensor(
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        description="Runs again what ended because the portal asked to come back later.",
        **options,
    )
    def resume(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
        look = _Look(context, keys, {job.name for job in jobs}, assets_job.name if assets_job else None)
        requests = look.requests()
        yield from requests
        if not requests:
            yield SkipReason(look.reason)

    return resume


def _keys(item: Any) -> Iterable[AssetKey]:
    asset = getattr(item, "asset", item)
    return asset.keys if isinstance(asset, AssetsDefinition) else [AssetKey.from_coercible(asset)]


class _Look:
    """One tick: what waits, what of it is due, and what is asked for it."""

    def __init__(
        self, context: SensorEvaluationContext, keys: Sequence[AssetKey], jobs: set[str], assets_job: str | None
    ) -> None:
        self._instance: DagsterInstance = context.instance
        self._context = context
        self._works = {key: Work.on_asset(key) for key in keys}
        self._jobs, self._assets_job = jobs, assets_job
        self._now = utc_now()
        self._next: datetime | None = None

    @property
    def reason(self) -> str:
        """Why nothing is asked for."""
        return f"Waiting until {self._next.isoformat(timespec='seconds')}" if self._next else "Nothing waits"

    def requests(self) -> list[RunRequest]:
        """Return a request for every run of which something is due."""
        made = []
        for run in self._instance.get_runs(RunsFilter(tags={WAITING: "yes"}), ascending=True):
            # A run that has not ended yet still owns its work.
            if not run.is_finished or not self._of_this_location(run):
                continue
            request = self._job(run) if run.job_name in self._jobs else self._assets(run)
            if request is not None:
                made.append(request)
        return made

    def _of_this_location(self, run: DagsterRun) -> bool:
        origin, here = run.remote_job_origin, self._context.code_location_origin
        return origin is None or here is None or origin.location_name == here.location_name

    def _due(self, until: datetime | None) -> bool:
        if until is not None and until > self._now:
            self._next = min(until, self._next or until)
        return until is not None and until <= self._now

    def _job(self, run: DagsterRun) -> RunRequest | None:
        until = waits_until(run)
        if not self._due(until):
            return None
        return RunRequest(
            run_key=f"{run.run_id} {until}",
            job_name=run.job_name,
            run_config=dict(run.run_config),
            partition_key=partitions.one if (partitions := partition_of(run)) else None,
            tags=_tags(run),
        )

    def _assets(self, run: DagsterRun) -> RunRequest | None:
        partitions = partition_of(run)
        due: dict[AssetKey, datetime] = {}
        for key, work in self._works.items():
            until = waits_until(run, work)
            if until is None or not self._due(until):
                continue
            if self._made_since(run, key, partitions):
                settle(self._instance, run.run_id, work, "made by another run")
            elif at_it(self._instance, work, partitions) is None:
                due[key] = until
        if not due:
            return None
        selection = self._left_of(run, due)
        partition = partitions.one if partitions else None
        return RunRequest(
            run_key=f"{run.run_id} {' '.join(sorted(f'{key.to_user_string()} {until}' for key, until in due.items()))}",
            asset_selection=sorted(selection, key=AssetKey.to_user_string),
            run_config=self._config_for(run, selection),
            # A job of assets has no partitions of its own: what its assets have is told by the tag alone.
            partition_key=None if self._assets_job else partition,
            tags={**_tags(run), **({PARTITION: partition} if partition and self._assets_job else {})},
            job_name=self._assets_job,
        )

    @property
    def _graph(self) -> Any:
        repository = self._context.repository_def
        assert repository is not None  # a running sensor has one
        return repository.asset_graph

    def _made_since(self, run: DagsterRun, key: AssetKey, partitions: RunPartitions | None) -> bool:
        record = self._instance.get_run_record_by_id(run.run_id)
        ended = (record.end_time if record else None) or 0.0
        # Of a range, the ends stand for all between them.
        keys = [[partitions.first], [partitions.last]] if partitions else [None]
        filters = (AssetRecordsFilter(key, asset_partitions=each, after_timestamp=ended) for each in keys)
        return all(self._instance.fetch_materializations(wanted, limit=1).records for wanted in filters)

    def _left_of(self, run: DagsterRun, due: Iterable[AssetKey]) -> set[AssetKey]:
        """Return the due assets and, of what the run had been asked for, all that stands behind them."""
        planned = self._instance.get_records_for_run(
            run.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        ).records
        asked: set[AssetKey] = {record.asset_key for record in planned if record.asset_key}
        behind = AssetSelection.assets(*due).downstream().resolve(self._graph)
        return set(due) | {key for key in asked if key in behind}

    def _config_for(self, run: DagsterRun, selection: Iterable[AssetKey]) -> dict[str, Any]:
        """Return the run's config without that of ops which are not run again: Dagster would refuse it."""
        kept = {self._graph.get(key).assets_def.node_def.name for key in selection}
        config: dict[str, Any] = dict(run.run_config)
        if "ops" in config:
            config["ops"] = {name: value for name, value in config["ops"].items() if name in kept}
        return config


def _tags(run: DagsterRun) -> Mapping[str, str]:
    """Return the tags of the run that goes on: the user's own, and where it comes from."""
    users = {name: value for name, value in run.tags.items() if not name.startswith(_OURS_OR_DAGSTERS)}
    partitions = partition_of(run)
    of = partitions.tags if partitions else {}
    return {**users, **of, RESUMES: run.run_id, BEGAN_IN: began_in(run)}
