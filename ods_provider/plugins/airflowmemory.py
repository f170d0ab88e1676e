"""What a task returned in its last successful run before this one, by date: XCom is the memory.

A mapped task is found by what it does, and not by its place in the list: one dataset more shifts all that follow it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

log = logging.getLogger("airflow.task")


def last_success(ti: Any, fingerprint: str) -> Mapping[str, Any]:
    """Return the Outcome of the last successful run, empty where there is none of this work.

    Args:
        ti: The task instance, of a run with a date.
        fingerprint: Of the work.

    Raises:
        Exception: The API server does not answer.
    """
    # With its map index named each time: without it Airflow takes the unmapped one here, and all of them there.
    earlier = ti.get_previous_ti(state="success", map_index=ti.map_index)
    told = earlier and ti.xcom_pull(task_ids=ti.task_id, run_id=earlier.run_id, map_indexes=ti.map_index)
    if _is_of(told, fingerprint):
        found: Mapping[str, Any] = told
        return found
    if ti.map_index < 0:
        return {}
    kept = ti.xcom_pull(task_ids=ti.task_id, key=_key(fingerprint), include_prior_dates=True)
    listed = kept if isinstance(kept, Sequence) and not isinstance(kept, str) else [kept]
    # ISO 8601 in UTC, which sorts as text.
    return max((each for each in listed if _is_of(each, fingerprint)), key=_processed, default={})


def keep(ti: Any, result: Any) -> None:
    """Keep what a mapped task returns where ``last_success`` finds it; called at its end.

    Args:
        ti: The task instance.
        result: What it returns.
    """
    # What is unchanged is kept since it was written: each night would add one more to look through.
    if ti.map_index < 0 or not isinstance(result, Mapping) or not result.get("dataset_state") or result["unchanged"]:
        return
    try:
        ti.xcom_push(_key(str(result["fingerprint"])), dict(result))
    except Exception as error:
        # The work is done, and what is not remembered costs a fetch.
        log.warning("What was written cannot be remembered: %s: %s", type(error).__name__, error)


def _key(fingerprint: str) -> str:
    return f"ods_last_{fingerprint}"


def _is_of(told: Any, fingerprint: str) -> bool:
    return isinstance(told, Mapping) and told.get("fingerprint") == fingerprint


def _processed(told: Mapping[str, Any]) -> str:
    return str(told.get("data_processed") or "")
