"""What a portal notes of each call that it served: rows of its API log, and the counters of its datasets.

Source: the vendor's page on analysing source data: which calls have which name, and what a download is.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from ods_provider.testing.line import LoggedRequest

DOMAIN = "local"
_OF_DATASET = r"/api/(?:explore/v2\.[01]|v2)/(?:catalog|monitoring)/datasets/(?P<id>[^/]+)"
_OF_SOURCE = r"/api/(?:explore/v2\.[01]|v2)/(?:catalog|monitoring)"
_EXPORT = r"/exports/(?P<format>\w+)"
# The first that fits. An export is a list of records, or of datasets, in another format.
_CALLS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(rf"{pattern}/?\Z"), kind, name)
    for pattern, kind, name in (
        (_OF_DATASET, "ods_v2", "dataset_lookup"),
        (rf"{_OF_DATASET}(?:/records|/facets|/aggregates|{_EXPORT})", "ods_v2", "records_index"),
        (rf"{_OF_DATASET}/records/[^/]+", "ods_v2", "record_lookup"),
        (rf"{_OF_DATASET}/files/.+", "ods_v2", "files"),
        (rf"{_OF_SOURCE}(?:/datasets|/facets|{_EXPORT})", "ods_v2", "datasets_index"),
        (r"/api/records/1\.0/search", "ods_v1", "search_dataset_records"),
        (r"/api/records/1\.0/download", "ods_v1", "download_dataset_records"),
        (r"/api/records/1\.0/analyze", "ods_v1", "analyze_records"),
        (r"/api/records/1\.0/geocluster", "ods_v1", "get_geo_clusters"),
        (r"/api/datasets/1\.0/search", "ods_v1", "search_datasets"),
        (r"/api/datasets/1\.0/(?P<id>[^/]+)", "ods_v1", "lookup_dataset"),
        (r"/explore/dataset/(?P<id>[^/]+)/download", "ods_v1", "download_dataset"),
    )
)


class Usage:
    """The log of a portal's calls, in the order in which they ended; safe for several threads.

    Args:
        user_of: Whose call a request is.
    """

    def __init__(self, user_of: Callable[[Request], str]) -> None:
        self._user_of = user_of
        self._lock = threading.Lock()
        self._last = datetime.fromtimestamp(0, UTC)
        self._rows: list[dict[str, Any]] = []
        self._calls: Counter[str] = Counter()
        self._downloads: Counter[str] = Counter()
        self._resets = 0

    def once(self, request: Request, entry: LoggedRequest) -> Callable[..., None]:
        """Return what notes a call when it ends, whole or ``aborted``, the first time that it is told."""
        open_, resets = [entry], self._resets

        def ended(*, aborted: bool = False) -> None:
            # What began before a reset is forgotten with what had ended.
            if open_ and self._resets == resets:
                self.note(request, open_.pop(), aborted=aborted)

        return ended

    def note(self, request: Request, entry: LoggedRequest, *, aborted: bool) -> None:
        """Note a call that has ended; what is no call of the data APIs is not kept."""
        fits = ((pattern.match(entry.path), kind, name) for pattern, kind, name in _CALLS)
        found = next(((match, kind, name) for match, kind, name in fits if match), None)
        if found is None:
            return
        match, kind, name = found
        named: Mapping[str, str | None] = match.groupdict()
        params = parse_qs(entry.query)
        dataset_id = named.get("id") or next(iter(params.get("dataset", [])), None)
        row = {
            "user_ip_addr": request.client.host if request.client else None,
            "hostname": request.url.hostname,
            "user_id": self._user_of(request),
            "domain_id": DOMAIN,
            "api": name,
            "api_type": kind,
            "query_string": entry.query or None,
            "custom_attributes": request.headers.get("ods-api-analytics-app"),
            "format": named.get("format") or "json",
            "error": f"HTTP {entry.status}" if entry.status >= 400 else None,
            "user_agent": entry.user_agent or None,
            "referer": request.headers.get("referer"),
            "query_text": next(iter(params.get("q", [])), None),
            "dataset_id": [dataset_id] if dataset_id else None,
            "facet": params.get("facet"),
            "size_res": entry.bytes_sent,
            "exec_time": max(0.0, time.time() - entry.at),
            "request_aborted": aborted,
            "in_error": entry.status >= 400,
            "bot": "bot" in entry.user_agent.lower(),
            "mobile": "mobile" in entry.user_agent.lower(),
        }
        with self._lock:
            # No two at the same moment: calls that are alike would be one record.
            self._last = max(datetime.fromtimestamp(entry.at, UTC), self._last + timedelta(microseconds=1))
            self._rows.append({"timestamp": self._last.isoformat(), **row})
            if dataset_id:
                self._calls[dataset_id] += 1
                self._downloads[dataset_id] += bool(named.get("format") or name.startswith("download"))

    def since(self, number: int) -> list[dict[str, Any]]:
        """Return the rows after the first ``number``."""
        with self._lock:
            return self._rows[number:]

    def counted(self, dataset_id: str) -> tuple[int, int]:
        """Return how often a dataset was asked for, and how often downloaded."""
        with self._lock:
            return self._calls[dataset_id], self._downloads[dataset_id]

    def reset(self) -> None:
        """Forget all, and what is under way too."""
        with self._lock:
            self._resets += 1
            self._rows.clear()
            self._calls.clear()
            self._downloads.clear()
