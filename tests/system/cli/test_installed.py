"""The built wheel, installed as users install a command: in an environment of its own, with nothing but its base."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    assert Path(found).exists(), "uv is neither on the path nor in .tools: run make venv"
    return found


def run(*words: str | Path, **env: str) -> str:
    done = subprocess.run(
        [str(word) for word in words], env=os.environ | env, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(uv(), "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    (made,) = folder.glob("*.whl")
    return made


def download(ods: Path, folder: Path, portal: str) -> None:
    """The line of the README, against a portal that runs here."""
    line = f"{ods} --host {portal} download world-capitals capitals.csv"
    said = run("sh", "-c", f"cd {folder} && {line}", XDG_STATE_HOME=str(folder / "state"), PYTHONPATH="")
    assert said.startswith("110 rows, ")
    assert len((folder / "capitals.csv").read_text().splitlines()) == 111


def test_pipx_install_gives_a_working_download(wheel, tmp_path, ods_portal):
    home = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "PIPX_MAN_DIR": str(tmp_path)}
    run(uv(), "tool", "run", "--quiet", "pipx", "install", wheel, **home)
    download(tmp_path / "bin" / "ods", tmp_path, ods_portal.url)
    python = next((tmp_path / "pipx").glob("venvs/*/bin/python"))
    run(python, "-c", "import importlib.util as u; assert not u.find_spec('airflow') and not u.find_spec('starlette')")
    # What an extra would bring is asked for by name.
    refused = subprocess.run([tmp_path / "bin" / "ods", "portal"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "pip install 'ods-provider[portal]'" in refused.stderr


def test_uv_tool_install_does_too(wheel, tmp_path, ods_portal):
    home = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    run(uv(), "tool", "install", "--quiet", wheel, **home)
    download(tmp_path / "bin" / "ods", tmp_path, ods_portal.url)
