"""The built site in a browser, on a desk and on a phone. ``make docs`` builds it before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from chromium import browser, shot
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

__all__ = ["browser"]

SITE = Path(__file__).resolve().parents[3] / "build" / "site"
WIDTHS = {"desk": 1300, "phone": 390}
PAGES = sorted(str(page.parent.relative_to(SITE)) for page in SITE.rglob("index.html"))
SHOWN = {".": "start", "publishing": "publishing", "operators/download": "operator", "reference": "reference"}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def resize(browser: webdriver.Chrome, width: int) -> None:
    size = {"width": width, "height": 1400, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.parametrize("on", WIDTHS)
def test_every_page_fits_and_has_a_heading(browser: webdriver.Chrome, url: str, tmp_path: Path, on: str) -> None:
    resize(browser, WIDTHS[on])
    assert len(PAGES) > 40
    for page in PAGES:
        browser.get(f"{url}/{page}/")
        # What is wide scrolls in a box of its own.
        wide = browser.execute_script("return document.documentElement.scrollWidth")  # type: ignore[no-untyped-call]
        assert wide <= WIDTHS[on], page
        assert browser.find_element(By.TAG_NAME, "h1").text, page
        if page in SHOWN:
            shot(browser, f"site-{SHOWN[page]}-{on}", tmp_path)


def test_a_word_is_found(browser: webdriver.Chrome, url: str, tmp_path: Path) -> None:
    resize(browser, WIDTHS["desk"])
    browser.get(url)
    browser.find_element(By.CLASS_NAME, "md-search__button").click()
    wait = WebDriverWait(browser, 60)
    # The dialog is no part of the page's own tree.
    dialog = wait.until(lambda it: next((e for e in [it.switch_to.active_element] if e.tag_name == "div"), None))
    webdriver.ActionChains(browser).send_keys("max_delete").perform()

    def found(_: webdriver.Chrome) -> bool:
        links = dialog.shadow_root.find_elements(By.CSS_SELECTOR, "a[href]")
        return any("operators/sync/" in str(link.get_attribute("href")) for link in links)

    wait.until(found)
    shot(browser, "site-search", tmp_path)
