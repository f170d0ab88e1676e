"""Prefect's face keeps the contract of adapters: a real server, a served deployment, a process for every flow run."""

import json
from uuid import UUID

import pytest
import running
from prefect.client.schemas.objects import State
from prefect.deployments import run_deployment
from prefect.states import Cancelling, Scheduled

from ods_provider.conformance.suite import AdapterSuite, Ran, Work
from ods_provider.schedulers.prefect import OdsCredentials


class ServedFlow(AdapterSuite):
    """A flow of one task, served by Prefect's runner."""

    wait_mode = "auto"
    timeout_s = 240.0

    @pytest.fixture(autouse=True)
    def _prefect(self, server, client):
        self.server, self.client = server, client
        self.runs: dict[str, UUID] = {}

    def run(self, work: Work) -> Ran:
        OdsCredentials(
            host=work.host,
            api_key=work.api_key,
            push_api_key=work.extra["push_api_key"],
            settings={name: value for name, value in work.extra.items() if name != "push_api_key"},
        ).save(work.name, overwrite=True)
        with self.server.runner() as printed:
            if work.name not in self.runs:
                parameters = {
                    "job": work.job,
                    "arguments": dict(work.arguments),
                    "credentials": work.name,
                    "wait_mode": self.wait_mode,
                    "environ": dict(work.environ),
                }
                created = run_deployment(printed.named("one-task"), parameters=parameters, timeout=0, as_subflow=False)
                self.runs[work.name] = created.id
            else:
                # What the button "Retry" of Prefect's UI does.
                self.client.set_flow_run_state(
                    self.last(work).id, Scheduled(name="AwaitingRetry", message="Retry from the UI"), force=True
                )
            runs = running.ended(self.client, self.runs[work.name], timeout_s=self.timeout_s)
        text = running.readable(self.client, runs) + printed.read_text()
        state: State = runs[-1].state
        if state.is_completed():
            return Ran("done", json.loads(json.dumps(state.result(raise_on_failure=True), default=str)), text)
        return Ran("stopped" if state.is_cancelled() else "failed", None, text)

    def last(self, work: Work):
        return running.chain(self.client, self.runs[work.name])[-1]

    def stop(self, work: Work, pid: int) -> None:
        # What the button "Cancel" of Prefect's UI does.
        self.client.set_flow_run_state(self.last(work).id, Cancelling(), force=True)


class TestContinued(ServedFlow):
    """Each wait ends the flow run, and another one goes on."""


class TestRetried(ServedFlow):
    """Each wait gives the flow run back, and it begins again."""

    wait_mode = "retry"
