"""What a portal writes reaches the terminal as text: no escape, no second line, no markup."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from effort import effort
from replay import Play, answer, replay

ESC = "\x1b[2J\x9b31m\u202e"
ROW = {f"na{ESC}me": f"va{ESC}lue\r\nError forged", "[bold red]x[/]": "[link=http://evil]y[/link]", "deep": {"k": ESC}}


def page(*rows: object) -> Play:
    return answer(json.dumps({"total_count": len(rows), "results": rows}, ensure_ascii=False).encode())


def on_a_terminal(*words: str, env: dict[str, str]) -> str:
    """Run a command with a terminal at its standard output and error, and return all that it got."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "ods_provider.cli", *words],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        env=env,
    ) as process:
        os.close(slave)
        got = b""
        while True:
            try:
                piece = os.read(master, 65_536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            got += piece
        process.wait()
    os.close(master)
    return got.decode()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ODS_", "AIRFLOW"))}
    return {
        **kept,
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "TERM": "xterm",
        "COLUMNS": "200",
    }


def expect_nothing_obeyed(shown: str) -> None:
    assert "\x1b[2J" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert not any(line.lstrip().startswith("Error forged") for line in shown.splitlines())


@pytest.mark.at_length(but=1)
@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("columns", ["200", "20"])
def test_rows_and_their_names_are_text(env: dict[str, str], options: tuple[str, ...], columns: str) -> None:
    with replay(page(ROW)) as server:
        shown = on_a_terminal("records", "d", "--host", server.url, *options, env=env | {"COLUMNS": columns})
    expect_nothing_obeyed(shown)
    assert "lue" in shown, shown
    if not options and columns == "200":
        assert "[bold red]x[/]" in shown


@pytest.mark.parametrize(
    "status", effort(["400 Bad", "302 Found"], at_length=["400 Bad", "404 No", "403 No", "302 Found"])
)
def test_what_a_portal_refuses_with_is_text(env: dict[str, str], status: str) -> None:
    body = json.dumps({"error_code": ESC, "message": f"no{ESC}\r\nError forged [bold]b[/]"}).encode()
    refusal = answer(body, status, "Location: https://evil.example/\x9b31m")
    for debug in ((), ("--debug",)):
        with replay(*[refusal] * 3) as server:
            shown = on_a_terminal("records", "d", "--host", server.url, *debug, env=env)
        expect_nothing_obeyed(shown)
        assert "Error" in shown


@pytest.mark.at_length
def test_a_deprecation_notice_is_text(env: dict[str, str]) -> None:
    notice = answer(
        json.dumps({"total_count": 0, "results": []}).encode(),
        "200 OK",
        "Ods-Explore-API-Deprecation: \x9b2J [red]gone[/]",
    )
    with replay(*[notice] * 3) as server:
        shown = on_a_terminal("records", "d", "--host", server.url, env=env)
    expect_nothing_obeyed(shown)
    assert "[red]gone[/]" in shown


@pytest.mark.at_length
def test_json_of_a_portal_keeps_its_value(env: dict[str, str]) -> None:
    with replay(page(ROW)) as server:
        ran = subprocess.run(
            [sys.executable, "-m", "ods_provider.cli", "records", "d", "--json", "--host", server.url],
            env=env, capture_output=True, check=True,
        )  # fmt: skip
    assert json.loads(ran.stdout) == ROW
