"""Example plugins, installed as pip installs them, without a build."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"


def install(name: str, site: Path) -> Path:
    """Put the distribution of ``docs/examples/<name>`` into ``site``, which a process has on its PYTHONPATH.

    Returns:
        The module.
    """
    project = tomllib.loads((EXAMPLES / name / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["ods_provider"]
    (info / "entry_points.txt").write_text("[ods_provider]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()))
    (module,) = (EXAMPLES / name).glob("*.py")
    return Path(shutil.copy(module, site))


def with_site(site: Path, environ: dict[str, str] | os._Environ[str] = os.environ) -> dict[str, str]:
    """Return an environment whose processes find what is in ``site``."""
    path = [str(site), environ.get("PYTHONPATH", "")]
    return {**environ, "PYTHONPATH": os.pathsep.join(each for each in path if each)}
