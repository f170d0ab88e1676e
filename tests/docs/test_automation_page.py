"""docs/automation.md is a subject of tests: its examples run one after the other, its table is the client's methods."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ods_provider
from ods_provider.client.automation import AutomationClient
from ods_provider.testing.portal import LocalPortal

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "automation.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_examples_do_what_the_page_says(
    ods_portal: LocalPortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trees.csv").write_text("Name;N\nElm;1\nOak;2\n")

    class Client(ods_provider.OdsClient):
        """The same, at the portal on localhost, which goes on while it is waited for."""

        def __init__(self, host: str, **settings: Any) -> None:
            assert host == "data.example.org"
            if "api_key" in settings:
                settings["api_key"] = ods_portal.api_key
            super().__init__(ods_portal.url, sleep=lambda _: ods_portal.office.step(), **settings)

    space: dict[str, Any] = {"OdsClient": Client}
    seen = []
    for number, code in enumerate(EXAMPLES):
        if number == 1:
            (tmp_path / "trees.csv").write_text("Name;N\nElm;3\n")
        exec(compile(code.replace("from ods_provider import OdsClient\n", ""), f"example {number}", "exec"), space)
        with Client("data.example.org", api_key="…") as client:
            seen.append([row["n"] for row in client.records("trees", order_by="n")])
    assert seen == [[1, 2], [3], [3], [3], [3]]
    assert capsys.readouterr().out == "0 cells do not fit\n"
    with Client("data.example.org", api_key="…") as client:
        assert client.dataset("trees").metas["default"]["title"] == "Trees of the town"
        assert client.count("live-readings", where="sensor_id = 'a'") >= 1


def test_the_table_names_every_method() -> None:
    rows = dict(re.findall(r"^\| (`[a-z_., `]+`) \| (`.*) \|$", PAGE.partition("## The rest")[2], re.MULTILINE))
    told: dict[str, set[str]] = {}
    for parts, said in rows.items():
        words = re.findall(r"`([a-z_.]+)`", said)
        for part in re.findall(r"[a-z_.]+", parts):
            plain = {word for word in words if "." not in word}
            told[part] = plain | {word.rpartition(".")[2] for word in words if word.startswith(f"{part}.")}
    client = AutomationClient(ods_provider.OdsClient("127.0.0.1"))
    there: dict[str, set[str]] = {}
    for name in (name for name in dir(client) if not name.startswith("_")):
        part = getattr(client, name)
        if name == "security":
            there |= {f"security.{whom}": _methods(getattr(part, whom)) for whom in ("users", "groups")}
        else:
            there[name] = _methods(part)
    assert told == there


def _methods(part: Any) -> set[str]:
    return {name for name in dir(part) if not name.startswith("_") and callable(getattr(part, name))}
