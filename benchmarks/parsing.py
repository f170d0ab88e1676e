"""Parse a DAG file of 50 tasks: ours against operators that do nothing, in fresh processes with ``airflow.sdk`` loaded.

What must not be loaded by parsing is looked for as well: requests, pyarrow, plugins.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from serving import fresh, spread

HEAD = "from airflow.sdk import DAG, BaseOperator\n"
PLAIN = """
class Plain(BaseOperator):
    def __init__(self, *, dataset_id, path, where=None, **kwargs):
        super().__init__(**kwargs)
        self.dataset_id, self.path, self.where = dataset_id, path, where

    def execute(self, context): ...

with DAG("plain", schedule=None):
    for number in range(50):
        Plain(task_id=f"t{number}", dataset_id="d", path=f"/tmp/{number}", where="a > 1")
"""
OURS = """
from ods_provider.operators.download import OdsDownloadOperator
from ods_provider.sensors.dataset import OdsDatasetUpdateSensor

with DAG("ours", schedule=None):
    for number in range(25):
        OdsDatasetUpdateSensor(task_id=f"s{number}", dataset_id="d")
        OdsDownloadOperator(task_id=f"t{number}", dataset_id="d", path=f"/tmp/{number}", where="a > 1")
"""
HEAVY = ("requests", "pyarrow", "duckdb", "starlette", "ods_provider.plugins.manager", "ods_provider.client")


def client(path: str) -> None:
    """What runs in the fresh process."""
    import airflow.sdk  # noqa: F401
    from airflow.sdk import DAG, BaseOperator  # noqa: F401

    source = compile(Path(path).read_text(), path, "exec")
    before = set(sys.modules)
    started = time.perf_counter()
    exec(source, {"__name__": "dag_file"})
    seconds = time.perf_counter() - started
    heavy = sum(name in sys.modules for name in HEAVY)
    print(json.dumps({"seconds": seconds, "modules": len(set(sys.modules) - before), "heavy": heavy}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--client", nargs=1, metavar="FILE")
    options = parser.parse_args()
    if options.client:
        client(*options.client)
        return
    if options.smoke:
        options.rounds = 1
    with tempfile.TemporaryDirectory() as folder:
        plain, ours = Path(folder, "plain.py"), Path(folder, "ours.py")
        plain.write_text(HEAD + PLAIN)
        ours.write_text(HEAD + OURS)
        ratios, extra_ms, modules = [], [], []
        for _ in range(options.rounds):
            theirs, mine = fresh(__file__, str(plain)), fresh(__file__, str(ours))
            assert mine["heavy"] == 0, "parsing loads what only a run needs"
            ratios.append(mine["seconds"] / theirs["seconds"])
            extra_ms.append((mine["seconds"] - theirs["seconds"]) * 1000)
            modules.append(mine["modules"])
    print(f"A DAG file of 50 tasks, {options.rounds} rounds")
    print(f"  time / operators that do nothing     {spread(ratios)}")
    print(f"  milliseconds more                    {spread(extra_ms)}")
    print(f"  modules it loads after airflow.sdk   {statistics.median(modules):8.0f}")


if __name__ == "__main__":
    main()
