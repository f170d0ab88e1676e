"""What the machine must give besides Python: Debian's packages, installed where a check misses them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def install(*packages: str) -> None:
    """Install Debian packages; of several sessions one at a time, since apt-get does not wait for itself."""
    assert shutil.which("apt-get"), f"install {' and '.join(packages)} to run this check"
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        lock = Path(tempfile.gettempdir()) / "ods-apt.lock"
        subprocess.run(["flock", lock, "apt-get", *words], env=environ, check=True, stdout=subprocess.DEVNULL)
