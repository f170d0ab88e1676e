"""``LocalPortal``: a portal on 127.0.0.1, for tests, for demos, and for trying a DAG without a network."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import duckdb
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from ods_provider.testing import automation, control
from ods_provider.testing.access import Access
from ods_provider.testing.automation.refusal import envelope as automation_envelope
from ods_provider.testing.automation.refusal import is_automation
from ods_provider.testing.backoffice.office import BackOffice
from ods_provider.testing.catalog import metas
from ods_provider.testing.errors import Refusal, failed, no_uri, out_of_range, wrong_method
from ods_provider.testing.explore import Explore
from ods_provider.testing.explore.monitoring import Monitoring
from ods_provider.testing.faults import Faults
from ods_provider.testing.front import Envelope, Front
from ods_provider.testing.keyring import Keyring
from ods_provider.testing.line import LoggedRequest
from ods_provider.testing.oauth import OAuth
from ods_provider.testing.quotas import Quotas, Spelling
from ods_provider.testing.realtime import Realtime
from ods_provider.testing.schema import Column, DatasetState
from ods_provider.testing.search_v1 import SearchV1
from ods_provider.testing.search_v1.refusal import envelope
from ods_provider.testing.site import Site
from ods_provider.testing.site.addresses import ROOT
from ods_provider.testing.store import Store, Which
from ods_provider.testing.usage import Usage
from ods_provider.testing.writing import json_response


class LocalPortal:
    """A portal that behaves like a real one, quirks and faults included.

    Args:
        datasets: ``small`` (no package with data needed), or ``demo`` with the real GeoNames cities besides.
        port: Port on 127.0.0.1; 0 takes a free one.
        api_key: The API key that may do everything; anonymous calls are served too, but for gated records.
        reader_key: Another API key, whose user sees all data and lacks the right to the monitoring source.
        push_key: Push key of the realtime dataset.
        quota_limit: Calls per day; None states no quota.
        synthetic_rows: Rows of the dataset ``synthetic-rows``; 0 leaves it out.
        live_rows: Rows of the realtime dataset ``live-rows``; 0 leaves it out.
        require_key: A private portal: anonymous calls answer 401.
        group_by_ceiling: ``offset + limit`` of groups, which differs between portals.
        reset_spelling: How quota headers tell the reset: ``live`` as every portal seen does, ``epoch`` as documented.
        dataset_quotas: Quotas of single datasets: calls, and the unit of their window.
        cache_dir: Where the prepared GeoNames rows are kept.
        v1: Whether Search API v1.0 is served too.
        automation_api: Whether the Automation API is served too.
        clock: Seconds since the epoch, for the publications of the Automation API.
    """

    def __init__(
        self,
        *,
        datasets: Which = "small",
        port: int = 0,
        api_key: str = "demo-key",
        reader_key: str = "demo-reader-key",
        push_key: str = "demo-push-key",
        quota_limit: int | None = 100_000,
        synthetic_rows: int = 0,
        live_rows: int = 0,
        require_key: bool = False,
        group_by_ceiling: int = 20_000,
        reset_spelling: Spelling = "live",
        dataset_quotas: Mapping[str, tuple[int, str]] | None = None,
        cache_dir: Path | None = None,
        v1: bool = True,
        automation_api: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._automation = automation_api
        self.api_key = api_key
        self.reader_key = reader_key
        self.push_key = push_key
        self._socket = socket.create_server(("127.0.0.1", port))
        # Calls inherit it. asyncio sets it on sockets of its own making only, and without it each answer, which is sent
        # as head and body, waits 40 ms for the client's acknowledgement of the head.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        try:
            self.store = Store(datasets, synthetic_rows=synthetic_rows, live_rows=live_rows, cache_dir=cache_dir)
        except BaseException:
            self._socket.close()
            raise
        self.quotas = Quotas(quota_limit, datasets=dataset_quotas, spelling=reset_spelling)
        self.faults = Faults()
        self.oauth = OAuth()
        keyring = Keyring(api_key, reader=reader_key)
        access = Access(keyring, push_key, self.oauth, require_key=require_key)
        self._usage = Usage(access.user)
        self._monitoring = Monitoring(self.store, self._usage, access, group_by_ceiling=group_by_ceiling)
        self.office = BackOffice(self.store, keyring, push_key, clock)
        explore = Explore(self.store, access, group_by_ceiling=group_by_ceiling)
        routes = [
            *explore.routes(),
            *self._monitoring.routes(),
            *Realtime(self.store, access).routes(),
            *self.oauth.routes(),
            *(SearchV1(self.store, access).routes() if v1 else []),
            *(automation.routes(self.office, access) if self._automation else []),
        ]
        pages = Site(self.store, access, self.office if automation_api else None).routes()
        # A portal without version 1 knows its addresses as little as any other.
        said: Envelope = self._enveloping(v1=v1)
        self.paths: list[str] = [route.path for route in routes]
        app = Starlette(
            routes=[Mount("/_control", control.application(self)), *routes, *pages],
            exception_handlers={
                Refusal: _refusing(said),
                duckdb.OutOfRangeException: _refusing(said, out_of_range),
                404: _refusing(said, no_uri),
                405: _refusing(said, wrong_method),
                500: _refusing(said, failed),
            },
        )
        app.router.redirect_slashes = False  # a portal answers 404
        self._front = Front(app, access, self.quotas, self.faults, said, usage=self._usage, office=self.office)
        config = uvicorn.Config(
            self._front,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            # The front says what is too long, whichever parser is installed.
            h11_max_incomplete_event_size=1_048_576,
            # From Python 3.12 on asyncio waits for clients that hang on, which force_exit does not change.
            timeout_graceful_shutdown=0,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    # Where it is

    @property
    def netloc(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The portal's address."""
        return f"http://{self.netloc}"

    @property
    def page(self) -> str:
        """The address that shows its datasets in a browser."""
        return f"{self.url}{ROOT}"

    @property
    def airflow_uri(self) -> str:
        """An Airflow connection to it, API key and push key included, for ``AIRFLOW_CONN_ODS_DEFAULT``."""
        return f"ods://:{self.api_key}@{self.netloc}?{urlencode({'push_api_key': self.push_key})}"

    def _enveloping(self, *, v1: bool) -> Envelope:
        def said(path: str, refusal: Refusal) -> dict[str, Any]:
            if self._automation and is_automation(path):
                return automation_envelope(refusal, self.office.switches)
            return envelope(path, refusal) if v1 else refusal.body

        return said

    # Its life

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve from a thread of this process until ``stop``."""
        # A connection that a fault closes under its answer is no news.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        # Its lines show the push key; pytest listens even to loggers that do not propagate.
        logging.getLogger("uvicorn.access").disabled = True
        self._thread = threading.Thread(target=self._serve, name="ods-portal", daemon=True)
        self._thread.start()
        ready = threading.Event()
        while not self._server.started and self._thread.is_alive():
            ready.wait(0.005)

    def serve(self) -> None:
        """Serve until SIGINT or SIGTERM; only the main thread may call it."""
        told = threading.Event()
        before = {sign: signal.signal(sign, lambda *_: told.set()) for sign in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.start()
            while self._thread is not None and self._thread.is_alive() and not told.wait(1.0):
                pass
        finally:
            self.stop()
            for sign, handler in before.items():
                signal.signal(sign, handler)

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            # Not its run(): it installs signal handlers, which only the main thread may.
            runner.run(self._server.serve(sockets=[self._socket]))
        # Calls are cancelled, but not the queries that they began in threads: those hold the data open, and would bring
        # a process down that ends around them.
        for thread in threading.enumerate():
            if getattr(thread, "loop", None) is loop:
                thread.join()

    def stop(self) -> None:
        """Stop serving and close the data; safe to call twice."""
        if self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join()
            self._thread = None
            self.office.close()
            self.store.close()
            self._monitoring.store.close()
            self.office.uploads.close()
        self._socket.close()

    # What tests do to it

    @property
    def requests(self) -> list[LoggedRequest]:
        """The calls it got since the start or the last reset."""
        return self._front.requests

    def fault(
        self,
        kind: str,
        *,
        times: int | None = 1,
        path: str | None = None,
        skip: int = 0,
        method: str | None = None,
        **options: Any,
    ) -> None:
        """Order a fault for the next calls whose path holds ``path``; ``faults.KINDS`` lists the kinds."""
        self.faults.order(kind, times=times, path=path, skip=skip, method=method, **options)

    def clear_faults(self) -> None:
        """Take all faults back."""
        self.faults.clear()

    def set_quota(
        self,
        *,
        limit: int | None = None,
        remaining: int | None = None,
        reset_in_s: float | None = None,
        unit: str = "day",
        dataset_id: str | None = None,
        reset_spelling: Spelling | None = None,
        reset_after_s: float | None = None,
    ) -> None:
        """Set the portal's quota, or a dataset's own; ``reset_after_s`` counts from its last call."""
        self.quotas.set(
            limit=limit,
            remaining=remaining,
            reset_in_s=reset_in_s,
            unit=unit,
            dataset_id=dataset_id,
            reset_spelling=reset_spelling,
            reset_after_s=reset_after_s,
        )

    def touch(self, dataset_id: str, *, rows: int = 0, metadata_only: bool = False) -> dict[str, Any]:
        """Republish a dataset, with ``rows`` more rows, and return its metadata."""
        return metas(self.store, self.store.touch(dataset_id, rows=rows, metadata_only=metadata_only))

    def add_dataset(
        self,
        dataset_id: str,
        fields: Mapping[str, str | Mapping[str, Any]],
        rows: Iterable[Mapping[str, Any]] = (),
        *,
        resource: str | None = None,
    ) -> None:
        """Add a dataset until the next reset; rows that are alike in all fields, or in those of ``id``, are one (Q12).

        Args:
            dataset_id: Its id; one that was added before is replaced.
            fields: Name to type, or to a mapping of ``type``, ``label``, ``description`` and ``annotations``.
            rows: Field to value, as a push takes them.
            resource: Id of the realtime resource that takes pushes; None takes none.

        Raises:
            ValueError: A type that no field has, or a dataset that the portal has of its own.
        """
        columns = [Column.of(name, given) for name, given in fields.items()]
        unique = tuple(column.name for column in columns if column.annotations.get("id"))
        state = DatasetState(dataset_id, dataset_id, columns, unique_id=unique, realtime_resource=resource)
        self.store.add(state, rows)

    def rename(self, dataset_id: str, new_id: str) -> None:
        """Give a dataset that was added another id; its ``dataset_uid`` stays (portal API, catalogue)."""
        self.store.rename(dataset_id, new_id)

    def remove_dataset(self, dataset_id: str) -> None:
        """Take a dataset that was added away again, as a publisher who withdraws it does.

        Raises:
            ValueError: It was not added.
        """
        self.store.take_away(dataset_id)

    def rows(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return what a dataset holds now."""
        self.office.advance()
        return self.store.rows(dataset_id)

    def reset(self) -> None:
        """Go back to the start: data, faults, quotas and log."""
        self.faults.clear()
        self.quotas.reset()
        self.oauth.reset()
        self.office.reset()
        self.store.reset()
        self._usage.reset()
        self._monitoring.reset()
        # Large tables lie among the files.
        self.office.uploads.close()
        self._front.requests.clear()


def _refusing(said: Envelope, made: Callable[[], Refusal] | None = None) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        refusal = made() if made else error
        assert isinstance(refusal, Refusal)
        return json_response(said(request.url.path, refusal), refusal.status)

    return answer
