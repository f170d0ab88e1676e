"""Where an operation works: a client or a job behind the proxy, in a folder of its own, without real sleep."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ods_provider.client import OdsClient
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.redact import Secret
from ods_provider.jobs.context import Job, JobContext
from ods_provider.jobs.runner import run_job
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.sinks.destination import destination
from ods_provider.stores.checkpoints import FolderStore
from ods_provider.stores.tokens import FileTokens

API_KEY = "k3y-that-nobody-may-read-0123456789"
PUSH_KEY = "pu5h-key-that-nobody-may-read-9876543210"
CLIENT_SECRET = "demo-app-secret"
KEYS = (API_KEY, PUSH_KEY, CLIENT_SECRET)
# Longer than a busy machine takes for an answer, unless one is withheld.
USUAL_S, WITHHELD_S = 30.0, 0.6
# What differs between two right runs.
_PASSING = ("calls", "quota_remaining", "path", "manifest", "sha256", "size_bytes")


@dataclass
class Bench:
    """One run of one operation.

    Args:
        url: The proxy.
        folder: For destinations, progress and token stores.
        facts: What the portal holds: ids of records.
        grant: A refresh token.
        timeout_s: Of the connection.
        scheduled: Whether jobs run as under a scheduler, which sleeps in earnest and so may not try again in place.
    """

    url: str
    folder: Path
    facts: Mapping[str, str]
    grant: Secret
    timeout_s: float = USUAL_S
    scheduled: bool = False
    _clients: list[OdsClient] = field(default_factory=list)

    def _connection(self, **more: Any) -> OdsConnection:
        return from_parts(host=self.url, password=API_KEY, extra={**self._usual, "push_api_key": PUSH_KEY, **more})

    @property
    def _usual(self) -> dict[str, Any]:
        return {"timeout_s": self.timeout_s, "connect_timeout_s": USUAL_S, "max_wait_s": 3600}

    @property
    def client(self) -> OdsClient:
        """A new client, which tries twice again without a pause."""
        return self._kept(OdsClient(self._connection(max_retries=2), sleep=_no_time))

    @property
    def signed_in(self) -> OdsClient:
        """A new client that lives on a refresh token."""
        extra = {"auth": "oauth2", "client_id": "demo-app", "client_secret": CLIENT_SECRET}
        extra |= {"refresh_token": self.grant.reveal(), "max_retries": 2}
        connection = from_parts(host=self.url, extra={**self._usual, **extra})
        return self._kept(OdsClient(connection, tokens=FileTokens(self.folder / "grant.json"), sleep=_no_time))

    def _kept(self, client: OdsClient) -> OdsClient:
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def path(self, name: str) -> str:
        """A place within ``out``."""
        return str(self.folder / "out" / name)

    def work(self, job: Job) -> Any:
        """Run a job; return its result with the files that stand afterwards, or its wait."""
        result = self.run(job)
        return result if isinstance(result, Wait) else self._told(result)

    def run(self, job: Job) -> Any:
        """Run a job; return its result as it is, or its wait."""
        plugins = _plugins()
        _AT_WORK.bench = self
        if self.scheduled:
            ended = run_job(job, scheduler="cli", native="one", plugins=plugins)
            return ended.result if isinstance(ended, Done) else ended
        run = plugins.run("cli", "one", connection_ref="ods_default")
        return job.work(JobContext(self.client, run, plugins, _unheard, threading.Event()))

    def _told(self, result: Any) -> Any:
        json.dumps(result, allow_nan=False)  # it goes into an XCom
        if not isinstance(result, dict) or "sha256" not in result:
            return result
        self._expect_as_told(result)
        return {name: value for name, value in result.items() if name not in _PASSING} | {"files": self.files()}

    @staticmethod
    def _expect_as_told(result: Mapping[str, Any]) -> None:
        if result["sha256"] is not None:
            content = Path(result["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == result["sha256"], "the file is not the one that was told of"
            assert len(content) == result["size_bytes"]
        assert result["rows"] is None or (type(result["rows"]) is int and result["rows"] >= 0), result["rows"]

    def files(self) -> dict[str, Any]:
        """Every file that stands under a name, as something to compare."""
        out = self.folder / "out"
        found = [each for each in sorted(out.rglob("*")) if each.is_file() and not _hidden(each.relative_to(out))]
        return {str(each.relative_to(out)): _content(each) for each in found}

    def connection_of_a_job(self) -> OdsConnection:
        return self._connection(max_retries=0)


Run = Callable[[Bench], Any]


class _AtWork:
    """The plugin that answers for the bench at work; to load plugins takes as long as many a job."""

    bench: Bench

    @hookimpl
    def ods_resolve_connection(self, ref: str) -> OdsConnection:
        return self.bench.connection_of_a_job()

    @hookimpl
    def ods_checkpoint_store(self) -> FolderStore:
        return FolderStore(destination(self.bench.folder / "checkpoints"))


_AT_WORK = _AtWork()


@cache
def _plugins() -> Plugins:
    return Plugins({"bench": _AT_WORK}, entry_points=False)


def _no_time(seconds: float) -> None:
    """Sleep no time."""


def _unheard(event: object) -> None:
    """Tell nobody."""


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _content(file: Path) -> Any:
    content = file.read_bytes()
    if file.name == "manifest.jsonl":
        entries = [json.loads(line) for line in content.splitlines()]
        return [{name: entry[name] for name in entry if name not in ("fetched_at", "at")} for entry in entries]
    if file.suffix == ".jsonl":
        for line in content.splitlines():
            json.loads(line, parse_constant=_no_json)
        return sorted(content.splitlines())
    return len(content), hashlib.sha256(content).hexdigest()


def _no_json(name: str) -> None:
    raise AssertionError(f"{name} in a file of JSON lines is no JSON")
