"""The connection form in a real browser: opened, filled, saved, and read again.

Needs chromium and chromium-driver; on Debian they are installed where they are missing.
"""

from __future__ import annotations

import json
from pathlib import Path

from airflow_daemons import Airflow, wait_for
from chromium import seen_as, shot
from portal_process import PortalProcess
from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement


class Form:
    """The dialog of Airflow's page of connections."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self._browser = browser

    def one(self, css: str, *, text: str = "", shown: bool = True) -> WebElement:
        def find() -> WebElement | None:
            for element in self._browser.find_elements(By.CSS_SELECTOR, css):
                if text in element.text and (not shown or element.is_displayed()):
                    return element
            return None

        found = wait_for(f"{css} {text}", find, timeout_s=240, pause_s=0.2)
        assert found is not None
        return found

    def fill(self, css: str, value: str) -> None:
        field = self.one(css)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(value)

    def click(self, css: str, *, text: str = "") -> None:
        """Click what may still move: sections slide open, and messages slide over buttons and away again."""

        def hit() -> bool:
            try:
                self.one(css, text=text).click()
            except (ElementClickInterceptedException, StaleElementReferenceException):
                return False
            return True

        wait_for(f"a click on {css} {text}", hit, timeout_s=240, pause_s=0.3)

    def section(self, name: str) -> None:
        css = "[role=dialog] button[aria-expanded]"

        def opened() -> bool:
            return self.one(css, text=name).get_attribute("aria-expanded") == "true"

        if not opened():
            self.click(css, text=name)
        wait_for(f"{name} opens", opened, timeout_s=240)


def field(name: str) -> str:
    return f"[role=dialog] input[name={name}]"


def extra(name: str) -> str:
    return f"[role=dialog] input[name=element_{name}]"


def test_a_person_fills_the_form_saves_it_and_sees_no_key_again(
    airflow: Airflow, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    with PortalProcess(tmp_path / "portal") as portal:
        form = Form(browser)
        seen_as(browser, 1300, 1000)
        browser.get(f"{airflow.url}/auth/token/login")
        browser.get(f"{airflow.url}/connections")
        form.click("button", text="Add Connection")
        form.fill(field("connection_id"), "from_the_form")
        kind = form.one("[role=dialog] [role=combobox]", shown=False)
        kind.send_keys("Opendatasoft")
        assert form.one("[role=option]").text == "Opendatasoft portal"
        kind.send_keys(Keys.ENTER)

        labels = {label.text for label in browser.find_elements(By.CSS_SELECTOR, "[role=dialog] label")}
        assert {"API key", "Login (basic auth only)", "Scheme"} <= labels
        assert form.one(field("host")).get_attribute("placeholder") == "data.example.org"
        form.fill(field("host"), portal.url)
        form.fill(field("password"), portal.api_key)
        assert form.one(field("password")).get_attribute("type") == "password"
        shot(browser, "airflow-form", tmp_path)

        form.section("Extra Fields")
        form.fill(extra("push_api_key"), portal.push_key)
        for name in ("push_api_key", "proxy"):
            assert form.one(extra(name)).get_attribute("type") == "password"
        form.fill(extra("timeout_s"), "12.5")
        form.fill(extra("max_retries"), "2")
        form.fill(extra("allowed_hosts"), "www.example.org")
        shot(browser, "airflow-form-extra", tmp_path)
        form.click("[role=dialog] button", text="Save")
        wait_for(
            "the dialog closes", lambda: not browser.find_elements(By.CSS_SELECTOR, "[role=dialog]"), timeout_s=240
        )

        stored = airflow.api("GET", "/connections/from_the_form")
        assert (stored["conn_type"], stored["host"]) == ("ods", portal.url)
        assert portal.api_key not in json.dumps(stored)
        assert portal.push_key not in json.dumps(stored)
        settings = json.loads(stored["extra"])
        assert settings["push_api_key"] == "***"
        assert (settings["timeout_s"], settings["max_retries"]) == (12.5, 2)

        # What was stored is right, although nobody is shown it: the saved connection works.
        said = airflow.command("connections", "test", "from_the_form")
        assert "Connection success!" in said

        # Opened again, the form and the whole page show no key.
        browser.get(f"{airflow.url}/connections")
        form.click("button[aria-label='Edit Connection']")
        form.one(field("host"))
        for section in ("Extra Fields", "Extra Fields JSON"):
            form.section(section)
        values = [element.get_attribute("value") or "" for element in browser.find_elements(By.CSS_SELECTOR, "input")]
        page = browser.page_source + " ".join(values)
        shot(browser, "airflow-form-again", tmp_path)
        assert portal.api_key not in page
        assert portal.push_key not in page
