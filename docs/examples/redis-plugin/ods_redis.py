"""Progress and OAuth2 grants in Redis, for workers that share no disk: `ODS_REDIS_URL=redis://host:6379/0`.

What was confirmed is as durable as Redis is: with `appendonly yes` and `appendfsync always` it survives a power cut.
"""

import json
import os
from contextlib import contextmanager
from functools import cache

import redis

from ods_provider.core.oauth import Grant, grant_name
from ods_provider.errors import OdsSinkError
from ods_provider.plugins.hookspecs import hookimpl

ODS_PLUGIN_API_REQUIRES = ">=1.1,<2"
URL = os.environ.get("ODS_REDIS_URL")
PREFIX = os.environ.get("ODS_REDIS_PREFIX", "ods")
KEPT_S = 8 * 86_400  # longer than work may wait (max_quota_wait_s): what nobody came back for vanishes by itself
LEASE_S = 120  # of whoever renews a token: longer than that takes, and lost by itself after kill -9
PATIENCE_S = 150


@cache
def client():
    """Return the process's client: it connects at its first command, and anew where a connection was lost."""
    return redis.Redis.from_url(URL, socket_timeout=30, health_check_interval=30)


# [START progress]
class Progress:
    """The confirmed units of one run, a hash whose fields are their names."""

    def __init__(self, db, run):
        self._db, self._key = db, f"{PREFIX}:progress:{run.scheduler}:{run.key}"

    def load(self):
        return {unit.decode(): json.loads(value) for unit, value in self._db.hgetall(self._key).items()}

    def save(self, unit, value):
        with self._db.pipeline() as both:  # a transaction: no unit is kept for ever
            both.hset(self._key, unit, json.dumps(value))
            both.expire(self._key, KEPT_S)
            both.execute()

    def clear(self):
        self._db.delete(self._key)


@hookimpl
def ods_checkpoint_store(run):
    return Progress(client(), run) if URL else None  # not set up: another plugin answers


# [END progress]


# [START tokens]
class Tokens:
    """One grant; who refreshes it holds a lease, which a killed process loses by itself."""

    def __init__(self, db, connection):
        self._db, self._key = db, f"{PREFIX}:grant:{grant_name(connection)}"

    @property
    def where(self):
        return f"Redis, key {self._key}"

    @contextmanager
    def lock(self):
        lease = self._db.lock(f"{self._key}:lease", timeout=LEASE_S, blocking_timeout=PATIENCE_S)
        if not lease.acquire():
            raise OdsSinkError("another process keeps the tokens locked", where=self.where, advice="Run it again")
        try:
            yield
        finally:
            try:
                lease.release()
            except redis.exceptions.LockError:
                pass  # it ran out: the next one has it

    def load(self):
        kept = self._db.get(self._key)
        return Grant.from_json(json.loads(kept)) if kept else None

    def save(self, grant):
        self._db.set(self._key, json.dumps(grant.reveal()))


@hookimpl
def ods_token_store(connection):
    return Tokens(client(), connection) if URL else None


# [END tokens]
