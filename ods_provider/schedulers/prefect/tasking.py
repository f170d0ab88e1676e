"""What every task of Prefect's is made with: its retries, its kept result, and its job made of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.runtime import task_run

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import in_words
from ods_provider.core.legible import legible
from ods_provider.jobs.context import Job
from ods_provider.schedulers.prefect.credentials import OdsCredentials
from ods_provider.schedulers.prefect.waiting import WaitMode, may_wait
from ods_provider.schedulers.prefect.working import advance, named, same_call, worth_retrying

P = ParamSpec("P")
R = TypeVar("R")
Credentials = OdsCredentials | str
# Of a task's arguments, the one that tells its runs apart. None of them can hold a key.
_ABOUT = ("dataset_id", "harvester_id")
_WORDS = {"max_xcom_bytes": "max_bytes"}
_WORDS_OF_THE_JOB = {word: name for name, word in _WORDS.items()}


def ods_task(function: Callable[P, R]) -> Task[P, R]:
    """Return a task of ours."""
    may_wait(function)
    return task(
        name=function.__name__.replace("_", "-"),
        task_run_name=_run_name,
        tags=["ods"],
        persist_result=True,
        cache_key_fn=same_call,
        retry_condition_fn=worth_retrying,
    )(function)


def _run_name() -> str:
    """Return what a run is called in lists: what is done, and with which dataset."""
    what = str(task_run.task_name).removeprefix("ods-").replace("-", " ")
    given = task_run.parameters
    about = next((given[name] for name in _ABOUT if isinstance(given.get(name), str) and given[name]), None)
    return f"{what} {legible(about)}" if about else what


def do(make: Callable[..., Job], called: Mapping[str, Any], *, wait_mode: WaitMode, credentials: Credentials) -> Any:
    """Make the job of a task's arguments, and run it."""
    given = named(called)
    try:
        job = make(**{_WORDS_OF_THE_JOB.get(name, name): value for name, value in given.items()})
        return advance(job, credentials=credentials, wait_mode=wait_mode, **given)
    except OdsConfigError as error:
        raise in_words(error, _WORDS) from None
