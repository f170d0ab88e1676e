"""A portal with more rows than Search API v1.0 shows, and a way to run jobs without a scheduler's own machinery."""

import logging
from types import SimpleNamespace

import pytest
import requests

from ods_provider.client import OdsClient
from ods_provider.jobs.runner import run_job
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.plugins.run import Run
from ods_provider.sinks.destination import destination
from ods_provider.stores.checkpoints import FolderStore
from ods_provider.testing.portal import LocalPortal

ROWS = 12_000


@pytest.fixture(scope="session")
def _big():
    with LocalPortal(synthetic_rows=ROWS) as portal:
        yield portal


@pytest.fixture
def big(_big):
    _big.reset()
    yield _big
    _big.clear_faults()


@pytest.fixture
def client(ods_portal):
    with OdsClient(ods_portal.url, api_key=ods_portal.api_key, max_wait_s=1) as client:
        yield client


@pytest.fixture
def get(ods_portal):
    """Ask the portal itself, without any of our client."""

    def ask(path, method="GET", expect=200, **params):
        where = {"params": params} if method == "GET" else {"data": params}
        answer = requests.request(method, ods_portal.url + path, **where, timeout=30)
        assert answer.status_code == expect, answer.text
        return answer

    return ask


class Desk:
    """A scheduler that is a test."""

    name = "desk"

    def __init__(self, portal, folder):
        self.portal, self.folder = portal, folder

    def run(self, native, *, connection_ref):
        return Run(self.name, f"desk-{native}", connection_ref, logging.getLogger("desk"), native)

    @hookimpl
    def ods_get_scheduler(self, name):
        return self if name == self.name else None

    @hookimpl
    def ods_resolve_connection(self, ref, scheduler):
        from ods_provider.core.connection import from_parts

        extra = {"max_wait_s": 1, "max_retries": 2}
        return from_parts(host=self.portal.url, password=self.portal.api_key, extra=extra, where=ref)

    @hookimpl
    def ods_checkpoint_store(self, run):
        return FolderStore(destination(str(self.folder / run.key)))


@pytest.fixture
def run(tmp_path):
    """Run a job once against a portal; a second call with the same name goes on with it."""

    def once(job, portal, name="work"):
        plugins = Plugins({"desk": Desk(portal, tmp_path / "progress")}, entry_points=False, environ={})
        return run_job(job, scheduler="desk", native=name, plugins=plugins)

    return once


@pytest.fixture
def asked():
    """Return the calls that a portal got, as ``method path``."""

    def calls(portal):
        return [f"{call.method} {call.path}" for call in portal.requests]

    return calls


@pytest.fixture
def long_query():
    """A query of 20 KB that keeps ten capitals."""
    ids = [f'geoname_id=="{1_000_000 + number}"' for number in range(10)]
    ids += [f'geoname_id=="{9_000_000 + number}"' for number in range(800)]
    return SimpleNamespace(q=" OR ".join(ids), rows=10)
