"""DAG files are read by Airflow, in a process of its own: what they print and leave behind is theirs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsError

_READER = "ods_provider.airflow.dagcheck"


def looked_at(dags: Path) -> Iterator[dict[str, Any]]:
    """Yield what is said of each dataset that DAG files name.

    Args:
        dags: A file or a folder.

    Yields:
        ``{where, ok, said}``.

    Raises:
        OdsConfigError: Airflow is not installed here.
        OdsError: The files could not be looked at.
    """
    if importlib.util.find_spec("airflow") is None:
        raise OdsConfigError(
            "Airflow is not installed here",
            where=str(dags),
            advice="Run it where the DAGs run: in Airflow's environment, as `ods` or as `airflow ods`",
        )
    command = [sys.executable, "-m", _READER, str(dags)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        told = done.stderr.strip().splitlines() or ["it said nothing"]
        raise OdsError(
            f"Airflow could not read the files: {told[-1]}",
            where=str(dags),
            advice="Try `airflow dags list-import-errors`",
        )
    yield from map(json.loads, lines)
