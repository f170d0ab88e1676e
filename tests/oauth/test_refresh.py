"""Whoever authorised the application once is never asked again by accident, and is told when he must be."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ods_provider.client import OdsClient
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsSinkError, OdsTransportError
from ods_provider.core.oauth import Grant
from ods_provider.core.redact import Secret
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.plugins.manager import Plugins
from ods_provider.stores.tokens import FileTokens

Connect = Callable[..., OdsConnection]
DATASET = "world-capitals"


@pytest.fixture
def store_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ODS_TOKEN_STORE", str(tmp_path / "tokens"))
    return tmp_path / "tokens"


@pytest.fixture
def connect(ods_portal: Any, store_folder: Path) -> Connect:
    def made(**extra: Any) -> OdsConnection:
        application = {"auth": "oauth2", "client_id": ods_portal.oauth.client_id}
        application["client_secret"] = ods_portal.oauth.client_secret
        return from_parts(host=ods_portal.url, extra=application | extra)

    return made


def exchanges(portal: Any) -> list[int]:
    return [call.status for call in portal.requests if call.path == "/oauth2/token/"]


def test_a_seed_is_spent_once_and_its_access_token_serves_every_call(ods_portal: Any, connect: Connect) -> None:
    connection = connect(refresh_token=ods_portal.oauth.grant())
    with OdsClient(connection) as client:
        for _ in range(3):
            client.count(DATASET)
    with OdsClient(connection) as client:  # as a later task would
        client.count("gated-loads")  # what only somebody known may count
    assert exchanges(ods_portal) == [200]
    assert [call.auth for call in ods_portal.requests] == [None, "bearer", "bearer", "bearer", "bearer"]


def test_an_access_token_is_renewed_before_it_ends(ods_portal: Any, connect: Connect) -> None:
    ods_portal.oauth.access_lifetime_s = 3
    with OdsClient(connect(refresh_token=ods_portal.oauth.grant())) as client:
        client.count(DATASET)
        threading.Event().wait(2.8)  # a tenth of its life before its end
        client.count(DATASET)
    assert exchanges(ods_portal) == [200, 200]
    assert 401 not in [call.status for call in ods_portal.requests]


def test_a_token_that_is_refused_before_its_time_is_renewed_once(ods_portal: Any, connect: Connect) -> None:
    with OdsClient(connect(refresh_token=ods_portal.oauth.grant())) as client:
        client.count(DATASET)
        ods_portal.oauth.expire()
        assert client.count(DATASET) == len(ods_portal.rows(DATASET))
    assert [call.status for call in ods_portal.requests] == [200, 200, 401, 200, 200]


def test_a_fresh_token_that_is_refused_too_is_an_error_and_no_loop(ods_portal: Any, connect: Connect) -> None:
    ods_portal.fault("status", status=401, times=None, path="/records", body='{"error_code": "x", "message": "no"}')
    with OdsClient(connect(refresh_token=ods_portal.oauth.grant())) as client, pytest.raises(OdsAuthError):
        client.count(DATASET)
    assert [call.status for call in ods_portal.requests] == [200, 401, 200, 401]


def test_a_lost_answer_is_an_error_that_says_how_to_authorise_again(ods_portal: Any, connect: Connect) -> None:
    ods_portal.fault("lost", path="/oauth2/token/")
    connection = connect(refresh_token=ods_portal.oauth.grant())
    with OdsClient(connection, sleep=lambda s: None) as client, pytest.raises(OdsAuthError, match="lost") as caught:
        client.count(DATASET)
    assert not caught.value.transient
    assert f"ods login --host {ods_portal.url} --client-id demo-app --seed" in str(caught.value)
    assert exchanges(ods_portal) == [0, 400]
    with OdsClient(connection) as client, pytest.raises(OdsAuthError, match="ods login"):
        client.count(DATASET)
    assert len(exchanges(ods_portal)) == 3


def test_a_refresh_that_never_reached_the_portal_is_tried_again(ods_portal: Any, connect: Connect) -> None:
    ods_portal.fault("drop", times=2, path="/oauth2/token/")
    with OdsClient(connect(refresh_token=ods_portal.oauth.grant()), sleep=lambda s: None) as client:
        client.count(DATASET)
    assert exchanges(ods_portal) == [0, 0, 200]


def test_the_new_token_is_on_the_disk_before_its_first_use(ods_portal: Any, connect: Connect) -> None:
    connection = connect(refresh_token=ods_portal.oauth.grant())
    ods_portal.fault("drop", times=None, path="/api/")
    with OdsClient(connection, sleep=lambda s: None) as client, pytest.raises(OdsTransportError):
        client.count(DATASET)
    ods_portal.clear_faults()
    with OdsClient(connection) as client:
        client.count(DATASET)
    assert exchanges(ods_portal) == [200]


def test_a_store_that_cannot_be_written_fails_before_the_token_is_spent(
    ods_portal: Any, connect: Connect, store_folder: Path
) -> None:
    store_folder.write_text("a file where the folder should be")
    seed = ods_portal.oauth.grant()
    with OdsClient(connect(refresh_token=seed)) as client, pytest.raises(OdsSinkError, match="token store"):
        client.count(DATASET)
    assert exchanges(ods_portal) == []


def test_a_new_seed_begins_anew_and_two_users_of_one_application_stay_apart(ods_portal: Any, connect: Connect) -> None:
    first, second = (connect(refresh_token=ods_portal.oauth.grant()) for _ in range(2))
    assert FileTokens.of(first).path != FileTokens.of(second).path
    for connection in (first, second, first):
        with OdsClient(connection) as client:
            client.count(DATASET)
    assert exchanges(ods_portal) == [200, 200]


def test_without_a_seed_and_without_a_login_the_error_says_what_to_do(connect: Connect) -> None:
    with OdsClient(connect()) as client, pytest.raises(OdsConfigError, match="ods login --host"):
        client.count(DATASET)


def test_a_wrong_client_secret_is_told_apart_from_a_spent_grant(ods_portal: Any, connect: Connect) -> None:
    connection = connect(refresh_token=ods_portal.oauth.grant(), client_secret="not-it")
    with OdsClient(connection) as client, pytest.raises(OdsAuthError, match=r"Check .*client_id.* and .*client_secret"):
        client.count(DATASET)


def test_no_token_shows_in_logs_errors_or_reprs(
    ods_portal: Any, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seed = ods_portal.oauth.grant()
    connection = connect(refresh_token=seed)
    told: list[str] = []
    with OdsClient(connection, emit=lambda event: told.append(repr(event))) as client:
        client.count(DATASET)
        kept = FileTokens.of(connection).load()
        ods_portal.fault(
            "status", status=403, body=json.dumps({"error_code": "x", "message": f"no {access_token(kept)}"})
        )
        with pytest.raises(OdsAuthError) as caught:
            client.count(DATASET)
    shown = f"{caplog.text}{told}{caught.value!r}{connection!r}{client!r}{kept!r}"
    for secret in (seed, access_token(kept), ods_portal.oauth.client_secret):
        assert secret not in shown
    assert "/oauth2/token/" in shown


def access_token(grant: Grant | None) -> str:
    assert grant is not None
    assert grant.access_token is not None
    return grant.access_token.reveal()


def test_maskers_hear_of_every_token_before_it_is_used(ods_portal: Any, connect: Connect) -> None:
    heard: dict[str, int] = {}

    class Masker:
        @hookimpl
        def ods_new_secret(self, secret: Secret, scheduler: str) -> None:
            assert secret.reveal() not in heard
            heard[secret.reveal()] = len(ods_portal.requests)

    class Broken:
        @hookimpl
        def ods_new_secret(self) -> None:
            raise RuntimeError("of no consequence")

    plugins = Plugins({"masker": Masker(), "broken": Broken()}, entry_points=False)
    connection = connect(refresh_token=ods_portal.oauth.grant())
    with OdsClient(connection, tokens=plugins.token_store(connection, "cli")) as client:
        client.count(DATASET)
    kept = FileTokens.of(connection).load()
    assert kept is not None
    assert heard[access_token(kept)] == 1  # after the exchange, before the call
    assert kept.refresh_token.reveal() in heard


WORKER = """
import json, sys, time
from pathlib import Path
from ods_provider.client import OdsClient
settings = json.loads(sys.argv[1])
folder = Path(sys.argv[2])
(folder / sys.argv[3]).touch()
while len(list(folder.iterdir())) < int(sys.argv[4]):
    time.sleep(0.005)
with OdsClient(**settings) as client:
    for _ in range(40):
        client.count("world-capitals")
        time.sleep(0.1)
"""


@pytest.mark.at_length
def test_processes_that_refresh_at_once_do_not_lose_the_grant(
    ods_portal: Any, connect: Connect, tmp_path: Path
) -> None:
    ods_portal.oauth.access_lifetime_s = 1.5
    seed = ods_portal.oauth.grant()
    settings = {
        "host": ods_portal.url,
        "auth": "oauth2",
        "client_id": ods_portal.oauth.client_id,
        "client_secret": ods_portal.oauth.client_secret,
        "refresh_token": seed,
    }
    ready = tmp_path / "ready"
    ready.mkdir()
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, json.dumps(settings), str(ready), str(number), "3"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    said = [worker.communicate(timeout=60) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], said
    assert set(exchanges(ods_portal)) == {200}
    assert len(exchanges(ods_portal)) >= 3  # the seed's, and one in every 1.5 s after it
    with OdsClient(connect(refresh_token=seed)) as client:
        client.count(DATASET)
    assert set(exchanges(ods_portal)) == {200}


def test_threads_of_several_clients_refresh_once(ods_portal: Any, connect: Connect) -> None:
    connection = connect(refresh_token=ods_portal.oauth.grant())
    failed: list[BaseException] = []

    def work(client: OdsClient) -> None:
        try:
            client.count(DATASET)
        except BaseException as error:
            failed.append(error)

    clients = [OdsClient(connection) for _ in range(2)]
    threads = [threading.Thread(target=work, args=(clients[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    assert failed == []
    assert exchanges(ods_portal) == [200]
