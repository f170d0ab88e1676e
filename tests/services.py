"""PostgreSQL and Redis of our own, on private ports, ended with the test; on Debian installed where missing."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg2
import redis as redis_client
from airflow_daemons import free_port, wait_for
from debian import install


def _postgresql_programs() -> Path:
    def find() -> list[Path]:
        known = [Path(path).resolve().parent for name in ("initdb", "pg_ctl") if (path := shutil.which(name))]
        return known or sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)

    if not find():
        install("postgresql")
    return find()[0]


@contextmanager
def _running(command: list[str], log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.wait()


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server; yield ``postgresql+psycopg2://…`` of an empty database."""
    programs, port = _postgresql_programs(), free_port()
    # Short, because the socket's path may not be long; and not below a folder that only root may enter.
    home = Path(tempfile.mkdtemp(prefix="ods-pg-", dir="/tmp"))
    # The server refuses to be root.
    owner: list[str] = []
    if os.geteuid() == 0:
        os.chown(home, pwd.getpwnam("postgres").pw_uid, -1)
        owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = home / "data"
    try:
        made = [*owner, str(programs / "initdb"), "--auth=trust", "--username=airflow", "--no-sync", f"--pgdata={data}"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=home)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={home}", "-c", "fsync=off"]
        with (home / "server.log").open("wb") as log:
            # SIGINT is its fast shutdown, SIGTERM waits for clients; the supervisor of `_running` ends it anyhow.
            command = [*owner, str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]
            with _running(command, log) as process:

                def connect() -> bool:
                    assert process.poll() is None, (home / "server.log").read_text()
                    try:
                        psycopg2.connect(host="127.0.0.1", port=port, user="airflow", dbname="postgres").close()
                    except psycopg2.OperationalError:
                        return False
                    return True

                wait_for("PostgreSQL answers", connect, timeout_s=60, pause_s=0.2)
                yield f"postgresql+psycopg2://airflow@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server that keeps nothing; yield its ``redis://`` address."""
    if not shutil.which("redis-server"):
        install("redis-server")
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with tempfile.TemporaryFile() as log, _running(command, log):
        client = redis_client.Redis(host="127.0.0.1", port=port)

        def answers() -> bool:
            with contextlib.suppress(redis_client.ConnectionError):
                return bool(client.ping())
            return False

        wait_for("Redis answers", answers, timeout_s=30, pause_s=0.2)
        client.close()
        yield f"redis://127.0.0.1:{port}/0"
