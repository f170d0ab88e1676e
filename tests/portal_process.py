"""``ods portal`` in a process of its own: it can be killed and comes back on the same port."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import Request, urlopen


class PortalProcess:
    """A portal with keys that nobody else has, so that a search for them finds only what leaked from here."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.api_key = f"k3y-{secrets.token_hex(12)}"
        self.push_key = f"push-{secrets.token_hex(12)}"
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def uri(self, **extra: Any) -> str:
        """An Airflow connection to it."""
        return f"ods://:{self.api_key}@127.0.0.1:{self.port}?{urlencode({'push_api_key': self.push_key} | extra)}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def start(self) -> None:
        """Serve, on the port it had before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        ready = self._folder / f"portal-{secrets.token_hex(4)}"
        environ = os.environ | {"ODS_PORTAL_API_KEY": self.api_key, "ODS_PORTAL_PUSH_KEY": self.push_key}
        command = [sys.executable, "-m", "ods_provider.cli", "portal", f"--port={self.port}", f"--ready-file={ready}"]
        with (self._folder / "portal.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], env=environ, stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + 60
        while not ready.exists():
            assert self._process.poll() is None, (self._folder / "portal.log").read_text()
            assert time.monotonic() < end, "the portal did not start"
            time.sleep(0.05)
        self.port = int(ready.read_text().rpartition(":")[2])
        ready.unlink()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def control(self, what: str, body: Any = None, *, method: str = "POST") -> Any:
        """Talk to its control plane."""
        data = None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        with urlopen(Request(f"{self.url}/_control/{what}", data, method=method), timeout=60) as answer:
            return json.load(answer)

    def fault(self, kind: str, **options: Any) -> None:
        self.control("faults", {"kind": kind} | options)

    def clear_faults(self) -> None:
        self.control("faults", method="DELETE")

    def touch(self, dataset_id: str, **options: Any) -> None:
        self.control(f"datasets/{dataset_id}/touch", options)

    def rows(self, dataset_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control(f"datasets/{dataset_id}/rows", method="GET")
        return found

    def requests(self, *, holding: str = "", status: int | None = None) -> list[dict[str, Any]]:
        """The calls it got whose path holds this text, and that were answered with this status."""
        found = self.control("requests", method="GET")
        return [entry for entry in found if holding in entry["path"] and status in (None, entry["status"])]
