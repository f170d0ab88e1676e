"""A real Airflow: each of its servers a process that is started, watched and ended here, by its own id."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

T = TypeVar("T")
BIN = Path(sys.executable).parent
SERVERS = ("api-server", "scheduler", "dag-processor", "triggerer")
# Tasks are forked from the server that runs them, and have what it has imported: each would spend its time on it again.
PRELOADING = """
import contextlib
import importlib
import os
import pkgutil

__all__ = []
for package in os.environ.get("ODS_PRELOADED", "").split():
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        with contextlib.suppress(ImportError):  # of an extra that is not there
            importlib.import_module(module.name)
"""
PRELOADED = "ods_provider.operators ods_provider.sensors ods_provider.airflow ods_provider.jobs"
PAUSE_S = 1.0  # between two looks at the API, each of which costs its server more than a look costs us
OVER = {"success", "failed", "skipped", "upstream_failed"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait_for(what: str, look: Callable[[], T], *, timeout_s: float, pause_s: float = 0.5) -> T:
    """Return the first answer that is true."""
    end = time.monotonic() + timeout_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(pause_s)


class Airflow:
    """Api-server, scheduler, dag-processor and triggerer on this machine, with a home and a database of their own.

    Args:
        home: Its AIRFLOW_HOME; logs of the servers lie in ``home/servers``.
        dags: Folder with the DAGs.
        servers: Which servers, with more arguments where a name holds blanks.
        database: Address of an empty database; a SQLite file of its own unless given.
        migrated: Whether the database has Airflow's tables already.
        settings: More environment, such as another executor.
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        *,
        servers: tuple[str, ...] = SERVERS,
        database: str | None = None,
        migrated: bool = False,
        **settings: str,
    ) -> None:
        self.home = home
        self.database = database or f"sqlite:///{home}/airflow.db"
        self.port = free_port()
        self._migrated = migrated
        self._servers = servers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._token = ""
        self._listed: set[str] = set()
        keep = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self.environ = keep | {
            # Airflow starts some of its own processes by name.
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
            "NO_PROXY": "127.0.0.1,localhost",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            # Files that are new or were changed are read at once; the others are what they were.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database,
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            # A task that is not begun within this time fails, and so does its run.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "120",
            # A worker that has not caught its task's end looks again after this, and takes no other one until then.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            **settings,
        }

    # Its life

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "servers").mkdir(exist_ok=True)
        (self.home / "config").mkdir(exist_ok=True)
        (self.home / "config" / "airflow_local_settings.py").write_text(PRELOADING)
        if not self._migrated:
            self.command("db", "migrate")
        try:
            for server in self._servers:
                self.start(server)
            wait_for("the API server answers", self._answers, timeout_s=300)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for name in reversed(list(self._processes)):
            self.stop(name)

    def start(self, server: str, **environ: str) -> None:
        """Start a server in a session of its own, so that its workers can be ended with it."""
        if server.startswith(("scheduler", "celery worker")):
            environ = {"ODS_PRELOADED": PRELOADED} | environ
        with self.server_log(server).open("ab") as log:
            self._processes[server] = subprocess.Popen(
                [BIN / "airflow", *server.split()],
                cwd=self.home,
                env=self.environ | environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def server_log(self, server: str) -> Path:
        return self.home / "servers" / f"{server.replace(' ', '-').replace('/', '-')}.log"

    def stop(self, server: str) -> None:
        """End a server and whatever it has started."""
        process = self._processes.pop(server)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        # Workers that outlive their parent are in its session still.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill(self, server: str) -> None:
        """End a server and whatever it has started as a power cut does."""
        process = self._processes.pop(server)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def command(self, *arguments: str, check: bool = True) -> str:
        """Run one of Airflow's commands and return what it printed."""
        done = subprocess.run(
            [BIN / "airflow", *arguments], env=self.environ, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def assert_servers_run(self) -> None:
        ended = [name for name, process in self._processes.items() if process.poll() is not None]
        assert not ended, f"ended: {', '.join(ended)}; see {self.home / 'servers'}"

    # Its API

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        self.assert_servers_run()
        try:
            with urlopen(f"{self.url}/auth/token", timeout=5) as answer:
                self._token = json.load(answer)["access_token"]
        except (URLError, TimeoutError, ConnectionError):
            return False
        return True

    def api(self, method: str, path: str, body: Any = None, *, root: str = "/api/v2") -> Any:
        """Call the REST API; the errors it answers with are shown."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{root}{path}", data, method=method)
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", "application/json")
        try:
            with urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read()[:2000]!r}") from None

    def every(self, path: str, key: str) -> list[dict[str, Any]]:
        """Return a list of the API to its end, which it answers a hundred at a time."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.api("GET", f"{path}?limit=100&offset={len(found)}")
            found += answer[key]
            if not answer[key] or len(found) >= answer["total_entries"]:
                return found

    def wait_for_dag(self, dag_id: str) -> None:
        def there() -> bool:
            self.assert_servers_run()
            errors = self.api("GET", "/importErrors")["import_errors"]
            assert not errors, errors
            self._listed |= {dag["dag_id"] for dag in self.every("/dags", "dags")}
            return dag_id in self._listed

        if dag_id not in self._listed:
            wait_for(f"the DAG {dag_id} is listed", there, timeout_s=300, pause_s=PAUSE_S)

    def connect(self, conn_id: str, portal: Any, **extra: Any) -> None:
        """Store a connection to a portal in the database, as the form does."""
        extra = {"push_api_key": portal.push_key} | extra
        body = {
            "connection_id": conn_id,
            "conn_type": "ods",
            "host": portal.url,
            "password": portal.api_key,
            "extra": json.dumps(extra),
        }
        self.api("POST", "/connections", body)

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Start a run without a logical date, so that nobody leans on ``ds``; return its id."""
        self.wait_for_dag(dag_id)
        run = self.api("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        found = self.api("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def mapped(self, dag_id: str, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """Return the instances of a mapped task, in their order."""
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/listMapped?limit=1000"
        found: list[dict[str, Any]] = self.api("GET", path)["task_instances"]
        return sorted(found, key=lambda each: int(each["map_index"]))

    def state(self, dag_id: str, run_id: str, task_id: str) -> str | None:
        state: str | None = self.tasks(dag_id, run_id)[task_id]["state"]
        return state

    def wait_for_state(self, dag_id: str, run_id: str, task_id: str, *states: str, timeout_s: float = 300) -> str:
        def reached() -> str | None:
            self.assert_servers_run()
            now = self.state(dag_id, run_id, task_id)
            assert now in states or now not in OVER, f"{task_id} is {now}: {self.log(dag_id, run_id, task_id)[-3000:]}"
            return now if now in states else None

        found = wait_for(f"{task_id} is {' or '.join(states)}", reached, timeout_s=timeout_s, pause_s=PAUSE_S)
        assert found
        return found

    def wait_until_left(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Wait until the worker of a task that waits is free.

        Airflow runs a task twice that is resumed before it has seen its process end.
        """
        import psutil

        instance = self.tasks(dag_id, run_id)[task_id]["id"]

        def free() -> bool:
            # Workers of the LocalExecutor, and their children, name the task instance that they are at.
            titles = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
            return not any(instance in word for title in titles for word in title)

        wait_for(f"{task_id} has left its worker", free, timeout_s=240)

    def wait_for_end(self, dag_id: str, run_id: str, *, timeout_s: float = 400) -> str:
        """Return the state in which the run ended."""

        def ended() -> str | None:
            self.assert_servers_run()
            state: str = self.api("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id)}")["state"]
            return state if state in OVER else None

        found = wait_for(f"{dag_id} ends", ended, timeout_s=timeout_s, pause_s=PAUSE_S)
        assert found
        return found

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.api("GET", f"{path}?deserialize=false")["value"]

    def mapped_xcom(self, dag_id: str, run_id: str, task_id: str, map_index: int) -> Any:
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.api("GET", f"{path}?deserialize=false&map_index={map_index}")["value"]

    def mapped_log(self, dag_id: str, run_id: str, task_id: str, map_index: int) -> str:
        """Everything that the tries of one instance of a mapped task have logged."""
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        paths = sorted((folder / f"map_index={map_index}").glob("*"))
        return "\n".join(path.read_text() for path in paths if path.is_file())

    def log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Everything that the tries of a task have logged, those in the triggerer included."""
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        return "\n".join(path.read_text() for path in sorted(folder.glob("*")) if path.is_file())

    # What it keeps

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """Yield all that can be read afterwards: files and logs, the database, and what the API shows of every run."""
        for path in self.home.rglob("*"):
            if path.is_file() and path.name != "airflow.cfg":
                yield str(path), path.read_bytes()
        shown = self.every("/dags/~/dagRuns/~/taskInstances", "task_instances")
        yield "rendered fields and states", json.dumps(shown).encode()
        for entry in self.every("/dags/~/dagRuns/~/taskInstances/~/xcomEntries", "xcom_entries"):
            where = f"/dags/{entry['dag_id']}/dagRuns/{quote(entry['run_id'])}/taskInstances/{entry['task_id']}"
            key, index = quote(entry["key"], safe=""), f"map_index={entry['map_index']}"
            value = self.api("GET", f"{where}/xcomEntries/{key}?deserialize=false&{index}")
            yield f"XCom {entry['task_id']}.{entry['key']}", json.dumps(value).encode()
        yield "connections", json.dumps(self.every("/connections", "connections")).encode()
        yield "events", json.dumps(self.every("/eventLogs", "event_logs")).encode()

    def tables(self) -> Iterator[tuple[str, bytes]]:
        """Yield every row of the database as text: pickled and encoded values included."""
        from sqlalchemy import create_engine, inspect, text

        engine = create_engine(self.database)
        with engine.connect() as connection:
            for name in inspect(engine).get_table_names():
                for row in connection.execute(text(f'SELECT * FROM "{name}"')):
                    yield f"table {name}", repr([bytes(v) if isinstance(v, memoryview) else v for v in row]).encode()
        engine.dispose()
