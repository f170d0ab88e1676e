"""Redis of our own, on a private port, ended with the test; on Debian installed where it is missing."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import redis as redis_client
from airflow_daemons import free_port, wait_for
from debian import install


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

        wait_for("Redis answers", answers, timeout_s=120, pause_s=0.2)
        client.close()
        yield f"redis://127.0.0.1:{port}/0"
