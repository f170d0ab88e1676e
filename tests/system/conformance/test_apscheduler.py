"""The APScheduler plugin of the docs: the suite for adapters, and that a wait holds no thread."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from plugin_site import install, with_site

from ods_provider.conformance.suite import AdapterSuite, Ran, Work
from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.outcome import Done, Wait

TURNS = Path(__file__).with_name("apscheduler_turns.py")


class TestAPScheduler(AdapterSuite):
    """The adapter keeps the contract."""

    @pytest.fixture(autouse=True)
    def _site(self, tmp_path_factory):
        self.folder = tmp_path_factory.mktemp("apscheduler")
        install("apscheduler-plugin", self.folder / "site")

    def run(self, work: Work) -> Ran:
        connections = self.folder / "connections.json"
        connections.write_text(json.dumps({"city": {"host": work.host, "api_key": work.api_key, **work.extra}}))
        order = self.folder / "work.json"
        order.write_text(work.to_json())
        ended = subprocess.run(
            [sys.executable, TURNS, order],
            env=with_site(self.folder / "site")
            | dict(work.environ)
            | {"ODS_APSCHEDULER_CONNECTIONS": str(connections)},
            capture_output=True,
            text=True,
            timeout=self.timeout_s,
            check=False,
        )
        said = ended.stderr + ended.stdout
        if ended.returncode == 0:
            return Ran("done", json.loads(ended.stdout), said)
        return Ran("stopped" if ended.returncode == 143 else "failed", None, said)


# Within a process


@pytest.fixture
def plugin(tmp_path, ods_portal, monkeypatch):
    """The plugin's module, with a scheduler of one thread, and what that scheduler's listener heard."""
    connections = tmp_path / "connections.json"
    connections.write_text(json.dumps({"ods_default": {"host": ods_portal.url, "max_wait_s": 0.5}}))
    monkeypatch.setenv("ODS_APSCHEDULER_CONNECTIONS", str(connections))
    monkeypatch.setenv("ODS_CHECKPOINT_URL", str(tmp_path / "progress"))
    monkeypatch.syspath_prepend(str(install("apscheduler-plugin", tmp_path / "site").parent))
    import ods_apscheduler

    from ods_provider.plugins import manager

    manager.plugins.cache_clear()
    yield ods_apscheduler
    manager.plugins.cache_clear()
    del sys.modules["ods_apscheduler"]


class Heard(list):
    def __init__(self):
        super().__init__()
        self._came = threading.Condition()

    def __call__(self, event):
        with self._came:
            self.append(event)
            self._came.notify_all()

    def wait_for(self, number: int) -> list:
        with self._came:
            assert self._came.wait_for(lambda: len(self) >= number, timeout=60)
        return list(self)


@pytest.fixture
def started(plugin):
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)})
    heard = Heard()
    scheduler.add_listener(heard, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    plugin.use(scheduler)
    scheduler.start()
    yield scheduler, heard
    if scheduler.running:
        plugin.stop()


def test_a_wait_holds_no_thread_and_the_same_work_goes_on(plugin, started, ods_portal, tmp_path):
    scheduler, heard = started
    ods_portal.fault("quota", path="/records", skip=1, reset_in_s=3)
    file = tmp_path / "capitals.jsonl"
    plugin.add("capitals", "search", dataset_id="world-capitals", order_by="geoname_id", path=str(file))
    (waited,) = heard.wait_for(1)
    assert isinstance(waited.retval, Wait) and not file.exists()
    # The only thread is free: another job runs at once, long before the moment has come.
    scheduler.add_job(threading.active_count, id="other")
    assert heard.wait_for(2)[1].job_id == "other"
    assert datetime.now(UTC) < waited.retval.until == scheduler.get_job("capitals").next_run_time
    done = heard.wait_for(3)[2]
    assert isinstance(done.retval, Done) and done.retval.result["rows"] == 110
    assert len(file.read_text().splitlines()) == 110
    pages = [entry for entry in ods_portal.requests if entry.path.endswith("/records")]
    assert [entry.status for entry in pages] == [200, 429, 200]
    assert scheduler.get_jobs() == []


def test_work_of_a_trigger_is_put_off_and_then_follows_it_again(plugin, started, ods_portal):
    scheduler, heard = started
    ods_portal.fault("quota", path="/records", reset_in_s=2)
    trigger = IntervalTrigger(seconds=3600, start_date=datetime.now(UTC) + timedelta(seconds=1))
    plugin.add("often", "search", trigger, dataset_id="world-capitals", limit=5)
    waited = heard.wait_for(1)[0].retval
    kept = scheduler.get_job("often")
    assert kept.next_run_time == waited.until
    # Plain values: what a job store keeps for another process.
    assert json.loads(json.dumps(kept.kwargs))["checkpoint"] == waited.checkpoint
    assert len(heard.wait_for(2)[1].retval.result) == 5
    after = scheduler.get_job("often")
    assert (after.next_run_time - waited.until).total_seconds() > 3000
    assert "checkpoint" not in after.kwargs


def test_what_passes_is_tried_again_and_what_does_not_is_not(plugin, started, ods_portal):
    scheduler, heard = started
    ods_portal.fault("status", status=503, times=None, path="world-capitals/records")
    plugin.add("passing", "search", dataset_id="world-capitals")
    plugin.add("missing", "search", dataset_id="no-such-dataset")
    by_id = {event.job_id: event.exception for event in heard.wait_for(2)}
    assert isinstance(by_id["missing"], OdsNotFound)
    assert by_id["passing"].transient
    assert [job.id for job in scheduler.get_jobs()] == ["passing"]


def test_arguments_that_cannot_work_are_told_when_the_work_is_added(plugin, started):
    with pytest.raises(OdsConfigError, match="limit"):
        plugin.add("wrong", "search", dataset_id="world-capitals", limit="many")


def test_it_is_stopped_while_it_waits_for_the_portal(plugin, started, ods_portal):
    _, heard = started
    ods_portal.fault("stall", path="/records", seconds=40)
    plugin.add("slow", "search", dataset_id="world-capitals")
    give_up = datetime.now(UTC).timestamp() + 60
    while not any(entry.path.endswith("/records") for entry in ods_portal.requests):
        if datetime.now(UTC).timestamp() > give_up:
            break
    plugin.stop()
    assert isinstance(heard.wait_for(1)[0].exception, SystemExit)
