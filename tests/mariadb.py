"""A MariaDB server of our own, on a private port, ended with the test; on Debian installed where missing."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
from airflow_daemons import free_port, wait_for
from debian import install


@contextmanager
def mariadb() -> Iterator[str]:
    """Run a MariaDB server; yield ``mysql://…`` of an empty database called ``city``."""
    with tempfile.TemporaryDirectory(prefix="ods-my-", dir="/tmp") as home, mariadb_in(Path(home)) as (url, _):
        yield url


@contextmanager
def mariadb_in(home: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a MariaDB server in a folder with a short path; yield ``mysql://…`` and its process, which may be killed."""
    if not (server := shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")):
        install("mariadb-server")
        server = shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
        assert server, "mariadb-server brings mariadbd"
    port = free_port()
    user = ["--user=root"] if os.geteuid() == 0 else []
    made = ["mariadb-install-db", "--no-defaults", *user, f"--datadir={home}/data", "--skip-test-db", *options]
    subprocess.run([*made, "--auth-root-authentication-method=normal"], check=True, stdout=subprocess.DEVNULL, cwd=home)
    places = [f"--datadir={home}/data", f"--socket={home}/s", f"--port={port}", "--bind-address=127.0.0.1"]
    fast = ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", f"--pid-file={home}/pid"]
    with (home / "log").open("wb") as log:
        command = [server, "--no-defaults", *user, *places, *fast, *options]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _settle(process, port, home / "log")
            yield f"mysql://loader:p%40ss@127.0.0.1:{port}/city", process
        finally:
            process.kill()  # nothing of it is kept
            process.wait()


def _settle(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            link = pymysql.connect(host="127.0.0.1", port=port, user="root")
        except pymysql.OperationalError:
            return False
        with contextlib.closing(link), link.cursor() as cursor:
            cursor.execute("CREATE DATABASE city")
            cursor.execute("CREATE USER loader@'127.0.0.1' IDENTIFIED BY 'p@ss'")
            cursor.execute("GRANT ALL ON city.* TO loader@'127.0.0.1'")
        return True

    wait_for("MariaDB answers", answers, timeout_s=120, pause_s=0.2)
