"""The connection to a MariaDB or MySQL server: how it is set up, ended from another thread, and tells errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ods_provider.core.errors import OdsConfigError, OdsTableBusy, OdsTableError
from ods_provider.core.redact import scrub
from ods_provider.tables.engines.mysqlerrors import meaning
from ods_provider.tables.stopping import was_stopped
from ods_provider.tables.target import Target

_CONNECT_S = 30
_LOCK_WAIT = "lock_timeout_s"
_LOCK_WAIT_S = "120"  # a table that others hold for longer is told
_NETWORK_S = 3_600  # one statement of a large load; the server's word that it works on is none


class Link:
    """A connection to one database, not open yet.

    Args:
        target: The server; its URL names the database. ``lock_timeout_s`` in its query or options says how long a
            locked table is waited for.

    Raises:
        OdsConfigError: The URL names no database, or a number of ours is none.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._link: Any = None
        self._thread = 0
        self._stopped = threading.Event()
        parts = urlsplit(target.url.reveal())
        self._wanted = {name: str(value) for name, value in target.options.items()} | dict(parse_qsl(parts.query))
        if not parts.path.strip("/"):
            raise OdsConfigError("the URL names no database", where=target.label, advice="Write mysql://host/database")
        waited = self._wanted.get(_LOCK_WAIT, _LOCK_WAIT_S)
        if not waited.isdigit() or not int(waited):
            raise OdsConfigError(
                f"{_LOCK_WAIT} is {waited!r}", where=target.label, advice="Give whole seconds, such as 120"
            )
        self._lock_wait_s = int(waited)

    def open(self) -> None:
        """Connect."""
        self._link = self._connect()
        self._thread = self._link.thread_id()
        # Ours, whatever the server's default: bad values are errors, and a backslash escapes.
        self.run("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'")
        self.run("SET SESSION time_zone = '+00:00'")
        waits = f"lock_wait_timeout = {self._lock_wait_s}, innodb_lock_wait_timeout = {self._lock_wait_s}"
        self.run(f"SET SESSION {waits}")

    @property
    def is_open(self) -> bool:
        """Whether it was opened, and not closed."""
        return self._link is not None

    def take_back(self) -> None:
        """End the transaction; what was done in it is taken back."""
        if self._stopped.is_set():
            self._link.close()
            self._link = self._connect()
        self._link.rollback()

    def close(self) -> None:
        """Disconnect."""
        with suppress(Exception):  # the driver's: it is gone already
            self._link.close()
        self._link = None

    def cancel(self) -> None:
        """End the statement that runs, by a second connection."""
        self._stopped.set()
        with suppress(Exception):  # what cannot be reached has ended, or will be found at the next call
            link = self._connect()
            try:
                with link.cursor() as cursor:
                    cursor.execute(f"KILL {int(self._thread)}")
            finally:
                link.close()

    def run(self, statement: str | bytes) -> int:
        """Run a statement and return how many rows it changed."""
        with self._speaking(confirming=statement == "COMMIT"), self._link.cursor() as cursor:
            return int(cursor.execute(statement))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement and return the rows that it selects."""
        with self._speaking(), self._link.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    @contextmanager
    def _speaking(self, *, confirming: bool = False) -> Iterator[None]:
        """Turn what the driver raises into errors of ours."""
        import pymysql

        try:
            yield
        except (pymysql.MySQLError, OSError) as error:
            if self._stopped.is_set():
                raise was_stopped(self._target.label, confirming=confirming) from None
            code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            said = str(error.args[1] if len(error.args) > 1 else error)
            known = meaning(code, said)
            told = scrub(said, [self._target.url])[:300]
            raise (OdsTableBusy if known.transient else OdsTableError)(
                f"{known.what}: {told} (error {code})", where=self._target.label, advice=known.advice
            ) from None

    def _connect(self) -> Any:
        try:
            import pymysql
        except ImportError:
            raise OdsConfigError(
                "MariaDB and MySQL need PyMySQL", where=self._target.label, advice="pip install 'ods-provider[mysql]'"
            ) from None
        parts, wanted = urlsplit(self._target.url.reveal()), self._wanted
        with self._speaking():
            return pymysql.connect(
                host=parts.hostname or "localhost",
                port=parts.port or 3306,
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                database=unquote(parts.path.strip("/")),
                charset="utf8mb4",
                connect_timeout=_CONNECT_S,
                read_timeout=_NETWORK_S,
                write_timeout=_NETWORK_S,
                ssl_ca=wanted.get("ssl_ca"),
                ssl_cert=wanted.get("ssl_cert"),
                ssl_key=wanted.get("ssl_key"),
                ssl_verify_identity=wanted.get("ssl_verify_identity") == "true" or None,
                # A server may ask a client that allows it for any of its files.
                local_infile=False,
            )
