"""PostgreSQL of our own for Airflow, on a private port, ended with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from postgresql_server import postgresql_server


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server; yield ``postgresql+psycopg2://…`` of an empty database."""
    with postgresql_server(user="airflow") as server:
        yield server.url().replace("postgresql://", "postgresql+psycopg2://")
