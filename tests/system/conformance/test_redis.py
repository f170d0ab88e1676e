"""The Redis plugin of the docs: progress and grants on a real server."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import redis
from plugin_site import install, with_site
from redis_server import redis as redis_server

from ods_provider.conformance.reference import Reference
from ods_provider.conformance.suite import AdapterSuite, Ran

PREFIX = "ods-test"


@pytest.fixture(scope="module")
def server():
    with redis_server() as url:
        yield url


@pytest.fixture(autouse=True)
def db(server, tmp_path, monkeypatch):
    """A client of the server, whose own plugin is installed for the processes of the test."""
    install("redis-plugin", tmp_path / "site")
    for name, value in with_site(tmp_path / "site").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ODS_REDIS_URL", server)
    monkeypatch.setenv("ODS_REDIS_PREFIX", PREFIX)
    client = redis.Redis.from_url(server)
    client.config_resetstat()
    yield client
    client.flushdb()
    client.close()


class TestRedis(Reference, AdapterSuite):
    """An adapter whose progress lies in Redis keeps the contract."""

    @pytest.fixture(autouse=True)
    def _db(self, db):
        self.db = db

    def expect_done(self, ran: Ran, portal, folder: Path) -> None:
        super().expect_done(ran, portal, folder)
        assert not (folder / "state" / "checkpoints").exists()
        assert self.db.keys() == []

    def test_pages_wait_for_a_quota_twice_and_come_once_each(self, portal, tmp_path):
        super().test_pages_wait_for_a_quota_twice_and_come_once_each(portal, tmp_path)
        assert self.db.info("commandstats")["cmdstat_hset"]["calls"] >= 6


def python(code: str, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_what_nobody_came_back_for_vanishes(db):
    code = """
        import logging
        from ods_provider.plugins.run import Run
        from ods_provider.plugins.manager import plugins

        store = plugins().checkpoint_store(Run("cli", "cli-x", "ods_default", logging.getLogger("x")))
        store.save("job", "2-abc")
        store.save("page-0001", {"rows": [{"name": "Zürich"}], "ids": None})
        print(store.load())
    """
    assert eval(said(python(code))) == {"job": "2-abc", "page-0001": {"rows": [{"name": "Zürich"}], "ids": None}}
    (key,) = db.keys()
    assert key.startswith(PREFIX.encode())
    assert 7 * 86_400 < db.ttl(key) <= 8 * 86_400


COUNT = """
    import json, sys
    from ods_provider.client import OdsClient
    from ods_provider.core.connection import from_parts
    from ods_provider.plugins.manager import plugins

    connection = from_parts(host=sys.argv[1], extra=json.loads(sys.argv[2]))
    with OdsClient(connection, tokens=plugins().token_store(connection, "cli")) as client:
        print(client.count("gated-loads"))
"""


def test_processes_share_a_grant_and_one_at_a_time_renews_it(db, ods_portal):
    oauth = ods_portal.oauth
    extra = {"auth": "oauth2", "client_id": oauth.client_id, "client_secret": oauth.client_secret}
    extra["refresh_token"] = oauth.grant()
    both = [python(COUNT, ods_portal.url, json.dumps(extra)) for _ in range(3)]
    assert [said(process).strip() for process in both] == ["40"] * 3
    # A refresh token works once: had two of them renewed at the same time, one would have been refused.
    assert [entry.status for entry in ods_portal.requests if entry.path == "/oauth2/token/"] == [200]
    assert len(db.keys(f"{PREFIX}:grant:*")) == 1
    # A new seed is another grant, and never mixed up with the older one.
    assert said(python(COUNT, ods_portal.url, json.dumps(extra | {"refresh_token": oauth.grant()}))).strip() == "40"
    assert len(db.keys(f"{PREFIX}:grant:*")) == 2


def test_a_server_that_is_away_is_told_by_name_and_may_come_back(ods_portal, monkeypatch):
    monkeypatch.setenv("ODS_REDIS_URL", "redis://:a-secret-word@127.0.0.1:1/0")
    monkeypatch.setenv("ODS_HOST", ods_portal.url)
    ended = subprocess.run(
        [sys.executable, "-m", "ods_provider.cli", "records", "world-capitals"],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "ods_redis.Progress failed: ConnectionError" in ended.stderr
    assert "a-secret-word" not in ended.stderr + ended.stdout


def test_without_an_address_it_leaves_progress_to_others(db, ods_portal, monkeypatch, tmp_path):
    monkeypatch.delenv("ODS_REDIS_URL")
    monkeypatch.setenv("ODS_CHECKPOINT_URL", str(tmp_path / "progress"))
    code = """
        import logging
        from ods_provider.plugins.run import Run
        from ods_provider.plugins.manager import plugins

        plugins().checkpoint_store(Run("cli", "cli-x", "ods_default", logging.getLogger("x"))).save("job", "2")
    """
    said(python(code))
    assert db.keys() == []
    assert list((tmp_path / "progress").rglob("job.json"))
