"""A plugin with an answer to every hook, as a team could have it: take the ones you need.

Installed, it is found by its entry point. Or put it on PYTHONPATH and name it: ODS_PLUGINS=ods_team_plugin.
"""

import json
import logging
import os
import sqlite3
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ods_provider.core.connection import from_parts
from ods_provider.core.events import JobDone, JobFailed, RequestSent
from ods_provider.core.oauth import grant_name
from ods_provider.core.redact import scrub
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.run import Run
from ods_provider.sinks.destination import destination
from ods_provider.stores.tokens import FileTokens
from ods_provider.tables.urls import target_of

# Not loaded where the contract is another one; `ods plugins` says so.
ODS_PLUGIN_API_REQUIRES = ">=1.1,<2"

HOME = Path(os.environ.get("TEAM_HOME", "/srv/team"))


# [START scheduler]
class Make:
    """`make` as a scheduler: a target is a run."""

    name = "make"

    def run(self, native, *, connection_ref):
        # The same at every try of the same target: progress is kept under this name.
        return Run(self.name, f"make/{native}", connection_ref, logging.getLogger("make"), native)


@hookimpl
def ods_get_scheduler(name):
    return Make() if name == Make.name else None


# [END scheduler]


# [START connection]
@hookimpl
def ods_resolve_connection(ref, scheduler):
    if scheduler != Make.name:
        return None  # another plugin knows
    kept = tomllib.loads((HOME / "connections.toml").read_text()).get(ref)
    return from_parts(host=kept["host"], password=kept.get("key"), where=ref) if kept else None


# [END connection]


# [START checkpoints]
class Progress:
    """Confirmed units in one SQLite file, which a transaction makes durable."""

    def __init__(self, path, key):
        self._db, self._key = sqlite3.connect(path), key
        self._db.execute("CREATE TABLE IF NOT EXISTS progress (run, unit, value, PRIMARY KEY (run, unit))")

    def load(self):
        found = self._db.execute("SELECT unit, value FROM progress WHERE run = ?", [self._key])
        return {unit: json.loads(value) for unit, value in found}

    def save(self, unit, value):
        with self._db:
            self._db.execute("REPLACE INTO progress VALUES (?, ?, ?)", [self._key, unit, json.dumps(value)])

    def clear(self):
        with self._db:
            self._db.execute("DELETE FROM progress WHERE run = ?", [self._key])


@hookimpl
def ods_checkpoint_store(run):
    return Progress(HOME / "progress.sqlite", run.key) if run.scheduler == Make.name else None


# [END checkpoints]


# [START destination]
@hookimpl
def ods_open_destination(place):
    # `reports:2026/cities.csv` lies wherever the team keeps its reports.
    if not isinstance(place, str) or not place.startswith("reports:"):
        return None
    return destination(f"{HOME}/reports/{place.removeprefix('reports:')}")


# [END destination]


# [START target]
@hookimpl
def ods_table_target(place, run):
    """`warehouse` is the database that the team's file names today; no Makefile holds its password."""
    if run.scheduler != Make.name or place != "warehouse":
        return None
    return target_of(tomllib.loads((HOME / "databases.toml").read_text())["warehouse"])


# [END target]


# [START wait]
@hookimpl
def ods_wait_policy(wait):
    # Nobody is at work to look after a run that goes on at night: what returns then returns at seven.
    if 7 <= wait.until.hour < 19:
        return None  # as it was
    morning = wait.until.replace(hour=7, minute=0, second=0, microsecond=0)
    return replace(wait, until=morning if morning >= wait.until else morning + timedelta(days=1))


# [END wait]


# [START last]
def keep(outcome):
    """Keep what a run loaded; the listener below calls it once the run has succeeded."""
    (HOME / "loaded").mkdir(exist_ok=True)
    (HOME / "loaded" / f"{outcome['fingerprint']}.json").write_text(json.dumps(outcome))


@hookimpl
def ods_last_success(fingerprint, run):
    if run.scheduler != Make.name:
        return None
    kept = HOME / "loaded" / f"{fingerprint}.json"
    return json.loads(kept.read_text()) if kept.exists() else {}


# [END last]


# [START tokens]
@hookimpl
def ods_token_store(connection):
    # On a disk that all workers share and that locks across them.
    return FileTokens(HOME / "tokens" / f"{grant_name(connection)}.json")


# [END tokens]


# [START secret]
class Masked(logging.Filter):
    def __init__(self):
        super().__init__()
        self.secrets = set()

    def filter(self, record):
        try:
            said = record.getMessage()
        except Exception:
            # A line that does not fit its arguments is no reason to raise into the code that logged it.
            said = f"{record.msg!r} {record.args!r}"
        record.msg, record.args = scrub(said, self.secrets), ()
        return True


masked = Masked()


@hookimpl
def ods_new_secret(secret, scheduler):
    if scheduler == Make.name:
        masked.secrets.add(secret)


# [END secret]


# [START listener]
@hookimpl
def ods_job_event(event, run):
    if isinstance(event, RequestSent):
        line = {"run": run.key, "status": event.status, "wait_s": round(event.wait_s, 3)}
    elif isinstance(event, (JobDone, JobFailed)):
        line = {"run": run.key, "ended": type(event).__name__}
        if isinstance(event, JobDone) and event.remember:
            keep(event.result)
    else:
        return
    with (HOME / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


# [END listener]
