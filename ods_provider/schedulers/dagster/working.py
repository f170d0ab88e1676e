"""A job in a step of a Dagster run: it ends the step when it must wait, and says on the run how the work stands.

The state is kept in tags of the runs, where people see it and where every host finds it. For a piece of work (an asset,
or an op of a job), the run that is at it carries ``ods/at-<digest>``:

- ``working``: the run owns the work for as long as it lives; another run that comes meanwhile leaves it alone;
- ``waiting until <time>, run <id>``: the work waits, and the resume sensor runs it again when the time has come;
- anything else: the work is finished, or another run took it over.

``ods/waiting`` is ``yes`` while anything of the run waits, so that one query finds all waiting runs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetObservation,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Failure,
    MetadataValue,
    RunsFilter,
)

from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.faces import in_words
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.times import parse_time, utc_now
from ods_provider.jobs.context import Job
from ods_provider.jobs.runner import explain, run_job
from ods_provider.schedulers.dagster.arguments import WORDS
from ods_provider.schedulers.dagster.plugin import NAME, Native
from ods_provider.schedulers.dagster.runtags import RunPartitions, partition_of

WAITING = "ods/waiting"
RESUMES = "ods/resumes"
BEGAN_IN = "ods/began-in"
WORKING = "working"
BUSY_S = 60
_UNTIL, _RUN = "waiting until ", ", run "
_AT, _STATE = "ods/at-", "ods/state-"
_RETRIED = "dagster/retry_on_asset_or_op_failure"
_LIVING = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work by its name, such as ``asset raw/orders`` or ``op nightly.push``, and the tags it has on runs."""

    name: str

    @classmethod
    def on_asset(cls, key: AssetKey) -> "Work":
        """Return the making of an asset."""
        return cls(f"asset {key.to_user_string()}")

    @property
    def tag(self) -> str:
        """The tag that says how the work stands."""
        return _AT + sha256(self.name.encode()).hexdigest()[:16]

    @property
    def state_tag(self) -> str:
        """The tag that holds the small state which the job asked to get back."""
        return self.tag.replace(_AT, _STATE)


class Step:
    """One job in one step of a run.

    Args:
        context: The step's context.
        resource: The ``OdsResource``.
        asset_key: The asset that is made; None takes the context's own, if it has one.
    """

    def __init__(self, context: Any, resource: Any, *, asset_key: AssetKey | None = None) -> None:
        if asset_key is None and isinstance(context, AssetExecutionContext):
            asset_key = context.asset_key
        self.asset_key = asset_key
        self._context = context
        self._instance: DagsterInstance = context.instance
        run: DagsterRun = context.run
        self._run_id, self._tags = run.run_id, run.tags
        self._work = Work.on_asset(asset_key) if asset_key else Work(f"op {run.job_name}.{_step_of(context)}")
        # An asset is one thing, whoever makes it; an op has a progress of its own every time that it is asked for.
        self._partitions = partition_of(run)
        of = self._partitions
        parts = [self._work.name, of.name if of else None, None if asset_key else began_in(run)]
        key = "/".join(part for part in parts if part)
        self.native = Native(context, resource, key, asset_key, of.first if of else None)

    def run(self, job: Job) -> Done | Wait:
        """Run the job from its start, or from what an earlier run confirmed.

        Returns:
            ``Done`` with the result; ``Wait`` when the portal asks for a longer wait than a run should last, or when
            another run is at the same work. After a ``Wait``, yield no output: the run ends well, nothing counts as
            made, what stands behind the step is skipped, and ``ods_resume_sensor`` runs it again when it is time. The
            step's output must not be a required one. The same after a ``Done`` that says ``skipped``: nothing was done.

        Raises:
            Failure: The job failed; the step's retry policy applies only where another try may help.
        """
        owner = self._tags.get(RESUMES)
        if owner:
            settle(self._instance, owner, self._work, f"resumed by {self._run_id}")
        other, kept = self._claim(), self._kept_state(owner)
        if other:
            # It ends as a wait: if that run fails, the sensor comes back to this one.
            until = utc_now() + timedelta(seconds=BUSY_S)
            result: Done | Wait = Wait(until, f"run {other} is at it already", kept)
        else:
            result = self._run(job, kept)
        if isinstance(result, Wait):
            self._wait(result)
            return result
        settle(self._instance, self._run_id, self._work, "done")
        if result.skipped is not None:
            self._skip(result.skipped, result.result)
        return result

    @property
    def one_partition(self) -> bool:
        """Whether the run is about one partition of the asset."""
        return self._partitions is not None and not self._partitions.ranged

    def another_waits(self) -> bool:
        """Return whether another step of this run has ended because it must wait."""
        run = self._instance.get_run_by_id(self._run_id)
        return run is not None and waits_until(run) is not None

    def _run(self, job: Job, state: dict[str, Any]) -> Done | Wait:
        try:
            return run_job(job, scheduler=NAME, native=self.native, checkpoint=state)
        except OdsError as failure:
            error = in_words(failure, WORDS) if isinstance(failure, OdsConfigError) else failure
            settle(self._instance, self._run_id, self._work, "failed")
            if not error.transient:
                # Says to Dagster's run retries what allow_retries says to the step's.
                self._instance.add_run_tags(self._run_id, {_RETRIED: "false"})
            raise Failure(
                explain(error), metadata={"error": type(error).__name__}, allow_retries=error.transient
            ) from error

    def _claim(self) -> str | None:
        # The claim is written before others are looked for, so that of two runs at least one sees the other.
        self._instance.add_run_tags(self._run_id, {self._work.tag: WORKING})
        return at_it(self._instance, self._work, self._partitions, but=self._run_id)

    def _kept_state(self, owner: str | None) -> dict[str, Any]:
        run = self._instance.get_run_by_id(owner) if owner else None
        kept = run.tags.get(self._work.state_tag) if run else None
        return dict(json.loads(kept)) if kept else {}

    def _skip(self, why: str, earlier: Mapping[str, Any]) -> None:
        self._context.log.info("Skipped: %s.", why)
        if self.asset_key is not None:
            said = {"skipped": MetadataValue.text(why), "data_processed": MetadataValue.text(earlier["data_processed"])}
            self._observe(said)

    def _observe(self, said: dict[str, Any]) -> None:
        assert self.asset_key is not None  # ops have nobody to show it
        partition = self._partitions.one if self._partitions else None
        self._context.log_event(AssetObservation(self.asset_key, partition=partition, metadata=said))

    def _wait(self, wait: Wait) -> None:
        if self.asset_key is not None:
            said: dict[str, Any] = {
                "waiting_until": MetadataValue.timestamp(wait.until),
                "reason": MetadataValue.text(wait.reason),
            }
            self._observe(said)
        tags = {self._work.tag: f"{_UNTIL}{wait.until.isoformat()}{_RUN}{self._run_id}", WAITING: "yes"}
        if wait.checkpoint:
            tags[self._work.state_tag] = json.dumps(dict(wait.checkpoint))
        self._instance.add_run_tags(self._run_id, tags)


def _step_of(context: Any) -> str:
    """Return the name of an op's step; the steps of an op that is mapped are works of their own."""
    key = context.get_mapping_key()
    return f"{context.node_handle}" if key is None else f"{context.node_handle}[{key}]"


def began_in(run: DagsterRun) -> str:
    """Return the run in which the work of ``run`` was begun, through all waits and retries."""
    return str(run.tags.get(BEGAN_IN) or run.root_run_id or run.run_id)


def waits_until(run: DagsterRun, work: Work | None = None) -> datetime | None:
    """Return until when ``run`` waits for ``work``, or for the last of all its works; None when it does not."""
    times = []
    for name, value in run.tags.items():
        if (name == work.tag if work else name.startswith(_AT)) and value.startswith(_UNTIL):
            moment, _, run_id = value.removeprefix(_UNTIL).partition(_RUN)
            # Dagster copies the tags of a run to those that try it again: they do not wait themselves.
            if run_id == run.run_id:
                times.append(parse_time(moment))
    return max((time for time in times if time), default=None)


def settle(instance: DagsterInstance, run_id: str, work: Work, how: str) -> None:
    """Say that a run no longer works on, or waits for, ``work``."""
    instance.add_run_tags(run_id, {work.tag: how})
    # Read after the write: of two that settle the same run at once, the later one sees both.
    run = instance.get_run_by_id(run_id)
    if run is not None and WAITING in run.tags and waits_until(run) is None:
        instance.add_run_tags(run_id, {WAITING: "no"})


def at_it(instance: DagsterInstance, work: Work, of: RunPartitions | None, *, but: str = "") -> str | None:
    """Return a living run that owns the work, other than ``but``. A run's own status is its lease."""
    for run in instance.get_runs(RunsFilter(tags={work.tag: WORKING}, statuses=_LIVING)):
        if run.run_id != but and partition_of(run) == of:
            return str(run.run_id)
    return None
