"""``ods login`` brings a user's consent to where workers find it."""

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ods_provider.cli import main
from ods_provider.client import OdsClient


@pytest.fixture
def environment(ods_portal: Any, tmp_path: Path) -> dict[str, str]:
    return {
        "ODS_HOST": ods_portal.url,
        "ODS_CLIENT_ID": ods_portal.oauth.client_id,
        "ODS_CLIENT_SECRET": ods_portal.oauth.client_secret,
        "ODS_TOKEN_STORE": str(tmp_path / "tokens"),
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def visit(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=60) as page:
            return int(page.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


class Login:
    """``ods login`` in a process of its own, at the point where it waits for the browser."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.back = f"http://127.0.0.1:{free_port()}/back"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ods_provider.cli",
                "login",
                "--redirect-uri",
                self.back,
                "--wait-s",
                "120",
            ],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"(http\S+/oauth2/authorize/\S+)", line):
                self.page = found[1]
                break

    def end(self) -> tuple[int, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err


def paste(environment: dict[str, str], *arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["login", *arguments], env=environment, input=text)


def get_code(environment: dict[str, str], portal: Any, *, back: str = "http://127.0.0.1:8914/") -> str:
    """Authorise by hand and return the address that the browser would end at."""
    url = f"{portal.url}/oauth2/authorize/?client_id=demo-app&response_type=code&redirect_uri={back}&state=mine"

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(Stay).open(url, timeout=60)
    caught.value.close()
    return str(caught.value.headers["location"])


def count(portal: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, **extra: Any) -> int:
    monkeypatch.setenv("ODS_TOKEN_STORE", environment["ODS_TOKEN_STORE"])
    extra |= {"auth": "oauth2", "client_id": "demo-app", "client_secret": portal.oauth.client_secret}
    with OdsClient(portal.url, **extra) as client:
        return client.count("gated-loads")


@pytest.mark.at_length
def test_a_browser_that_comes_back_is_enough_for_workers(
    ods_portal: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    login = Login(environment)
    assert visit(login.back.replace("/back", "/favicon.ico")) == 404
    assert visit(login.page) == 200
    code, said = login.end()
    assert code == 0, said
    assert '{"auth": "oauth2", "client_id": "demo-app"}' in said
    assert count(ods_portal, environment, monkeypatch) > 0
    assert ods_portal.oauth.exchanges == 1  # the login's own access token still serves
    for kept in Path(environment["ODS_TOKEN_STORE"]).glob("*.json"):
        assert kept.read_text().split('"')[3] not in said


def test_an_answer_to_another_login_is_refused(ods_portal: Any, environment: dict[str, str]) -> None:
    login = Login(environment)
    assert visit(f"{login.back}?code=c&state=of-somebody-else") == 200
    code, said = login.end()
    assert code == 1
    assert "another login" in said
    assert ods_portal.oauth.exchanges == 0


def test_a_user_who_says_no_is_told_so(environment: dict[str, str]) -> None:
    login = Login(environment)
    state = re.search(r"state=([^&]+)", login.page)
    assert state is not None
    visit(f"{login.back}?error=access_denied&state={state[1]}")
    code, said = login.end()
    assert code == 1
    assert "access_denied" in said


@pytest.mark.parametrize("whole_address", [True, False])
def test_a_code_can_be_given_where_there_is_no_browser(
    ods_portal: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, whole_address: bool
) -> None:
    address = get_code(environment, ods_portal)
    code = address if whole_address else address.partition("code=")[2].partition("&")[0]
    done = paste(environment, "--code", code)
    assert done.exit_code == 0, done.output
    assert count(ods_portal, environment, monkeypatch) > 0
    again = paste(environment, "--code", code)
    assert again.exit_code == 1
    assert "invalid_grant" in again.output


def test_the_host_may_stand_before_the_command_and_then_wins_over_the_environment(
    ods_portal: Any, environment: dict[str, str]
) -> None:
    environment |= {"ODS_HOST": "http://127.0.0.1:9"}
    for words in (["--host", ods_portal.url, "login"], ["login", "--host", ods_portal.url]):
        address = get_code(environment, ods_portal)
        done = CliRunner().invoke(main, [*words, "--code", address], env=environment)
        assert done.exit_code == 0, done.output
    nowhere = CliRunner().invoke(main, ["login", "--code", "c"], env=environment | {"ODS_HOST": ""})
    assert (nowhere.exit_code, "Missing option '--host'" in nowhere.output) == (2, True)


def test_a_pasted_address_is_checked_against_the_state(ods_portal: Any, environment: dict[str, str]) -> None:
    done = paste(environment, "--code", text=get_code(environment, ods_portal) + "\n")
    assert done.exit_code == 1
    assert "another login" in done.output


def test_a_seed_is_printed_and_not_stored(
    ods_portal: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = paste(environment, "--seed", "--code", get_code(environment, ods_portal))
    found = re.search(r'"refresh_token": "(\w+)"', done.output)
    assert found is not None
    assert not Path(environment["ODS_TOKEN_STORE"]).exists()
    assert count(ods_portal, environment, monkeypatch, refresh_token=found[1]) > 0


def test_the_client_secret_comes_from_a_file_too_and_a_wrong_one_is_named(
    ods_portal: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("wr0ng\n")
    given = ["--client-secret-file", str(tmp_path / "secret"), "--code", get_code(environment, ods_portal)]
    done = paste(environment, *given)
    assert done.exit_code == 1
    assert "Check --client-id and --client-secret-file" in done.output
    assert "wr0ng" not in done.output


def test_a_redirect_url_that_nothing_can_listen_at_is_an_error_that_says_so(environment: dict[str, str]) -> None:
    done = paste(environment, "--redirect-uri", "https://app.example.org/back")
    assert done.exit_code == 1
    assert "use --code" in done.output
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = paste(environment, "--redirect-uri", f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert done.exit_code == 1
    assert "cannot be listened at" in done.output
