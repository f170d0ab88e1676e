"""Two jobs that every scheduler must bring to their end: interrupted three times, and still nothing is fetched twice.

The engineers of each scheduler's face run the same two scenarios with it, so that one table can compare them::

    from scenario import MediaScenario, SearchScenario

    def test_the_media_job(tmp_path):
        with MediaScenario(tmp_path) as scenario:
            # Give the scheduler `scenario.environment()` (ODS_HOST, ODS_API_KEY, ODS_MAX_WAIT_S, ODS_PUSH_API_KEY,
            # AIRFLOW_CONN_ODS_DEFAULT), or build its own connection from `scenario.host`, `scenario.api_key`,
            # `scenario.settings`. Then run the job with `scenario.arguments`, under a scheduler that tries again
            # after a crash, until it is done.
            ...
            scenario.assert_done()
            scenario.assert_no_key(scheduler_home, captured_output)   # files, folders, texts
            scenario.record_result("airflow", worker_freed=True, why="deferred to the triggerer", version="3.3.2")

What happens meanwhile, by itself:

- The work stalls in its middle, and whichever process is then talking to the portal gets SIGKILL, once. Pass
  ``kill=None`` and call ``wait_for_stall()`` and ``kill_worker()`` where that cannot be left to a thread.
- The portal's quota is used up twice. Each time it comes back after ``RESET_S`` seconds, longer than the connection's
  ``max_wait_s``, so that the job must return ``Wait`` and be run again by its scheduler. Pass ``reset_s`` where a
  scheduler's processes take longer than that to leave.

``MediaScenario``: the 40 images of ``landmark-photos`` into the folder ``scenario.folder``.
``SearchScenario``: the 3,000 rows of ``synthetic-rows``, 30 pages, into the JSON lines file ``scenario.path``; a
scheduler that returns rows instead calls ``assert_done(rows=...)``.

``assert_done`` compares what was written with the portal's own data, and holds the promise on units: from the portal's
request log, every file or page was answered exactly once, but those that were on their way when the process was killed.
``freed`` tells, for each wait, whether the process that had done the work was gone while it lasted; it is measured, not
believed. ``record_result`` writes a JSON file into the folder named by ``ODS_TABLE_DIR`` (nothing when it is unset);
``docs/tools/scheduler_table.py`` makes the table of docs/schedulers.md of those files.

The portal runs in a process of its own, with this Python or the one named by ``ODS_PORTAL_PYTHON`` (an environment with
the extra ``[portal]``). Nothing here imports the package: the judge shares no code with the one it judges.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlencode
from urllib.request import Request, urlopen

import psutil

RESET_S = 4.0
MAX_WAIT_S = 1
STALL_S = 600.0
GIVE_UP_S = 300.0
KILL = "the process that talks to the portal"


class Scenario:
    """A portal in its own process, one job's plan of interruptions, and what must be true at the end."""

    job: str
    dataset_id: str
    unit_path: str  # what the path of a unit's call holds
    quota: int  # calls per window: two windows are too few for the job, three are enough
    stall_after: int  # units answered before the work stalls
    parallel: int  # calls that stall: as many as the job makes at the same time
    slow_s: float  # how long each unit takes after the kill, so that whoever works is seen at it

    def __init__(
        self, tmp_path: Path, *, kill: str | Callable[[], None] | None = KILL, reset_s: float = RESET_S
    ) -> None:
        self.tmp_path = Path(tmp_path)
        self.reset_s = reset_s
        self.api_key = f"k3y-{secrets.token_hex(12)}"
        self.push_key = f"push-{secrets.token_hex(12)}"
        self.settings: dict[str, Any] = {"max_wait_s": MAX_WAIT_S}
        self.freed: list[bool] = []
        self.killed: list[int] = []
        self._kill = self.kill_worker if kill == KILL else kill
        self._in_flight: set[int] = set()
        self._end = threading.Event()
        self._began = time.monotonic()
        self._failure: BaseException | None = None
        self._done = False

    # What a scheduler is given

    @property
    def host(self) -> str:
        """The portal's address: ``http://127.0.0.1:<port>``."""
        return self.url

    @property
    def arguments(self) -> dict[str, Any]:
        """The job's arguments, in the words of operators and commands."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return variables to add to the environment of the scheduler and its workers."""
        extras = urlencode({"push_api_key": self.push_key} | self.settings)
        return {
            "ODS_HOST": self.url,
            "ODS_API_KEY": self.api_key,
            "ODS_PUSH_API_KEY": self.push_key,
            "ODS_MAX_WAIT_S": str(MAX_WAIT_S),
            "AIRFLOW_CONN_ODS_DEFAULT": f"ods://:{self.api_key}@{self.url.removeprefix('http://')}?{extras}",
        }

    # Its life

    def __enter__(self) -> Self:
        self.tmp_path.mkdir(parents=True, exist_ok=True)
        ready = self.tmp_path / "portal.url"
        options = ("--port=0", f"--ready-file={ready}", "--synthetic-rows=3000")
        keys = (f"--api-key={self.api_key}", f"--push-key={self.push_key}")
        python = os.environ.get("ODS_PORTAL_PYTHON", sys.executable)
        self._process = subprocess.Popen(
            [python, "-m", "ods_provider.cli", "portal", *options, *keys], stdout=subprocess.DEVNULL
        )
        self._await(ready.exists, "the portal did not start")
        self.url = ready.read_text()
        self.port = int(self.url.rpartition(":")[2])
        ready.unlink()
        self.expected = self.look_up()
        self.control("reset")
        self.spend_quota(self.quota)
        self.control(
            "faults",
            {"kind": "stall", "path": self.unit_path, "skip": self.stall_after}
            | {"times": self.parallel, "seconds": STALL_S},
        )
        self._began = time.monotonic()
        self._watcher = threading.Thread(target=self._watch, name="scenario", daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        self._watcher.join()
        self._process.terminate()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    # The portal

    def control(self, what: str, body: Any = None, *, method: str = "POST") -> Any:
        """Talk to the portal's control plane."""
        data = None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        with urlopen(Request(f"{self.url}/_control/{what}", data, method=method), timeout=60) as answer:
            return json.load(answer)

    def spend_quota(self, calls: int) -> None:
        """Leave ``calls`` calls; once they are used, as many come back after ``reset_s`` seconds."""
        self.control("quota", {"limit": calls, "remaining": calls, "reset_after_s": self.reset_s})

    def requests(self) -> list[dict[str, Any]]:
        """Return the portal's request log since the scenario began."""
        found: list[dict[str, Any]] = self.control("requests", method="GET")
        return found

    def ask(self, path: str, **query: Any) -> bytes:
        """Ask the portal itself; before the scenario begins, so that it counts in nothing."""
        url = f"{self.url}/api/explore/v2.1/catalog/datasets/{self.dataset_id}/{path}"
        request = Request(f"{url}?{urlencode(query)}" if query else url)
        request.add_header("Authorization", f"Apikey {self.api_key}")
        with urlopen(request, timeout=60) as answer:
            return bytes(answer.read())

    def look_up(self) -> Any:
        """Return what the job must bring."""
        raise NotImplementedError

    # The interruptions

    def wait_for_stall(self) -> None:
        """Return when the work stands still in its middle."""

        def standing() -> bool:
            asked = sum(self.unit(entry) is not None for entry in self.requests())
            return asked >= self.stall_after + self.parallel and len(self._stalled()) == self.parallel

        self._await(standing, "the job never reached its middle", GIVE_UP_S)
        time.sleep(1)  # what was answered before is confirmed by now

    def kill_worker(self) -> None:
        """SIGKILL whichever process talks to the portal."""
        self.killed = self.workers()
        for pid in self.killed:
            os.kill(pid, signal.SIGKILL)

    def workers(self) -> list[int]:
        """Return the processes that hold a connection to the portal."""
        ours = {os.getpid(), self._process.pid}
        return sorted(
            {
                line.pid
                for line in psutil.net_connections(kind="tcp")
                if line.raddr and line.raddr.port == self.port and line.status == psutil.CONN_ESTABLISHED
                if line.pid and line.pid not in ours
            }
        )

    def _stalled(self) -> list[int]:
        return [number for number, entry in enumerate(self.requests()) if self.unit(entry) and not entry["status"]]

    def _watch(self) -> None:
        try:
            if self._kill is not None:
                self.wait_for_stall()
                self._in_flight = set(self._stalled())
                self._kill()
                self.control("faults", method="DELETE")
                self.control("faults", {"kind": "stall", "path": self.unit_path, "times": None, "seconds": self.slow_s})
                assert self.killed or self._kill != self.kill_worker, "nobody was talking to the portal at the stall"
            self._watch_waits()
        except BaseException as error:
            if not self._end.is_set():
                self._failure = error

    def _watch_waits(self) -> None:
        """Note who works, and at each wait whether he is still there when it is almost over."""
        seen, working = 0, set[psutil.Process]()
        while not self._end.wait(0.1):
            refused = self.waits()
            if len(refused) > len(self.freed) and time.time() - refused[-1] > self.reset_s - 1.2:
                # Nobody seen would be taken for somebody who left.
                assert {process.pid for process in working} - set(self.killed), "nobody was seen at work"
                self.freed.append(not any(_alive(process) for process in working))
            # Calls whose process was not caught at it are looked after again: it keeps its connection for a while.
            elif (count := len(self.requests())) > seen and (pids := self.workers()):
                seen = count
                for pid in pids:
                    with contextlib.suppress(psutil.Error):
                        working.add(psutil.Process(pid))

    def _await(self, ready: Callable[[], bool], failure: str, timeout_s: float = 30.0) -> None:
        end = time.monotonic() + timeout_s
        while not ready():
            assert time.monotonic() < end and self._process.poll() is None and not self._end.is_set(), failure
            time.sleep(0.1)

    # What must be true

    def unit(self, entry: dict[str, Any]) -> str | None:
        """Return the name of the unit that a logged call asked for, None when it asked for none."""
        raise NotImplementedError

    def waits(self) -> list[float]:
        """Return when each wait for the quota began."""
        began: list[float] = []
        last = 0.0
        for entry in self.requests():
            if entry["status"] == 429:
                if entry["at"] - last > self.reset_s / 2:
                    began.append(entry["at"])
                last = entry["at"]
        return began

    def assert_interrupted(self) -> None:
        """It was killed once and had to wait twice, and whoever was refused did not ask on and on."""
        if self._failure is not None:
            raise AssertionError("the scenario itself failed") from self._failure
        assert self._kill is None or self._in_flight, "the process was never killed in its middle"
        assert len(self.waits()) == 2, f"{len(self.waits())} waits for the quota instead of two"
        refused = sum(entry["status"] == 429 for entry in self.requests())
        assert refused <= 2 * self.parallel, f"{refused} calls while the quota was used up"

    def assert_asked_once(self, units: Iterable[str]) -> None:
        """Every unit was answered exactly once; those on their way at the kill were, besides, asked for before."""
        log = self.requests()
        answered = Counter(
            unit
            for number, entry in enumerate(log)
            if number not in self._in_flight and entry["status"] == 200 and (unit := self.unit(entry))
        )
        wanted = Counter(units)
        assert answered == wanted, f"asked for again: {answered - wanted}, not asked for: {wanted - answered}"

    def assert_no_key(self, *places: Path | str | bytes, allowed: Sequence[str] = ()) -> None:
        """No key stands in any of these texts, files and folders; ``allowed`` names files that may (a config)."""
        for name, content in _texts(places):
            if any(name.endswith(ending) for ending in allowed):
                continue
            for key in (self.api_key, self.push_key):
                for form in {key, quote(key, safe="")}:
                    assert form.encode() not in content, f"a key stands in {name}"

    def record_result(
        self, scheduler: str, *, worker_freed: bool, why: str, version: str = "", job: str | None = None, **more: Any
    ) -> None:
        """Write one row of the table, after ``assert_done`` has passed.

        Args:
            scheduler: Its name and the way it was run, such as ``Airflow (real triggerer)``.
            worker_freed: Whether the worker is free while waiting.
            why: Half a sentence on how it waits.
            version: Of the scheduler.
            job: ``media`` or ``search``; the scenario's own by default.
            more: Anything else worth keeping in the file.
        """
        assert self._done, "call assert_done first: the table holds only what was shown"
        folder = os.environ.get("ODS_TABLE_DIR")
        if not folder:
            return
        log = self.requests()
        units = [unit for entry in log if (unit := self.unit(entry))]
        row = {
            "scheduler": scheduler,
            "version": version,
            "job": job or self.job,
            "identical": True,
            "units": len(set(units)),
            "asked_twice": len(self._in_flight),
            "calls": sum(entry["status"] == 200 for entry in log),
            "refused": sum(entry["status"] == 429 for entry in log),
            "waits": len(self.waits()),
            "kills": int(bool(self._in_flight)),
            "worker_freed": worker_freed,
            "freed_measured": self.freed,
            "why": why,
            "wall_s": round(time.monotonic() - self._began, 1),
        }
        name = re.sub(r"[^a-z0-9]+", "-", f"{scheduler} {row['job']}".lower()).strip("-")
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.json").write_text(json.dumps(row | more, indent=1, ensure_ascii=False) + "\n")


class MediaScenario(Scenario):
    """40 images into a folder: 48 to 52 calls, with a listing at each of four runs, in windows of 20."""

    job = "media"
    dataset_id = "landmark-photos"
    unit_path = "/files/"
    quota, stall_after, parallel = 20, 9, 4
    slow_s = 0.5

    @property
    def folder(self) -> Path:
        """Where the files shall be."""
        return self.tmp_path / "photos"

    @property
    def arguments(self) -> dict[str, Any]:
        """What ``OdsMediaOperator`` and ``ods media`` take."""
        return {"dataset_id": self.dataset_id, "path": str(self.folder), "kind": "files", "parallel": self.parallel}

    def look_up(self) -> dict[str, str]:
        """Return the checksum of every file by its name."""
        rows = json.loads(self.ask("exports/json"))
        photos = [row["photo"] for row in rows]
        return {photo["filename"]: _sha256(self.ask(f"files/{photo['id']}")) for photo in photos}

    def unit(self, entry: dict[str, Any]) -> str | None:
        """A file is a unit."""
        path: str = entry["path"]
        return path.rpartition("/")[2] if self.unit_path in path else None

    def assert_done(self, folder: Path | None = None) -> None:
        """The folder holds the portal's files, a manifest of them, and nothing else."""
        folder = Path(folder or self.folder)
        found = {str(path.relative_to(folder)) for path in folder.rglob("*")}
        assert found == {*self.expected, "manifest.jsonl"}, f"not the files: {found ^ set(self.expected)}"
        checksums = {name: _sha256((folder / name).read_bytes()) for name in self.expected}
        assert checksums == self.expected, "files differ from the portal's"
        manifest = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
        assert {entry["file"]: entry["sha256"] for entry in manifest} == self.expected, "the manifest tells otherwise"
        self.assert_interrupted()
        self.assert_asked_once(entry["url"].rpartition("/")[2] for entry in manifest)
        self.assert_no_key(folder)
        self._done = True


class SearchScenario(Scenario):
    """3,000 rows in 30 pages, and a look before and after: 32 calls in windows of 12."""

    job = "search"
    dataset_id = "synthetic-rows"
    unit_path = "/records"
    quota, stall_after, parallel = 12, 7, 1
    slow_s = 0.2
    rows, page = 3_000, 100

    @property
    def path(self) -> Path:
        """The JSON lines file that shall be written."""
        return self.tmp_path / "rows" / "rows.jsonl"

    @property
    def arguments(self) -> dict[str, Any]:
        """What ``OdsSearchOperator`` and ``ods records`` take; leave ``path`` out to get the rows themselves."""
        return {"dataset_id": self.dataset_id, "order_by": "id", "path": str(self.path)}

    def look_up(self) -> list[dict[str, Any]]:
        """Return the rows."""
        found: list[dict[str, Any]] = json.loads(self.ask("exports/json", order_by="id"))
        assert len(found) == self.rows
        return found

    def unit(self, entry: dict[str, Any]) -> str | None:
        """A page is a unit."""
        if not entry["path"].endswith(self.unit_path):
            return None
        return parse_qs(entry["query"]).get("offset", ["0"])[0]

    def assert_done(self, path: Path | None = None, *, rows: Sequence[Any] | None = None) -> None:
        """The file, or ``rows``, are the portal's rows in their order, and nothing lies beside the file."""
        if rows is None:
            path = Path(path or self.path)
            assert [entry.name for entry in path.parent.iterdir()] == [path.name], "something lies beside the file"
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            self.assert_no_key(path)
        assert len(rows) == self.rows, f"{len(rows)} rows"
        assert list(rows) == self.expected, "the rows differ from the portal's"
        self.assert_interrupted()
        self.assert_asked_once(str(offset) for offset in range(0, self.rows, self.page))
        self._done = True


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _texts(places: Iterable[Path | str | bytes]) -> Iterator[tuple[str, bytes]]:
    for place in places:
        if not isinstance(place, Path):
            yield "a text", place.encode() if isinstance(place, str) else place
        elif place.is_dir():
            yield from ((str(path), path.read_bytes()) for path in place.rglob("*") if path.is_file())
        else:
            yield str(place), place.read_bytes()
