"""A whole Dagster on localhost: code server, daemon and web server, whose processes end with the ``with`` block."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

import psutil
from apart import FORKED

# Nobody ever had these keys, so that each find is a leak.
API_KEY, PUSH_KEY = "secret-api-3f2c9a", "secret-push-81d0be"
DEPLOYED = Path(__file__).with_name("deployed.py")
LOCATION = "tests"
_BIN = Path(sys.executable).parent

_INSTANCE = """\
telemetry:
  enabled: false
nux:
  enabled: false
run_retries:
  enabled: true
  max_retries: 2
"""
_TOGETHER = {"in_process": {}}
_APART = {"multiprocess": FORKED}
_LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
_RUNS = """
{ runsOrError(limit: 100) { __typename ... on Runs { results { runId status tags { key value } } } } }
"""
_ASSETS = """
{ repositoryOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "tests"}) {
    ... on Repository { assetNodes { assetKey { path } } } } }
"""
_STOP = """
mutation($run: String!) { terminateRun(runId: $run) { __typename } }
"""
_LOGS = """
query($run: ID!) { logsForRun(runId: $run) { __typename ... on EventConnection { events {
  __typename ... on MessageEvent { message } ... on MaterializationEvent { metadataEntries {
    label description ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } } } } } } }
"""
_PAGES = """
{ repositoryOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "tests"}) {
    ... on Repository { allTopLevelResourceDetails {
      name description resourceType configuredValues { key value type }
      configFields { name description configTypeKey defaultValueAsJson } } } }
  runsOrError(limit: 100) { ... on Runs { results { runConfigYaml runConfig tags { key value } } } }
}
"""


class Stack:
    """Dagster as people run it.

    Processes that import Dagster cost seconds each: tests whose code can be deployed one after the other share one,
    with ``deploy``, and see nothing of the runs that were there before.

    Args:
        home: ``DAGSTER_HOME``; what stands in it from before is gone on with.
        environ: What the code, and so every run, finds in its environment.
        code: Where the code is, as Dagster's commands take it.
    """

    def __init__(self, home: Path, environ: Mapping[str, str], *code: str) -> None:
        self.home = home
        self._code = code or ("-f", str(DEPLOYED))
        self._environ = self._with(environ)
        self._processes: dict[str, psutil.Popen] = {}
        self._before: set[str] = set()

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        self._port, self._web = _free_port(), _free_port()
        (self.home / "dagster.yaml").write_text(_INSTANCE)
        server = {"host": "127.0.0.1", "port": self._port, "location_name": LOCATION}
        (self.home / "workspace.yaml").write_text(json.dumps({"load_from": [{"grpc_server": server}]}))
        try:
            self._serve()
            workspace = ("-w", str(self.home / "workspace.yaml"))
            self._start("web", "dagster-webserver", "-h", "127.0.0.1", "-p", str(self._web), *workspace)
            self._start("daemon", "dagster-daemon", "run", *workspace)
            _await(lambda: _listens(self._web), "the web server did not start", self._ends)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        _end(list(self._processes.values()))

    def deploy(self, environ: Mapping[str, str], asset: str) -> None:
        """Serve the code again with another environment, in the place of what was served, and forget earlier runs.

        Args:
            environ: What the code, and so every run, finds in its environment.
            asset: One that this code has, and none before it had.
        """
        self._before = {run["runId"] for run in self._all_runs()}
        _end([self._processes.pop("code")])
        self._environ = self._with(environ)
        self._serve()
        # The web server and the daemon look every second whether there is another code server.
        _await(lambda: [asset] in self._assets(), "the new code was not seen", self._ends)

    def _with(self, environ: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, **environ, "DAGSTER_HOME": str(self.home), "DAGSTER_DISABLE_TELEMETRY": "yes"}

    def _serve(self) -> None:
        self._start("code", "dagster", "api", "grpc", "-h", "127.0.0.1", "-p", str(self._port), *self._code)
        _await(lambda: _listens(self._port), "the code server did not start", self._ends)

    def _assets(self) -> list[list[str]]:
        # While the code is exchanged, there is no repository.
        nodes = self.ask(_ASSETS)["repositoryOrError"].get("assetNodes", [])
        return [node["assetKey"]["path"] for node in nodes]

    def _start(self, name: str, command: str, *arguments: str) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self._processes[name] = psutil.Popen(
                [str(_BIN / command), *arguments], env=self._environ, cwd=self.home, stdout=log, stderr=log
            )

    def _ends(self) -> str | None:
        gone = [process.args[0] for process in self._processes.values() if process.poll() is not None]
        return f"{gone} ended: {self.logs()[-2000:]}" if gone else None

    # What people do with it

    @property
    def url(self) -> str:
        """Address of the web server."""
        return f"http://127.0.0.1:{self._web}"

    def ask(self, query: str, **variables: Any) -> Any:
        """Ask the web server what its pages ask, and return the data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        return told["data"]

    def launch(self, *assets: str, together: bool = False) -> str:
        """Ask for assets and their checks to be made, as the button in the UI does, and return the run's id.

        Args:
            assets: Their keys.
            together: Whether one process makes all of them, which takes less time than one for each step.
        """
        selector = {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": name.split("/")} for name in assets],
        }
        config = {"execution": {"config": _TOGETHER if together else _APART}}
        params = {"selector": selector, "runConfigData": config, "mode": "default", "executionMetadata": {"tags": []}}
        told = self.ask(_LAUNCH, params=params)["launchRun"]
        assert told["__typename"] == "LaunchRunSuccess", told
        run_id: str = told["run"]["runId"]
        return run_id

    def stop(self) -> None:
        """Cancel what runs, as the button in the UI does."""
        for run in self.runs():
            if run["status"] == "STARTED":
                self.ask(_STOP, run=run["runId"])

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs of the code that is served, the newest first, with their tags as a mapping."""
        return [run for run in self._all_runs() if run["runId"] not in self._before]

    def _all_runs(self) -> list[dict[str, Any]]:
        found = self.ask(_RUNS)["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def wait_until(self, ready: Callable[[], Any]) -> None:
        """Return when ``ready`` holds."""
        _await(ready, "it did not happen", self._ends)

    def finish(self, run_id: str, *, timeout_s: float = 600.0) -> str:
        """Return the status of the last run when nothing runs, waits or is tried again any more."""

        def over() -> str | None:
            runs = self.runs()
            if any(run["status"] in ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING") for run in runs):
                return None
            retried = {run["tags"].get("dagster/parent_run_id") for run in runs}
            for run in runs:
                waits = run["status"] == "SUCCESS" and run["tags"].get("ods/waiting") == "yes"
                # Dagster marks every failed run with whether it tries it again, a moment after it has failed.
                again = run["status"] == "FAILURE" and run["tags"].get("dagster/will_retry") != "false"
                if waits or (again and run["runId"] not in retried):
                    return None
            return str(runs[0]["status"])

        return _await(over, "the work did not end", self._ends, timeout_s=timeout_s)

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the runs of the code that is served, the newest run's first."""
        return [event for run in self.runs() for event in self.ask(_LOGS, run=run["runId"])["logsForRun"]["events"]]

    def logs(self) -> str:
        """Return what the processes wrote."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.home.glob("*.log")))

    def everything(self) -> str:
        """Return all that anybody can read: pages, events, logs, and every file below the home, databases included."""
        pages = json.dumps([self.ask(_PAGES), self.runs(), self.events()], ensure_ascii=False)
        files = [path.read_bytes().decode("latin-1") for path in self.home.rglob("*") if path.is_file()]
        return "\n".join([pages, self.logs(), *files])


def _end(processes: list[psutil.Popen]) -> None:
    # The runs are children of the code server: listed before it ends, else nobody would know them.
    children = [child for process in processes for child in _children(process)]
    for process in reversed(processes):
        process.terminate()
    psutil.wait_procs(processes, timeout=5)
    for process in [*processes, *children]:
        if process.is_running():
            process.kill()
    psutil.wait_procs([*processes, *children], timeout=5)


def _children(process: psutil.Popen) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _await(ready: Callable[[], Any], failure: str, ends: Callable[[], str | None], *, timeout_s: float = 600.0) -> Any:
    give_up = time.monotonic() + timeout_s
    while not (found := ready()):
        assert time.monotonic() < give_up, failure
        assert not (ended := ends()), ended
        # A second apart, since an answer costs the web server time that the runs need.
        time.sleep(1)
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        port: int = made.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
