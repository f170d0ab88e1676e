"""Which datasets DAG files name, and whether their portals have them: what ``ods check DAGS`` runs.

As a process of its own: reading DAG files runs them. It prints a line of JSON for each dataset that is named.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow.sdk import Asset

_WATCHER = "ods_provider.triggers.dataset.OdsDatasetEventTrigger"


@dataclass(frozen=True, slots=True)
class Named:
    """A dataset that a DAG names.

    Attributes:
        where: The DAG, and the task or asset in it.
        ods_conn_id: The connection to its portal.
        dataset_id: Its id.
        source: ``catalog`` or ``monitoring``.
    """

    where: str
    ods_conn_id: str
    dataset_id: str
    source: str


def main(path: Path) -> None:
    """Print what is to be said of each dataset that the DAG files at ``path`` name."""
    # What `airflow connections test` does, too: without it Airflow looks into no metadata database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    ours, sys.stdout = sys.stdout, sys.stderr  # DAG files print too
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(path, safe_mode=True)
    broken = {str(file): error.strip().splitlines()[-1] for file, error in bag.import_errors.items()}
    found = [_line(file, ok=False, said=error) for file, error in broken.items()]
    named = [each for dag in bag.dags.values() for each in (*_watched(dag), *_of_tasks(dag))]
    if not named and not found:
        found.append(_line(str(path), ok=True, said="no DAG here names a dataset"))
    for line in (*found, *_asked(named)):
        print(json.dumps(line), file=ours)


def _line(where: str, *, ok: bool, said: str) -> dict[str, Any]:
    return {"where": where, "ok": ok, "said": said}


def _watched(dag: Any) -> Iterator[Named]:
    """Yield what the watchers of the assets wait for that start the DAG."""
    for asset in _assets(getattr(dag.timetable, "asset_condition", None)):
        for watcher in asset.watchers:
            seen: Any = watcher.trigger
            if seen.serialize()[0] == _WATCHER:
                yield Named(f"{dag.dag_id}, watcher {watcher.name}", seen.ods_conn_id, seen.dataset_id, seen.source)


def _assets(condition: Any) -> Iterator[Asset]:
    """Yield the assets of a condition, however deep in it."""
    if isinstance(condition, Asset):
        yield condition
    for inner in getattr(condition, "objects", ()):
        yield from _assets(inner)


def _of_tasks(dag: Any) -> Iterator[Named]:
    """Yield what tasks name word for word; what a template makes is known when it runs."""
    from ods_provider.airflow.policy import DEFAULT_CONN_ID

    for task in dag.tasks:
        if not str(task.task_type).startswith("Ods"):
            continue
        given = getattr(task, "partial_kwargs", None) or vars(task)
        dataset_id, conn_id = given.get("dataset_id"), given.get("ods_conn_id", DEFAULT_CONN_ID)
        if _literal(dataset_id) and _literal(conn_id) and not given.get("v1") and not given.get("create"):
            yield Named(f"{dag.dag_id}.{task.task_id}", conn_id, dataset_id, str(given.get("source") or "catalog"))


def _literal(text: Any) -> bool:
    return isinstance(text, str) and bool(text) and "{{" not in text and "{%" not in text


def _asked(named: Iterable[Named]) -> Iterator[dict[str, Any]]:
    """Yield what the portals say, with one call for each connection and source."""
    from ods_provider.core.errors import OdsError

    portals: dict[tuple[str, str], list[Named]] = {}
    for each in named:
        portals.setdefault((each.ods_conn_id, each.source), []).append(each)
    for (conn_id, source), there in portals.items():
        try:
            yield from _compared(there, *_listed(conn_id, source))
        except OdsError as error:
            yield from (_line(each.where, ok=False, said=f"connection {conn_id}: {error}") for each in there)


def _listed(conn_id: str, source: str) -> tuple[list[str], str]:
    from ods_provider.client import OdsClient
    from ods_provider.core.plans.catalog import dataset_ids
    from ods_provider.core.source import source_named
    from ods_provider.plugins.manager import plugins

    connection = plugins().connection(conn_id, "airflow")
    with OdsClient(connection, tokens=plugins().token_store(connection, "airflow")) as client:
        return client.at(source_named(source)).run(dataset_ids()), client.connection.base_url


def _compared(named: list[Named], known: list[str], portal: str) -> Iterator[dict[str, Any]]:
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.nearest import listed, nearest

    for each in named:
        dataset_id = dataset_named(each.dataset_id)
        if dataset_id in known:
            yield _line(each.where, ok=True, said=f"{dataset_id} is on {portal}")
            continue
        near = nearest(dataset_id, known)
        meant = f"Perhaps {listed(near)} is meant" if near else "Check its id, and what the key may see"
        yield _line(each.where, ok=False, said=f"{portal} has no dataset {dataset_id!r}. {meant}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
