"""A PostgreSQL cluster of our own, on a private port, ended with the test; on Debian installed where it is missing."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from airflow_daemons import free_port, wait_for
from debian import install


def programs() -> Path:
    """Return the folder of the server's programs."""

    def find() -> list[Path]:
        known = [Path(path).resolve().parent for name in ("initdb", "pg_ctl") if (path := shutil.which(name))]
        return known or sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)

    if not find():
        install("postgresql")
    return find()[0]


class PostgresqlServer:
    """A cluster, which can be stopped and started again.

    Args:
        home: A folder of its own, with a short path, because the socket's may not be long.
        user: Its superuser, who needs no password.
        options: Settings, such as ``max_connections=5``.
    """

    def __init__(self, home: Path, *, user: str, options: Sequence[str] = ()) -> None:
        self.home, self.user, self.port = home, user, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # The server refuses to be root.
        self._owner: list[str] = []
        if os.geteuid() == 0:
            os.chown(home, pwd.getpwnam("postgres").pw_uid, -1)
            self._owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={home}", "fsync=off", *options]
        made = ["--auth=trust", f"--username={user}", "--no-sync", "--encoding=UTF8", f"--pgdata={self.data}"]
        command = [*self._owner, str(programs() / "initdb"), *made]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=home)

    @property
    def data(self) -> Path:
        return self.home / "data"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [word for option in self._options for word in ("-c", option)]
        command = [*self._owner, str(programs() / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings]
        with (self.home / "server.log").open("ab") as log:
            process = self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.home)

        def answers() -> bool:
            assert process.poll() is None, (self.home / "server.log").read_text()
            with contextlib.suppress(psycopg2.OperationalError):
                self.connect().close()
                return True
            return False

        wait_for("PostgreSQL answers", answers, timeout_s=120, pause_s=0.1)

    def stop(self) -> None:
        """Stop it at once: what runs is ended, and taken back."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # its fast shutdown; SIGTERM waits for clients
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=30)
            self._process.kill()
            self._process.wait()
            self._process = None

    def connect(self, database: str = "postgres", user: str | None = None) -> Any:
        """Return a connection of psycopg2's."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=user or self.user, dbname=database)
        connection.autocommit = True
        return connection

    def run(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as its superuser, outside of transactions, and return what it selects."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def url(self, database: str = "postgres", user: str | None = None, password: str | None = None) -> str:
        """Return its address."""
        login = (user or self.user) + (f":{password}" if password else "")
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"


@contextmanager
def postgresql_server(
    *, user: str, options: Sequence[str] = (), home: Path | None = None
) -> Iterator[PostgresqlServer]:
    """Run a server; what it wrote is removed with it."""
    home = home or Path(tempfile.mkdtemp(prefix="ods-pg-", dir="/tmp"))
    try:
        server = PostgresqlServer(home, user=user, options=options)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
