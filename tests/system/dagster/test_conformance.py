"""The suite for adapters, held against Dagster: code server, daemon and web server."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from dagster_stack import Stack

from ods_provider.conformance import probe
from ods_provider.conformance.suite import AdapterSuite, Ran, Work


class TestDagster(AdapterSuite):
    """An asset made by the daemon."""

    timeout_s = 600.0  # three runs, each of which imports Dagster

    @pytest.fixture(autouse=True)
    def _homes(self, deploy: Callable[[Mapping[str, str], str], Stack]) -> None:
        self._stacks: dict[str, Stack] = {}
        self._deploy = deploy

    def run(self, work: Work) -> Ran:
        name = _asset(work)
        stack = self._stacks.get(work.name)
        if stack is None:
            stack = self._stacks[work.name] = self._deploy(self._environ(work), name)
        # Where the job is killed or cancelled, each step is a process of its own.
        folder = Path(work.environ[probe.FOLDER])
        together = not any((folder / order).exists() for order in (probe.KILL, probe.MIDDLE))
        status = stack.finish(stack.launch(name, "behind", together=together), timeout_s=self.timeout_s)
        ended = {"SUCCESS": "done", "CANCELED": "stopped"}.get(status, "failed")
        result = self._result(stack, work) if ended == "done" else None
        return Ran(ended, result, stack.everything())  # type: ignore[arg-type]

    def stop(self, work: Work, pid: int) -> None:
        self._stacks[work.name].stop()

    def _environ(self, work: Work) -> dict[str, str]:
        told = {"name": _asset(work), "job": work.job, "arguments": work.arguments, "timeout_s": 5}
        keys = {"TEST_API_KEY": work.api_key, "TEST_PUSH_KEY": str(work.extra["push_api_key"])}
        return {**work.environ, **keys, "TEST_HOST": work.host, "TEST_WORK": json.dumps(told)}

    def _result(self, stack: Stack, work: Work) -> Any:
        if work.job == "search":
            # Where Dagster's own IO manager keeps what an asset returned.
            return pickle.loads((stack.home / "storage" / _asset(work)).read_bytes())
        told = [event for event in stack.events() if event["__typename"] == "MaterializationEvent"]
        entries = [entry for event in told for entry in event["metadataEntries"]]
        return {entry["label"]: entry.get("intValue", entry.get("text")) for entry in entries}


def _asset(work: Work) -> str:
    return work.name.replace("-", "_")
