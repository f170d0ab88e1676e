"""A load in a process of its own that is killed: ``loading_until_killed`` starts it, and this file is what it runs.

No ``multiprocessing``: its child imports modules by names that are known only where the checkout is on the path, and a
parent that hands much to a child that died waits for ever.
"""

from __future__ import annotations

import importlib.util
import pickle
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from engine_contract import Database

    from ods_provider.tables.load import Load

PATIENCE_S = 120


@contextmanager
def loading_until_killed(
    database: Database, load: Load, rows: list[tuple[Any, ...]], moment: Literal["stage", "staged", "commit"]
) -> Iterator[None]:
    """Load up to a moment: within staging, after it, or somewhere in the commit. A SIGKILL ends it with the block."""
    kind = type(database)
    module = sys.modules[kind.__module__]
    assert module.__file__
    with tempfile.NamedTemporaryFile() as work:
        words = (module.__name__, module.__file__, kind.__qualname__, vars(database), load, rows, moment)
        work.write(pickle.dumps(words))
        work.flush()
        command = [sys.executable, __file__, work.name]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin
        assert child.stdout
        with child.stdin, child.stdout:
            try:
                ready, _, _ = select.select([child.stdout], [], [], PATIENCE_S)
                assert ready, f"after {PATIENCE_S} s it has not come to {moment}"
                said = child.stdout.readline()
                assert said == b"ready\n", f"before {moment} it ended by code {child.wait(PATIENCE_S)}"
                yield
            finally:
                child.kill()
                child.wait(PATIENCE_S)
    assert child.returncode == -signal.SIGKILL


def main() -> None:
    # Where the package is installed and not linked, nothing else leads to the modules that a database's parts are of.
    sys.path.append(str(Path(__file__).parents[1]))
    name, path, kind, state, load, rows, moment = pickle.loads(Path(sys.argv[1]).read_bytes())
    database = object.__new__(_found(name, path, kind))
    vars(database).update(state)

    import pyarrow as pa
    from engine_contract import batch_of, memory_of

    from ods_provider.tables.columns import arrow_schema

    schema = arrow_schema(load.columns)

    def ready() -> None:
        print("ready", flush=True)

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(rows), 100):
            if moment == "stage" and start == 2500:
                ready()
                sys.stdin.read()  # until this process is killed, or its parent has ended
            yield batch_of(schema, rows[start : start + 100])

    with database.engine() as engine:
        engine.stage(load, pa.RecordBatchReader.from_batches(schema, batches()))
        ready()
        if moment == "commit":
            engine.commit(load, memory_of(load))
        sys.stdin.read()


def _found(name: str, path: str, kind: str) -> Any:
    """Return a class of a test module, by the module's file: where it is tried what is installed, it has no name."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, kind)


if __name__ == "__main__":
    main()
