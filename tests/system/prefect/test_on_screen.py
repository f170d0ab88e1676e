"""Prefect's own pages: the block's form filled by a person, runs with readable names, and what artifacts tell."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from chromium import chromium, seen, seen_as, shot, shows
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from tls_front import tls_front

from ods_provider.schedulers.prefect import OdsCredentials
from ods_provider.testing.portal import LocalPortal

DOCS = Path(__file__).resolve().parents[3] / "docs"
SITE = "ods-provider.readthedocs.io"
API_KEY = "k3y-that-nobody-may-read"
NAME = "city-portal"
SIZE = (1300, 800)


# A flow of a user's, in a process of its own. Once a block is saved, the server knows its type.
FLOW = """\
import sys
from pathlib import Path

from prefect import flow

from ods_provider.schedulers.prefect import OdsCredentials, ods_download, ods_load


@flow(name="open-data", flow_run_name="capitals into {folder.name}")
def open_data(folder: Path) -> None:
    ods_download("world-capitals", folder / "capitals.parquet")
    ods_load("world-capitals", "capitals", f"duckdb:///{folder}/city.duckdb")


OdsCredentials(host=sys.argv[1], api_key=sys.argv[2]).save("ods-default", overwrite=True)
open_data(Path(sys.argv[3]))
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[int]:
    """The port at which our site's pictures are: pages ask for the logo by its public address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(DOCS))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with tls_front(server.server_port, tmp_path_factory.mktemp("tls") / "ca.pem") as front:
            yield front.port
        server.shutdown()


@pytest.fixture(scope="module")
def browser(site, tmp_path_factory) -> Iterator[webdriver.Chrome]:
    folder = tmp_path_factory.mktemp("chromium")
    to_us = (f"--host-resolver-rules=MAP {SITE} 127.0.0.1:{site}", "--ignore-certificate-errors")
    with chromium(folder, *to_us) as driver:
        seen_as(driver, *SIZE)
        yield driver


@pytest.fixture(scope="module")
def portal() -> Iterator[LocalPortal]:
    with LocalPortal(api_key=API_KEY) as portal:
        yield portal


@pytest.fixture(scope="module")
def pages(server) -> str:
    return server.url.removesuffix("api") + "v2"


@pytest.fixture(scope="module")
def ran(server, portal, tmp_path_factory) -> None:
    """The flow has run."""
    folder = tmp_path_factory.mktemp("lake", numbered=False)
    command = [sys.executable, "-c", FLOW, portal.url, API_KEY, str(folder)]
    subprocess.run(command, env=server.environ, cwd=folder, check=True, timeout=600)


def field(browser: webdriver.Chrome, label: str) -> WebElement:
    """Return what is filled under a label."""
    named = "[...document.querySelectorAll('input, textarea')].find(it => it.labels[0]?.innerText.startsWith({}))"
    found = browser.execute_script("return " + named.format("arguments[0]"), label)
    assert isinstance(found, WebElement), label
    return found


def logo_is_drawn(browser: webdriver.Chrome) -> bool:
    drawn = "return [...document.images].some(it => it.src.includes(arguments[0]) && it.naturalWidth > 0)"
    return bool(browser.execute_script(drawn, SITE))


def hides_the_key(browser: webdriver.Chrome, text: str) -> bool:
    values = "return [...document.querySelectorAll('input, textarea')].map(it => it.value).join(' ')"
    return API_KEY not in text + browser.page_source + browser.execute_script(values)


def test_a_person_fills_the_block_s_form_and_sees_no_key_again(ran, portal, browser, pages, tmp_path):
    seen(browser, f"{pages}/blocks/catalog/ods-credentials/create", "API Key", "Push Key", "An Opendatasoft (Huwise)")
    field(browser, "Name").send_keys(NAME)
    field(browser, "Host").send_keys(portal.url)
    field(browser, "API Key").send_keys(API_KEY)
    for label in ("API Key", "Push Key"):
        assert field(browser, label).get_attribute("type") == "password"
    assert logo_is_drawn(browser)
    shot(browser, "prefect-block", tmp_path)

    browser.find_element(By.XPATH, "//button[text()='Save']").click()
    saved = shows(browser, "Paste this snippet", f'credentials="{NAME}"', portal.url)
    shot(browser, "prefect-block-saved", tmp_path)
    assert hides_the_key(browser, saved)
    connection = OdsCredentials.named(NAME).connection()
    assert (connection.base_url, connection.api_key.reveal()) == (portal.url, API_KEY)
    assert not connection.login

    seen(browser, browser.current_url + "/edit", "API Key")
    assert hides_the_key(browser, shows(browser, "Host"))


def test_runs_have_names_and_artifacts_say_what_came(client, ran, browser, pages, tmp_path):
    asked = ArtifactFilter(key=ArtifactFilterKey(any_=["ods-download-world-capitals-parquet-result"]))
    told = max(client.read_artifacts(artifact_filter=asked), key=lambda each: each.created)

    run = f"{pages}/runs/flow-run/{told.flow_run_id}"
    names = ("capitals into lake", "download world-capitals", "load world-capitals", "Completed")
    tasks = seen(browser, f"{run}?tab=TaskRuns", *names)
    shot(browser, "prefect-run", tmp_path)
    log = seen(browser, f"{run}?tab=Logs", "Done: 110 rows, 13.4 KB, verified: counted")
    shot(browser, "prefect-log", tmp_path)

    rows = ("rows\t110", "size_bytes\t13,380 (13.4 KB)", "verified\tcounted", "quota_remaining")
    artifact = seen(browser, f"{pages}/artifacts/artifact/{told.id}", "110 rows, 13.4 KB", *rows)
    shot(browser, "prefect-artifact", tmp_path)
    for page in (tasks, log, artifact):
        assert hides_the_key(browser, page)
