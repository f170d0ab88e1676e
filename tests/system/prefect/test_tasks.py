"""Tasks in flows of this process, against a real server: results, artifacts, logs, events, retries, waits that hold."""

import asyncio
import importlib.util
import logging
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import running
from prefect import flow, get_run_logger
from prefect.artifacts import Artifact
from prefect.variables import Variable

from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.events import JobDone, Progress, Waiting
from ods_provider.schedulers.prefect import (
    OdsCredentials,
    ods_analyse,
    ods_await_update,
    ods_download,
    ods_media,
    ods_push,
    ods_search,
    ods_sync,
)
from ods_provider.schedulers.prefect.artifacts import Board
from ods_provider.schedulers.prefect.updates import memory_name

ROOT = Path(__file__).parents[3]
API_KEY, PUSH_KEY = "k3y-that-nobody-may-read", "pu5h-k3y-that-nobody-may-read"


@pytest.fixture(scope="module")
def portal():
    from ods_provider.testing.portal import LocalPortal

    with LocalPortal(api_key=API_KEY, push_key=PUSH_KEY, synthetic_rows=520) as portal:
        yield portal


@pytest.fixture
def credentials(server, portal):
    portal.reset()
    return OdsCredentials(host=portal.url, api_key=API_KEY, push_api_key=PUSH_KEY, settings={"max_wait_s": 1})


@pytest.fixture
def saved(credentials):
    credentials.save("ods-default", overwrite=True)
    return credentials


def last_run(client, name):
    found = client.read_flow_runs(limit=20)
    return max((run for run in found if run.name == name), key=lambda run: run.created)


def clean(text: str) -> bool:
    return API_KEY not in text and PUSH_KEY not in text


def test_a_run_is_called_what_it_does_and_with_which_dataset(saved, portal, tmp_path, client):
    @flow
    def names():
        ods_search("world-capitals", limit=1)
        ods_search(None, limit=1)
        ods_download("world-capitals", tmp_path / "c.csv", format="csv")

    names()
    called = {run.name for run in client.read_task_runs(limit=20)}
    assert {"search world-capitals", "search", "download world-capitals"} <= called


# As plain functions


def test_every_task_is_a_function_too(credentials, portal, tmp_path):
    rows = ods_search.fn("world-capitals", credentials=credentials, limit=3)
    assert len(rows) == 3
    groups = ods_analyse.fn("world-capitals", credentials=credentials, select="count(*) as n")
    assert groups == [{"n": 110}]
    table = ods_download.fn("world-capitals", tmp_path / "c.csv", format="csv", credentials=credentials)
    assert (table["rows"], table["verified"]) == (110, "counted")
    files = ods_media.fn("landmark-photos", tmp_path / "photos", credentials=credentials)
    assert files["files"] == 3
    pushed = ods_push.fn("live-readings", "realtime", [{"sensor_id": "a", "value": 1.0}], credentials=credentials)
    assert pushed["rows"] == 1
    meant = [{"sensor_id": "a", "at": "2026-02-01T00:00:00+00:00", "value": 2.0}]
    plan = ods_sync.fn("live-readings", "realtime", meant, credentials=credentials, dry_run=True, max_delete="100%")
    assert (plan["new"], plan["gone"], plan["pushed"]) == (1, 4, 0)
    seen = ods_await_update.fn("world-capitals", credentials=credentials)
    assert seen["records_count"] == 110


def test_a_bad_argument_is_refused_before_anything_is_asked(credentials, portal, tmp_path):
    with pytest.raises(OdsConfigError, match="wait_mode='perhaps' is not known"):
        ods_search.fn("world-capitals", credentials=credentials, wait_mode="perhaps")
    with pytest.raises(OdsConfigError, match="kind='films' is not known"):
        ods_media.fn("landmark-photos", tmp_path, kind="films", credentials=credentials)
    assert portal.requests == []


# The example, in one process


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("prefect_flow", ROOT / "docs" / "examples" / "prefect_flow.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_of_the_docs_runs_and_shows_what_it_did(example, saved, client, portal, tmp_path):
    state = example.open_data(str(tmp_path), return_state=True)
    result = state.result()
    assert (result["rows"], result["files"], result["pushed"]) == (110, 40, 3)
    assert len(list((tmp_path / "photos").glob("*.png"))) == 40
    run = client.read_flow_run(state.state_details.flow_run_id)
    made = {artifact.key: artifact for artifact in running.artifacts(client, run.id)}
    assert {"ods-download-world-capitals-parquet-result", "ods-media-landmark-photos-result"} <= set(made)
    assert "| rows | 110 |" in made["ods-download-world-capitals-parquet-result"].data
    assert float(made["ods-media-landmark-photos-progress"].data) == 100.0
    text = wait_for(lambda: found if "Done: " in (found := running.readable(client, [run])) else None)
    assert clean(text)


def wait_for(look, timeout_s=240):
    give_up = time.monotonic() + timeout_s
    while time.monotonic() < give_up:
        found = look()
        if found:
            return found
        time.sleep(1)
    raise AssertionError("it never came")


# Secrets


def test_a_key_that_a_flow_logs_itself_is_masked_in_every_log(credentials, client, capfd):
    @flow
    def careless():
        ods_search("world-capitals", credentials=credentials, limit=1)
        get_run_logger().warning("the key is %s", API_KEY)
        logging.getLogger("prefect.custom").warning("once more %s", PUSH_KEY)
        try:
            raise ValueError(f"a foreign error with {API_KEY}")
        except ValueError:
            get_run_logger().exception("it failed")

    state = careless(return_state=True)
    run = client.read_flow_run(state.state_details.flow_run_id)
    text = wait_for(lambda: found if "it failed" in (found := running.readable(client, [run])) else None)
    printed = "".join(capfd.readouterr())
    assert "the key is ***" in text
    assert "a foreign error with ***" in text
    assert clean(text)
    assert clean(printed)


# Retries


def test_an_error_that_no_retry_cures_is_not_retried_and_one_that_may_pass_is(credentials, portal):
    patient = ods_analyse.with_options(retries=2, retry_delay_seconds=0)

    @flow
    def wrong():
        patient("no-such-dataset", select="count(*) as n", credentials=credentials)

    with pytest.raises(OdsNotFound):
        wrong()
    assert len(portal.requests) == 1

    portal.reset()
    impatient = credentials.model_copy(update={"settings": {"max_retries": 0}})
    portal.fault("status", times=2, status=503)

    @flow
    def right():
        return patient("world-capitals", select="count(*) as n", credentials=impatient)

    assert right() == [{"n": 110}]
    assert [entry.status for entry in portal.requests] == [503, 503, 200]


# Waits without a deployment


def test_without_a_deployment_the_process_holds_and_says_so(credentials, portal, client):
    portal.fault("quota", path="/records", skip=2, reset_in_s=1.5)

    @flow
    def waiting():
        return len(ods_search("synthetic-rows", order_by="id", credentials=credentials))

    state = waiting(return_state=True)
    assert state.result() == 520
    assert [entry.status for entry in portal.requests].count(429) == 1
    run = client.read_flow_run(state.state_details.flow_run_id)
    text = wait_for(lambda: found if "Holding this process" in (found := running.readable(client, [run])) else None)
    assert "has no deployment that could go on then" in text


@pytest.mark.parametrize("mode", ["continue", "retry"])
def test_a_wait_that_needs_a_deployment_says_so_where_there_is_none(credentials, portal, mode):
    portal.fault("quota", reset_in_s=5)

    @flow
    def waiting():
        ods_search("world-capitals", credentials=credentials, wait_mode=mode)

    with pytest.raises(OdsConfigError, match=f"wait_mode='{mode}' needs a flow run of a deployment"):
        waiting()


# Updates


def test_the_first_look_records_what_is_there_and_the_next_waits_for_an_update(credentials, portal, client):
    @flow(name="Watching Capitals")
    def watching():
        return ods_await_update("world-capitals", credentials=credentials, poll_interval_s=0.5)

    began = datetime.now(UTC) - timedelta(seconds=5)
    first = watching()
    assert first["records_count"] == 110
    (kept,) = remembered(client, "ods-seen-watching-capitals-world-capitals-")
    assert kept["data_processed"] == first["data_processed"]

    looks = len(portal.requests)
    portal.fault("status", status=503, times=1)  # what passes only delays the look

    import threading

    def republish():
        wait_for(lambda: len(portal.requests) > looks + 2)
        portal.touch("world-capitals", rows=1)

    thread = threading.Thread(target=republish)
    thread.start()
    second = watching()
    thread.join()
    assert second["records_count"] == 111
    assert second["data_processed"] > first["data_processed"]

    def told():
        asked = {
            "filter": {"event": {"name": ["opendatasoft.dataset.updated"]}, "occurred": {"since": began.isoformat()}}
        }
        return client.request("POST", "/events/filter", json=asked).json()["events"]

    (event,) = wait_for(told)
    assert event["resource"]["prefect.resource.id"] == f"ods://{portal.netloc}/world-capitals"
    assert event["payload"]["records_count"] == 111


def remembered(client, beginning):
    """What every variable of which the name begins like that remembers."""
    variables = client.request("POST", "/variables/filter", json={"limit": 200}).json()
    return [each["value"] for each in variables if each["name"].startswith(beginning)]


def test_each_portal_dataset_and_thing_watched_is_remembered_apart(credentials, portal, client):
    from ods_provider.testing.portal import LocalPortal

    @flow(name="Apart")
    def looking(dataset_id, portal, what="data"):
        return ods_await_update(dataset_id, credentials=portal, what=what, poll_interval_s=30)["dataset_id"]

    with LocalPortal() as other:
        # A first look returns at once; one that took another's memory for its own would wait for an update.
        elsewhere = OdsCredentials(host=other.url)
        looks = [("world-capitals", credentials), ("world-capitals", elsewhere), ("world-capitals", elsewhere, "any")]
        assert [looking(*look) for look in looks] == ["world-capitals"] * 3
    assert len(remembered(client, "ods-seen-apart-world-capitals-")) == 3


def test_names_of_datasets_that_look_alike_are_remembered_apart_however_long_they_are(server):
    @flow(name="Alike")
    def naming():
        block = OdsCredentials(host="data.example.org")
        alike = ["air_quality", "air-quality", "Air.Quality", "a" * 300, "a" * 301]
        return [memory_name(block, dataset_id, "data") for dataset_id in alike]

    names = naming()
    assert len(set(names)) == 5
    for name in names:
        Variable.set(name, {"seen": name})
        assert Variable.get(name) == {"seen": name}
    assert memory_name(OdsCredentials(host="data.example.org"), "air-quality", "data") is None


# Artifacts


def test_progress_is_throttled_and_brought_up_to_date_at_a_wait_and_at_the_end(server, client):
    clock = [100.0]

    @flow
    def drawing():
        board = Board("download", "Städte @ données", now=lambda: clock[0])
        for done in range(0, 100, 10):
            board.hear(Progress(done, 100, "rows"))
            clock[0] += 1
        shown = [Artifact.get("ods-download-st-dte-donn-es-progress").data]
        board.hear(Waiting(datetime.now(UTC), "quota"))
        shown.append(Artifact.get("ods-download-st-dte-donn-es-progress").data)
        board.hear(Progress(100, 100, "rows"))
        board.hear(JobDone({"rows": 100, "path": "a|b"}))
        shown.append(Artifact.get("ods-download-st-dte-donn-es-progress").data)
        return shown

    assert [float(shown) for shown in drawing()] == [0.0, 90.0, 100.0]


def test_what_a_portal_writes_is_no_markup_in_an_artifact(server, client):
    hostile = "![x](http://evil/p.png) <b>b</b> | `c`\n# forged\x1b[2J"

    @flow
    def drawing():
        board = Board("search", "d")
        board.hear(JobDone({"rows": 1, "note": hostile, hostile: "x"}))
        return Artifact.get("ods-search-d-result").data

    drawn = drawing()
    bare = re.sub(r"\\.", "", drawn)  # without what is escaped
    for mark in ("[", "]", "<", ">", "`", "!", "\x1b", "\n# forged"):
        assert mark not in bare
    assert r"\!\[x\](http://evil/p.png)" in drawn
    # A summary, and a table with a head of two lines: rows, note, its own row. The hostile text made no line.
    assert len([line for line in drawn.splitlines() if line]) == 6


def test_a_job_goes_on_when_prefects_api_refuses_an_artifact(credentials, portal, tmp_path):
    @flow
    def odd():
        # A dataset without a letter that a key may hold: what is left of the key is still one.
        return ods_media("landmark-photos", str(tmp_path), kind="files", limit=2, credentials=credentials)["files"]

    assert odd() == 2


def test_a_flow_that_is_retried_does_not_run_again_what_was_finished(credentials, portal):
    tries = []

    @flow(retries=1)
    def unlucky():
        counts = [ods_analyse("world-capitals", select="count(*) as n", credentials=credentials) for _ in range(2)]
        tries.append(counts)
        if len(tries) == 1:
            raise RuntimeError("bad luck")
        return counts

    assert unlucky() == tries[0] == [[{"n": 110}]] * 2
    # Two calls that look the same are two calls, in the first try; none in the second.
    assert len(portal.requests) == 2


# Prefect leaves a connection to its own server open, which the collector finds.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_task_may_be_called_from_an_async_flow(credentials):
    @flow
    async def asynchronous():
        return ods_search("world-capitals", credentials=credentials, limit=2)

    assert len(asyncio.run(asynchronous())) == 2


def test_search_api_v1_is_asked_in_its_own_words(credentials, portal, tmp_path):
    rows = ods_search.fn("world-capitals", v1={"q": "Paris"}, credentials=credentials)
    assert len(rows) == 1
    groups = ods_analyse.fn(
        "world-capitals", v1={"x": "country_code", "y": {"n": {"func": "COUNT"}}}, credentials=credentials
    )
    assert len(groups) == 110
    table = ods_download.fn("world-capitals", tmp_path / "v1.csv", v1={"format": "csv"}, credentials=credentials)
    assert table["rows"] == 110
    assert all("/1.0/" in entry.path for entry in portal.requests if "/explore/" not in entry.path)
    with pytest.raises(OdsConfigError, match="v1 excludes where, limit"):
        ods_search.fn("world-capitals", v1={"q": "Paris"}, where="x = 1", limit=3, credentials=credentials)


def test_the_breadth_of_the_operators_is_there(credentials, portal, tmp_path):
    (paris,) = ods_search.fn("world-capitals", where='name = "Paris"', include_app_metas=True, credentials=credentials)
    again = ods_search.fn("world-capitals", record_id=paris["_id"], credentials=credentials)
    assert again[0]["name"] == "Paris"
    map_ = ods_analyse.fn(
        "world-capitals", geo_cluster={"field": "coordinates", "zoom": 1}, geojson=True, credentials=credentials
    )
    assert map_["type"] == "FeatureCollection"
    catalogue = ods_download.fn(None, tmp_path / "catalogue.csv", format="csv", credentials=credentials)
    assert catalogue["rows"] == len(ods_search.fn(credentials=credentials))
    small = ods_media.fn("landmark-photos", tmp_path / "small", kind="thumbnails", limit=2, credentials=credentials)
    assert small["files"] == 2
    reading = {"sensor_id": "a", "at": "2026-05-04T12:00:00Z", "value": 1.0}
    pushed = ods_push.fn("live-readings", "realtime", [reading], confirm=True, credentials=credentials)
    assert pushed["confirmed"] == 1
