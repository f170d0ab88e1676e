"""Where a user's own state lies, also where he has no home and no name."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.stores.state import _last_resort, expanded, state_folder

NOBODY = 54_321  # a number that no user of this machine has

ASK = """
import os, sys, tempfile
from ods_provider.cli.profiles import config_path, load_config
from ods_provider.core.connection import from_parts
from ods_provider.plugins.builtin import ods_token_store
from ods_provider.stores.state import state_folder
# Only now: the interpreter itself may lie where nobody else can read.
tempfile.tempdir = sys.argv[1]
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
oauth = from_parts(host="h", extra={"auth": "oauth2", "client_id": "a", "refresh_token": "r"})
print(state_folder(), ods_token_store(oauth).where, config_path(), load_config())
"""


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder that everybody may enter: what lies above ``tmp_path`` is this user's alone, and pytest keeps it so."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody whom nobody knows")
def test_a_user_without_home_and_name_has_a_folder_of_his_number(anybodys: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASK, str(anybodys), str(NOBODY)],
        env={"PATH": os.environ["PATH"]}, cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    folder, tokens, config, loaded = ran.stdout.split(maxsplit=3)
    assert folder == f"{anybodys}/ods-provider-{NOBODY}"
    assert tokens.startswith(f"{folder}/tokens/h-")
    assert (config, loaded.strip()) == ("~/.config/ods-provider/config.toml", "{}")
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700


def test_the_last_resort_is_this_users_alone(tmp_path: Path) -> None:
    folder = _last_resort(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert _last_resort(tmp_path) == folder
    folder.chmod(0o777)
    with pytest.raises(OdsConfigError, match="XDG_STATE_HOME"):
        _last_resort(tmp_path)


def test_a_link_or_a_file_in_its_place_is_not_taken(tmp_path: Path) -> None:
    place = tmp_path / f"ods-provider-{os.getuid()}"
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OdsConfigError, match="no home"):
        _last_resort(tmp_path)
    place.unlink()
    place.write_text("")
    with pytest.raises(OdsConfigError, match="no home"):
        _last_resort(tmp_path)


def test_a_tilde_of_nobody_is_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert expanded("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/x") == tmp_path / "x"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_folder() == tmp_path / "state" / "ods-provider"
