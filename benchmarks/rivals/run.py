"""Run a script as its own process would, and print the process's peak memory as the last line, as JSON."""

import json
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from serving import peak_kib

del sys.path[0]  # no package takes a benchmark for one of its own

if __name__ == "__main__":
    del sys.argv[0]
    ended = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as left:  # a command ends so
        ended = left.code or 0
    except Exception as error:
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
        ended = f"{type(error).__name__}: {error}"
    print("\n" + json.dumps({"peak_mib": peak_kib() / 1024, "ended": ended}))
