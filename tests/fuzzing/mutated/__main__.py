"""Run mutated operations in this process, and say by JSON lines what became of those that went wrong.

``--only N`` repeats one. The last line sums up. A process of its own: whoever hangs is ended with the seed on the last
line, and memory is this process's whole.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fuzzing.mutated.bench import KEYS
from fuzzing.mutated.proxy import proxying
from fuzzing.mutated.session import Session, command, portal

MOST_S = 180.0  # for one operation, on a machine that is busy with others
HUNG = 70


def main() -> int:
    """Return how many operations went wrong, at most 50."""
    parser = argparse.ArgumentParser(prog="fuzzing.mutated")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--operations", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--kinds", action="store_true", help="every method and job in turn, in place of any")
    parser.add_argument("--only", type=int, help="repeat this one, and tell how it ends")
    given = parser.parse_args()
    numbers = range(given.first, given.operations, given.step) if given.only is None else [given.only]
    ends: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    wrong, before_mb, slowest, largest = 0, 0.0, (0.0, -1), (0, -1)
    with tempfile.TemporaryDirectory() as folder, portal() as local, proxying(local.netloc) as proxy:
        session = Session(local, proxy, Path(folder), given.seed, kinds=given.kinds)
        repeat = partial(command, given.seed, kinds=given.kinds)
        watch, log = _Watch(repeat), _Log()
        for number in numbers:
            watch.begin(number)
            began, most_mb = time.monotonic(), _most_mb()
            told = session.run(number)
            slowest = max(slowest, (time.monotonic() - began, number))
            if before_mb:
                largest = max(largest, (round(_most_mb() - most_mb), number))
            before_mb = before_mb or _most_mb()
            told.wrong += log.take()
            ends[told.ended] += 1
            struck.update(told.struck)
            if told.wrong or given.only is not None:
                wrong += bool(told.wrong)
                print(json.dumps({**vars(told), "repeat": repeat(number)}), flush=True)
        watch.end()
    summed = {
        "operations": len(numbers),
        "wrong": wrong,
        "ends": dict(ends.most_common()),
        "struck": dict(struck),
        "threads": threading.active_count(),
    }
    grew = {"grown_mb": round(_most_mb() - before_mb), "most_mb_by_one": list(largest)}
    print(json.dumps({**summed, **grew, "slowest": [round(slowest[0], 2), slowest[1]]}), flush=True)
    return min(wrong, 50)


def _most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Log(logging.Handler):
    """Hears every line, debug included, for keys, and what threads end with."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._found: list[str] = []
        logging.getLogger().addHandler(self)
        logging.getLogger().setLevel(logging.DEBUG)
        # What ends a thread, of the proxy or of ours, would only close a connection.
        threading.excepthook = lambda ended: self._found.append(f"a thread ended with {ended.exc_value!r:.500}")

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        # The portal's own log tells what the portal was asked.
        if not record.name.startswith("ods_provider.testing") and any(key in line for key in KEYS):
            self._found.append(f"a key in the log: {line[:500]}")

    def take(self) -> list[str]:
        """Return what was found since the last time."""
        found, self._found = self._found[:3], []
        return found


class _Watch:
    """Ends the process when one operation takes longer than any may, and says which."""

    def __init__(self, repeat: Callable[[int], str]) -> None:
        self._repeat = repeat
        self._now: tuple[int, float] | None = None
        threading.Thread(target=self._look, daemon=True).start()

    def begin(self, number: int) -> None:
        self._now = (number, time.monotonic() + MOST_S)

    def end(self) -> None:
        self._now = None

    def _look(self) -> None:
        while True:
            time.sleep(1)
            now = self._now
            if now is not None and time.monotonic() > now[1]:
                said = {
                    "number": now[0],
                    "wrong": [f"it hangs: more than {MOST_S:.0f} s"],
                    "repeat": self._repeat(now[0]),
                }
                print(json.dumps(said), flush=True)
                faulthandler.dump_traceback(sys.stderr)
                os._exit(HUNG)


if __name__ == "__main__":
    sys.exit(main())
