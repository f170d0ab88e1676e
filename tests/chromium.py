"""A headless Chromium, installed on Debian where it is missing."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from debian import install
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--window-size=1300,1900")
PACKAGES = {"chromium": "chromium", "chromedriver": "chromium-driver"}
STILL_TRIES = 20
PATIENCE_S = 240  # until a page shows what it is to show, on a busy machine


def install_browser() -> None:
    missing = [package for command, package in PACKAGES.items() if not shutil.which(command)]
    if missing:
        install(*missing)


@contextmanager
def chromium(folder: Path, *more: str) -> Iterator[webdriver.Chrome]:
    """Open a browser that keeps its own in ``folder``, with more flags."""
    install_browser()
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={folder}", *more):
        options.add_argument(flag)
    options.binary_location = str(shutil.which("chromium"))
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def seen(browser: webdriver.Chrome, url: str, *words: str) -> str:
    """Open a page and return its text once all these words are on it."""
    browser.get(url)
    return shows(browser, *words)


def shows(browser: webdriver.Chrome, *words: str) -> str:
    """Return the text of the page that is open, once all these words are on it."""
    said = ""

    def all_there(it: webdriver.Chrome) -> bool:
        nonlocal said
        # By one script: what is found may be gone before its text is asked for.
        said = str(it.execute_script("return document.body?.innerText ?? ''"))  # type: ignore[no-untyped-call]
        return all(word in said for word in words)

    try:
        WebDriverWait(browser, PATIENCE_S, poll_frequency=0.2).until(all_there)
    except TimeoutException:
        missing = [word for word in words if word not in said]
        raise AssertionError(f"{browser.current_url} does not show {missing}, but: {said}") from None
    return said


def seen_as(browser: webdriver.Chrome, width: int, height: int, *, dark: bool = False) -> None:
    """Show pages from here on in a window of this size, in light or in dark."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def shot(browser: webdriver.Chrome, name: str, tmp_path: Path) -> None:
    """Keep a picture where ``ODS_SCREENSHOTS`` says, so that a person can look at it."""
    wanted = os.environ.get("ODS_SCREENSHOTS")
    folder = Path(wanted or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    before, now = b"", browser.get_screenshot_as_png()
    # What people shall look at is taken when it stands still: graphs are drawn after their page is there.
    tries = STILL_TRIES if wanted else 0
    while before != now and tries:
        time.sleep(0.5)
        before, now, tries = now, browser.get_screenshot_as_png(), tries - 1
    (folder / f"{name}.png").write_bytes(now)
