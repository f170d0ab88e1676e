"""The child process in which dlt runs: ``python -m ods_provider.tables.engines.dltchild SECONDS``.

dlt takes signals, settings and threads for a whole process, holds memory, and cannot be stopped: so it has one of its
own. It reads one JSON object a line from stdin, the first with what it takes to connect, and answers each with a line.
It ends when stdin does, which is when its parent has ended, however that was; and when it was closed and no other load
came within the seconds that are its argument.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import IO, Any

from ods_provider.core.errors import OdsError

_ENDED = 143  # 128 + SIGTERM


def main(waits_s: float) -> None:
    """Serve one parent; without work for so long, end."""
    answers = _own_stdout()
    work: queue.Queue[dict[str, Any]] = queue.Queue()
    known: list[Any] = []

    def end(*_: Any) -> None:
        # dlt's own handler would wait for what is loading. It is set in main threads only; dlt runs in another.
        for session in known:
            session.cancel()
        os._exit(_ENDED)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent says what becomes of us
    threading.Thread(target=_work, args=(work, known, answers, waits_s), daemon=True).start()
    for line in sys.stdin.buffer:
        work.put(json.loads(line))
    end()


def _own_stdout() -> IO[bytes]:
    """Keep stdout for answers: what libraries print goes to stderr."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "wb", buffering=0)


def _work(work: queue.Queue[dict[str, Any]], known: list[Any], answers: IO[bytes], waits_s: float) -> None:
    while True:
        try:
            asked = work.get(timeout=None if known else waits_s)
        except queue.Empty:
            os._exit(_ENDED)
        try:
            answer = {"ok": _do(asked, known)}
        except BaseException as error:
            answer = {"error": _told(error)}
        if asked["do"] == "close":
            known.clear()
        answers.write(json.dumps(answer).encode() + b"\n")


def _do(asked: dict[str, Any], known: list[Any]) -> Any:
    from ods_provider.tables.engines.dltsession import Session, shut_settings

    words = {name: value for name, value in asked.items() if name != "do"}
    if asked["do"] == "open":
        shut_settings()
        dataset = words.pop("dataset")
        known.append(Session(words))
        return known[0].connect(dataset)
    return getattr(known[0], asked["do"])(**words)


def _told(error: BaseException) -> dict[str, Any]:
    """Return the innermost of an error's causes in plain values, and what dlt thinks of trying again."""
    innermost, passing, final = error, False, False
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        innermost = at
        passing |= "Transient" in type(at).__name__
        final |= "Terminal" in type(at).__name__ or "Undefined" in type(at).__name__
        at = at.__cause__ or getattr(at, "exception", None) or getattr(at, "dbapi_exception", None) or at.__context__
    said = str(innermost).strip().partition("\n")[0] or type(innermost).__name__
    return {
        "kind": type(innermost).__name__,
        "module": type(innermost).__module__.partition(".")[0],
        "what": innermost.what if isinstance(innermost, OdsError) else said,
        "advice": innermost.advice if isinstance(innermost, OdsError) else None,
        "config": isinstance(innermost, OdsError),
        "package": innermost.name if isinstance(innermost, ImportError) else None,
        "code": _code(innermost),
        "transient": passing and not final,
        "trace": traceback.format_exception_only(error)[-1][:2000],
    }


def _code(error: BaseException) -> Any:
    if type(error).__module__ == "pyodbc" and error.args:
        return error.args[0]
    return getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)


if __name__ == "__main__":
    main(float(sys.argv[1]))
