"""The pages of the local portal in a real browser: what people see of datasets, queries, quotas and faults."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from chromium import seen_as, shot
from portal_process import PortalProcess
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

ROWS = 1_000_000
EVIL = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
TABLE = "/explore/dataset/world-capitals/table/"
DESKTOP, PHONE = (1100, 1000), (390, 844)
# What WCAG 2 asks of text: contrast of each colour with each ground that it stands on.
CONTRASTS = """
const ctx = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const light = (name) => {
  ctx.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
  ctx.fillRect(0, 0, 1, 1);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = [...ctx.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
return ["--text", "--quiet", "--link", "--alert"].flatMap((text) => ["--ground", "--raised"].map((ground) => {
  const [low, high] = [light(text), light(ground)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}));
"""
UNNAMED = """
const labelled = (one) => one.getAttribute("aria-label") || one.getAttribute("aria-labelledby");
return [...document.querySelectorAll("input:not([type=hidden]), button, a, svg, [role=region]")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.labels?.length || labelled(one) || one.textContent.trim()))
  .map((one) => one.outerHTML);
"""


class Pages:
    """A person with a browser before a portal."""

    def __init__(self, browser: webdriver.Chrome, portal: PortalProcess) -> None:
        self.browser = browser
        self.portal = portal

    def open(self, path: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> None:
        seen_as(self.browser, *size, dark=dark)
        self.browser.get(self.portal.url + path)
        self.ready()

    def ready(self) -> None:
        self.until(lambda: self.run("return document.body?.dataset.ready"))

    def run(self, script: str) -> Any:
        return self.browser.execute_script(script)

    def one(self, css: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def texts(self, css: str) -> list[str]:
        return [found.text for found in self.browser.find_elements(By.CSS_SELECTOR, css)]

    def follow(self, link: str) -> None:
        """Follow a link that leads to another page, as it is written, with the keyboard."""
        self.run("document.body.dataset.ready = ''")
        self.browser.find_element(By.PARTIAL_LINK_TEXT, link).send_keys(Keys.ENTER)
        self.ready()

    def until(self, told: Callable[[], Any]) -> None:
        end = time.monotonic() + 60
        while not told():
            assert time.monotonic() < end, self.one("body").text
            time.sleep(0.05)

    def says(self, css: str, *words: str) -> None:
        # By one script, since what was found may be gone before its text is asked for: a form opens its own page again.
        shown = "return document.querySelector(arguments[0])?.innerText ?? ''"
        self.until(lambda: all(word in self.browser.execute_script(shown, css) for word in words))

    def column(self, number: int) -> list[str]:
        return self.texts(f"#records tbody td:nth-child({number})")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalProcess]:
    with PortalProcess(tmp_path_factory.mktemp("portal"), f"--synthetic-rows={ROWS}") as running:
        yield running


@pytest.fixture
def pages(browser: webdriver.Chrome, portal: PortalProcess) -> Iterator[Pages]:
    portal.control("reset")
    browser.get_log("browser")
    yield Pages(browser, portal)
    # What a page may not do is told there.
    told = [entry["message"] for entry in browser.get_log("browser")]
    assert not [line for line in told if "Content Security Policy" in line or "Uncaught" in line]


def test_a_person_finds_a_dataset_sorts_filters_and_turns_pages(pages: Pages, tmp_path: Path) -> None:
    pages.open("/")
    assert pages.browser.current_url == f"{pages.portal.url}/explore/"
    assert "1,000,000" in pages.texts("#datasets tbody tr")[-1]
    shot(pages.browser, "portal-list", tmp_path)
    pages.one("#q").send_keys("capital", Keys.ENTER)
    pages.says("#found", "1 dataset with “capital”")
    pages.ready()
    pages.follow("Capitals of the world")
    assert pages.browser.current_url == pages.portal.url + TABLE
    assert pages.texts("#fields tbody th")[:2] == ["geoname_id", "name"]
    assert "110 points" in pages.one("#plotted").text
    assert len(pages.browser.find_elements(By.CSS_SELECTOR, "#plot circle")) == 110
    pages.follow("Population")
    pages.follow("Population")
    assert pages.column(2)[:2] == ["Beijing", "Buenos Aires"]
    assert pages.one("th[aria-sort=descending]").text.startswith("Population")
    pages.follow("Next")
    assert pages.one("#found").text == "Rows 21 to 40 of 110."
    where = pages.one("#where")
    where.send_keys("population > 10000000", Keys.ENTER)
    pages.says("#found", "Rows 1 to 5 of 5.")
    pages.ready()
    assert pages.column(2)[0] == "Beijing", "the order is kept"
    pages.open(f"{TABLE}?where=population+>+1500000+and+timezone+like+'Europe'&order_by=population+desc", (1100, 1420))
    shot(pages.browser, "portal-dataset", tmp_path)


@pytest.mark.parametrize(
    "asked",
    ["", "?q=a\"b'\\", "?q=an&where=population+>+100000+and+name+!=+'x'&order_by=population+desc&page=2"],
    ids=["all", "quotes", "everything"],
)
def test_the_query_that_is_shown_gives_the_rows_that_are_shown(pages: Pages, asked: str) -> None:
    pages.open(TABLE + asked)
    shown = pages.column(1)
    url, command, python = pages.texts("#queries code")
    with urlopen(url, timeout=60) as answer:
        assert [row["geoname_id"] for row in json.load(answer)["results"]] == shown
    words = [sys.executable, "-m", "ods_provider.cli", "--json", *shlex.split(command)[1:]]
    lines = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()
    # On later pages these two begin at the first row all the same, and the page says so.
    assert [json.loads(line)["geoname_id"] for line in lines][-len(shown) or len(lines) :] == shown
    rows: dict[str, Any] = {}
    exec(python, rows)
    assert [row["geoname_id"] for row in rows["rows"]][-len(shown) or len(rows["rows"]) :] == shown


def test_a_query_is_copied(pages: Pages) -> None:
    permission = {"permission": {"name": "clipboard-write"}, "setting": "granted", "origin": pages.portal.url}
    pages.browser.execute_cdp_cmd("Browser.setPermission", permission)
    pages.open(TABLE)
    pages.one("button[aria-label='Copy: Command line']").click()
    pages.until(lambda: "Copied." in pages.texts("#queries [role=status]"))


def test_texts_of_the_portal_stay_texts(pages: Pages) -> None:
    field = {"type": "text", "label": EVIL, "description": EVIL}
    one = f"{pages.portal.url}/_control/datasets/evil"
    body = json.dumps({"fields": {"x": field, "in": "int"}, "rows": [{"x": EVIL, "in": 1}]}).encode()
    urlopen(Request(one, body, method="PUT"), timeout=60).close()
    automation = f"{pages.portal.url}/api/automation/v1.0/datasets/"
    key = {"Authorization": f"Apikey {pages.portal.api_key}", "content-type": "application/json"}
    with urlopen(Request(f"{automation}?dataset_id=evil", headers=key), timeout=60) as answer:
        uid = json.load(answer)["results"][0]["uid"]
    for name in ("title", "description", "publisher"):
        told = json.dumps({"value": EVIL}).encode()
        urlopen(Request(f"{automation}{uid}/metadata/default/{name}/", told, key, method="PUT"), timeout=60).close()
    urlopen(Request(f"{automation}{uid}/publish/", b"", key, method="POST"), timeout=60).close()
    pages.portal.control("automation/settle")
    pages.portal.fault("status", path=EVIL)
    pages.open("/explore/")
    assert EVIL in pages.one("#datasets").text
    pages.open("/explore/dataset/evil/?q=&where=&order_by=`in`+desc")
    assert pages.one("#title").text == EVIL
    assert pages.column(1) == [EVIL]
    assert EVIL in pages.one("#fields").text and EVIL in pages.one("#facts").text
    pages.says("#state", EVIL)
    pages.open(f"/explore/dataset/evil/?q={EVIL}&where={EVIL}")
    assert pages.one("#refused").text
    pages.open("/explore/dataset/%3Cimg%20src=x%20onerror=%22window.pwned=3%22%3E/")
    assert "does not exist" in pages.one("#alert").text
    assert pages.run("return window.pwned") is None


def test_values_are_shown_as_they_are(pages: Pages) -> None:
    pages.open("/explore/")
    pages.follow("Postal codes")
    assert pages.one("#facts code").text == "postal-codes@public"
    assert pages.one("#found").text == "Rows 1 to 16 of 16."
    pages.open("/explore/dataset/all-types/")
    shown = pages.one("#records").text
    for value in ("9007199254740993", "-9223372036854775808", "1e+300", "a, b, c", "-4.5, 0.5", "Polygon", "über.txt"):
        assert value in shown


def test_what_needs_a_key_is_said_and_not_shown(pages: Pages) -> None:
    pages.open("/explore/dataset/gated-loads/table/")
    assert "need an API key" in pages.one("#refused").text
    assert pages.column(1) == []
    assert "substation" in pages.one("#fields").text
    pages.open(f"{TABLE}?where=nope(")
    assert "unexpected (" in pages.one("#refused").text


def test_a_portal_that_needs_a_key_says_so(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with PortalProcess(tmp_path, "--require-key") as portal:
        pages = Pages(browser, portal)
        for path in ("/explore/", TABLE):
            pages.open(path)
            assert "shows nothing without an API key" in pages.one("#alert").text
            assert "apital" not in pages.one("main").text.replace("world-capitals", "")


def test_quota_faults_and_publication_are_told_while_they_change(pages: Pages, tmp_path: Path) -> None:
    pages.open(TABLE)
    pages.says("#state", "100,000 of 100,000 calls per day left", "none set")
    pages.portal.control("quota", {"limit": 100, "remaining": 7, "reset_in_s": 7200, "unit": "hour"})
    pages.portal.control("quota", {"limit": 50, "dataset_id": "world-capitals"})
    pages.portal.fault("status", times=3, path="/exports/", skip=1)
    pages.portal.control("automation/switches", {"processing_s": None})
    automation = f"{pages.portal.url}/api/automation/v1.0/datasets/"
    key = {"Authorization": f"Apikey {pages.portal.api_key}"}
    with urlopen(Request(f"{automation}?dataset_id=world-capitals", headers=key), timeout=60) as answer:
        uid = json.load(answer)["results"][0]["uid"]
    urlopen(Request(f"{automation}{uid}/publish/", b"", key, method="POST"), timeout=60).close()
    pages.says("#state", "7 of 100 calls per hour left, back in 1 hour", "50 of 50", "processing")
    pages.says("#state", "status for 3 calls whose path holds /exports/, after 1 call")
    assert pages.portal.requests(holding="/explore/") == [], "looking changes nothing of what is looked at"
    shot(pages.browser, "portal-state", tmp_path)


def test_a_page_of_a_million_rows_asks_for_a_few(pages: Pages) -> None:
    pages.open("/explore/dataset/synthetic-rows/table/")
    assert "Rows 1 to 20 of 1,000,000." in pages.one("#found").text
    assert "an export has all" in pages.one("#found").text
    asked = "return performance.getEntriesByType('resource').map((one) => [one.name, one.decodedBodySize])"
    came = [(name, size) for name, size in pages.run(asked) if "/explore/data/" in name]
    assert 2 <= len(came) <= 10 and sum(size for _, size in came) < 50_000
    pages.open("/explore/dataset/synthetic-rows/table/?page=500")
    assert "Rows 9,981 to 10,000" in pages.one("#found").text
    assert pages.texts("#pages a") == ["← Previous"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_fit_can_be_read_and_name_their_parts(
    pages: Pages, size: tuple[int, int], dark: bool, tmp_path: Path
) -> None:
    pages.portal.fault("status", times=3, path="/exports/")
    for path, name in (
        ("/explore/", "list"),
        (f"{TABLE}?where=population+>+2000000", "dataset"),
        ("/explore/dataset/all-types/", "types"),
    ):
        pages.open(path, size, dark=dark)
        assert pages.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert min(pages.run(CONTRASTS)) >= 4.5
        assert pages.run(UNNAMED) == []
        assert pages.run("return document.querySelectorAll('th:not([scope])').length") == 0
        assert pages.run("return document.querySelectorAll('h1').length") == 1
        names = pages.run("return performance.getEntriesByType('resource').map((one) => one.name)")
        assert all(url.startswith(f"{pages.portal.url}/") for url in names), "no other host is asked"
        kind = f"{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}"
        shot(pages.browser, f"portal-{name}-{kind}", tmp_path)
