"""A token file is whole or not there, nobody else's to read, and its lock dies with its holder."""

import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ods_provider.core.connection import from_parts
from ods_provider.core.errors import OdsConfigError, OdsSinkError
from ods_provider.core.oauth import Grant
from ods_provider.core.redact import Secret
from ods_provider.stores.tokens import FileTokens

GRANT = Grant(Secret("r3fresh"), Secret("acc3ss"), datetime(2030, 1, 1, tzinfo=UTC))


def test_what_is_saved_is_what_is_loaded_and_only_its_user_may_read_it(tmp_path: Path) -> None:
    store = FileTokens(tmp_path / "below" / "grant.json")
    assert store.load() is None
    with store.lock():
        store.save(GRANT)
    assert store.load() == GRANT
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in store.path.parent.iterdir()) == ["grant.json", "grant.lock"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"refresh_token": 5}', '{"refresh_token": ""}', "\x00"])
def test_a_damaged_file_is_an_error_that_quotes_nothing(tmp_path: Path, text: str) -> None:
    store = FileTokens(tmp_path / "grant.json")
    store.path.write_text(text + " r3fresh" if text else text)
    with pytest.raises(OdsSinkError, match="ods login") as caught:
        store.load()
    assert "r3fresh" not in str(caught.value)
    assert not caught.value.transient


def test_a_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    store = FileTokens(tmp_path / "grant.json")
    store.path.mkdir()
    with pytest.raises(OdsSinkError, match="token store failed"):
        store.save(GRANT)
    assert [path.name for path in tmp_path.iterdir()] == ["grant.json"]


def test_a_lock_that_somebody_keeps_too_long_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "grant.json"
    impatient = FileTokens(path, patience_s=0.1)
    with FileTokens(path).lock(), pytest.raises(OdsSinkError, match="another process") as caught, impatient.lock():
        pass
    assert caught.value.transient
    with FileTokens(path, patience_s=0.1).lock():
        pass


def test_a_process_that_is_killed_lets_go_of_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "grant.json"
    code = (
        "import sys, time; from pathlib import Path; from ods_provider.stores.tokens import FileTokens\n"
        "with FileTokens(Path(sys.argv[1])).lock():\n    print('mine', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "mine\n"
    with pytest.raises(OdsSinkError, match="another process"), FileTokens(path, patience_s=0.1).lock():
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with FileTokens(path, patience_s=5).lock():
        pass


def test_a_url_cannot_be_locked(tmp_path: Path) -> None:
    connection = from_parts(host="h.example", extra={"auth": "oauth2", "client_id": "app"})
    with pytest.raises(OdsConfigError, match="ods_token_store"):
        FileTokens.of(connection, {"ODS_TOKEN_STORE": "s3://bucket/tokens"})


def test_the_name_of_a_grant_tells_the_host_and_no_secret(tmp_path: Path) -> None:
    connection = from_parts(
        host="h.example", extra={"auth": "oauth2", "client_id": "app", "refresh_token": "s33d", "client_secret": "x"}
    )
    path = FileTokens.of(connection, {"ODS_TOKEN_STORE": str(tmp_path)}).path
    assert path.parent == tmp_path
    assert path.name.startswith("h.example-")
    assert "s33d" not in path.name
