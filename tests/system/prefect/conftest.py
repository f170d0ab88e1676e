"""A real Prefect server on 127.0.0.1 with its pages, and flows served by Prefect's own runner."""

import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for running.py


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _end(process: subprocess.Popen) -> None:
    """End a process with all that it started: it leads a session of its own."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(10)


def _drain() -> None:
    """Send what this process still has to tell the server, as long as there is one."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.utilities.asyncutils import run_coro_as_sync

    async def drain() -> None:
        for left in (APILogWorker.instance().drain(), EventsWorker.drain_all()):
            if inspect.isawaitable(left):
                await left

    run_coro_as_sync(drain())


@dataclass
class Server:
    """Prefect's server, and how to serve a flow from it."""

    url: str
    home: Path
    environ: dict[str, str]
    logs: list[Path] = field(default_factory=list)

    @contextmanager
    def serving(self, flow: str, name: str, **environ: str):
        """Serve a flow of ``flows.py`` as a deployment called ``name``, in a runner of its own."""
        log = self.home / f"{flow}-{name}.log"
        self.logs.append(log)
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, str(HERE / "flows.py"), flow, name],
                cwd=HERE,
                env={**self.environ, **environ},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            give_up = time.monotonic() + 60
            while "is being served" not in log.read_text():
                assert process.poll() is None and time.monotonic() < give_up, log.read_text()
                time.sleep(0.2)
            yield log
        finally:
            _end(process)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server, for the whole session: it takes ten seconds to start."""
    home = tmp_path_factory.mktemp("prefect")
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "pages"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5",
        "DO_NOT_TRACK": "1",
    }
    environ = {**os.environ, **settings}
    log = home / "server.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environ,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        give_up = time.monotonic() + 300
        while True:
            try:
                with urlopen(f"{url}/health", timeout=2) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                assert process.poll() is None and time.monotonic() < give_up, log.read_text()
                time.sleep(0.3)
        from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

        with temporary_settings({PREFECT_API_URL: url, PREFECT_HOME: home}):
            yield Server(url, home, environ)
            _drain()
    finally:
        _end(process)


@pytest.fixture(scope="session")
def client(server):
    """Prefect's own client."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client
