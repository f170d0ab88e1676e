"""Faults that a test orders: the next calls go wrong in a named way."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field, replace
from typing import Any

# What each kind takes, with what it does unless told otherwise.
KINDS: dict[str, dict[str, Any]] = {
    "status": {"status": 503, "body": None, "headers": None, "retry_after": None},
    "login_html": {},
    "html": {"status": 200},
    "json_error": {"error_code": "ODSQLError", "message": "ODSQL query is malformed: the export failed."},
    "cut": {"after_bytes": 1000},
    "short_gzip": {"after_bytes": 100},
    "short_rows": {"rows": 1},
    "stall": {"seconds": 5.0, "after_bytes": 0},
    "throttle": {"bytes_per_s": 65_536},
    "quota": {"reset_in_s": 5.0, "errorcode": 10002, "call_limit": 100_000, "unit": "day"},
    "bare_429": {},
    "redirect": {"location": "/", "status": 302},
    "drop": {},
    "lost": {},
    "empty_gated": {},
    "cut_upload": {"after_bytes": 1000},
}

LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Login</title></head><body><h1>Log in to this portal</h1>"
    b'<form action="/login/" method="post"><input name="username"><input type="password" name="password">'
    b"<button>Log in</button></form></body></html>"
)
OTHER_PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"


@dataclass
class Fault:
    """One ordered fault: ``times`` more calls (None: all) whose path holds ``path``, after ``skip`` that go well."""

    kind: str
    times: int | None = 1
    path: str | None = None
    skip: int = 0
    method: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


class Faults:
    """The faults that are ordered, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: list[Fault] = []

    def order(
        self,
        kind: str,
        *,
        times: int | None = 1,
        path: str | None = None,
        skip: int = 0,
        method: str | None = None,
        **options: Any,
    ) -> None:
        """Order a fault, for calls of one method only where one is named.

        Raises:
            ValueError: The kind or an option is unknown; the message lists those that are.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(KINDS)}")
        unknown = sorted(set(options) - set(KINDS[kind]))
        if unknown:
            raise ValueError(f"fault {kind} takes {', '.join(KINDS[kind]) or 'nothing'}, not {', '.join(unknown)}")
        _check_numbers(times=1 if times is None else times, skip=skip)
        _check_numbers(**{name: options[name] for name in options if isinstance(KINDS[kind][name], (int, float))})
        with self._lock:
            self._ordered.append(Fault(kind, times, path, skip, method and method.upper(), KINDS[kind] | options))

    def told(self) -> list[dict[str, Any]]:
        """Return what is ordered and has not happened yet, as JSON knows it."""
        with self._lock:
            return [asdict(fault) | {"options": _plain(fault.options)} for fault in self._ordered]

    def clear(self) -> None:
        """Take all orders back."""
        with self._lock:
            self._ordered.clear()

    def take(self, path: str, method: str) -> Fault | None:
        """Return the fault that this call suffers, counted down."""
        with self._lock:
            for fault in self._ordered:
                if fault.path is not None and fault.path not in path:
                    continue
                if fault.method is not None and fault.method != method:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    return None
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._ordered.remove(fault)
                # A copy: serving may change it, and it may be served several times.
                return replace(fault, options=dict(fault.options))
        return None


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.decode(errors="replace") if isinstance(value, bytes) else value for name, value in options.items()
    }


def _check_numbers(**given: Any) -> None:
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ValueError(f"{name} must be a number of 0 or more, not {value!r}")
