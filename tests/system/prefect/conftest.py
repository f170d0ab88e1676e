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

import psutil
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


def _await_left(process: subprocess.Popen, log: Path) -> None:
    """Wait until no flow run's process is left of a runner that forks them."""
    runner = psutil.Process(process.pid)
    give_up = time.monotonic() + 300
    # The fork server is a child of the runner, and each flow run's process is a child of the fork server.
    while set(runner.children(recursive=True)) - set(runner.children()):
        assert time.monotonic() < give_up, log.read_text()
        time.sleep(0.1)


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


@contextmanager
def _told_everywhere(url: str, home: Path):
    """Let all of this process talk to the server.

    Threads that were begun elsewhere know only the settings of the environment, and would start a server of their own.
    """
    from prefect.context import refresh_global_settings_context
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", url)
        patch.setenv("PREFECT_HOME", str(home))
        refresh_global_settings_context()
        with temporary_settings({PREFECT_API_URL: url, PREFECT_HOME: home}):
            yield
    refresh_global_settings_context()


@dataclass
class Printed:
    """What a runner and its flow runs print from now on."""

    log: Path
    deployed: str
    begins: int = field(init=False)

    def __post_init__(self) -> None:
        self.begins = self.log.stat().st_size

    def read_text(self) -> str:
        """Return what was printed since."""
        with self.log.open("rb") as file:
            file.seek(self.begins)
            return file.read().decode()

    def named(self, flow: str) -> str:
        """Return the name of a flow's deployment."""
        return f"{flow}/{self.deployed}"


@dataclass
class Server:
    """Prefect's server, and how to serve a flow from it."""

    url: str
    home: Path
    environ: dict[str, str]
    logs: list[Path] = field(default_factory=list)
    _runner: tuple[subprocess.Popen, Path] | None = None

    @contextmanager
    def serving(self, flow: str, name: str):
        """Serve a flow of ``flows.py`` as a deployment called ``name``, in a runner of its own, as users do."""
        process, log = self._serve(name, flow)
        try:
            yield Printed(log, name)
        finally:
            _end(process)

    @contextmanager
    def runner(self):
        """Lend the runner that serves every flow, and wait until no process of a flow run is left."""
        if self._runner is None:
            self._runner = self._serve(f"served-{len(self.logs)}")
        process, log = self._runner
        try:
            yield Printed(log, log.stem)
            _await_left(process, log)
        except BaseException:
            # What a test that fails leaves behind shall be run in no other test: the next runner has another name.
            self.end()
            raise

    def end(self) -> None:
        """End the runner that serves every flow."""
        if self._runner is not None:
            _end(self._runner[0])
            self._runner = None

    def _serve(self, name: str, *flow: str) -> tuple[subprocess.Popen, Path]:
        log = self.home / f"{name}.log"
        self.logs.append(log)
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, str(HERE / "flows.py"), name, *flow],
                cwd=HERE,
                env=self.environ,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            give_up = time.monotonic() + 300
            while "being served" not in log.read_text():
                assert process.poll() is None and time.monotonic() < give_up, log.read_text()
                time.sleep(0.2)
        except BaseException:
            _end(process)
            raise
        return process, log


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
        # It looks at every event for automations, of which there are none.
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "1",
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
        with _told_everywhere(url, home):
            served = Server(url, home, environ)
            try:
                yield served
            finally:
                served.end()
            _drain()
    finally:
        _end(process)


@pytest.fixture(scope="session")
def client(server):
    """Prefect's own client."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client
