"""``OdsClient``: one portal, with its connection, its quota and all its methods."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from ods_provider.client.realtime import RealtimeCalls
from ods_provider.client.source import SourceClient
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.drive import Terms, Transport
from ods_provider.core.events import Emit, ignore
from ods_provider.core.faces import PYTHON
from ods_provider.core.oauth import TokenStore
from ods_provider.core.redact import Secret
from ods_provider.core.retry import RetryRules
from ods_provider.core.source import CATALOG, Source
from ods_provider.core.times import utc_now

if TYPE_CHECKING:
    from ods_provider.client.automation import AutomationClient
    from ods_provider.client.monitoring import MonitoringClient
    from ods_provider.client.v1 import ClientV1


_SLICE_S = 0.5  # of a sleep that can be ended


class OdsClient(SourceClient, RealtimeCalls):
    """A portal's catalogue, records, aggregates and realtime resources; ``monitoring`` is its other source.

    Args:
        host: Host name or URL of the portal, or a whole ``OdsConnection``.
        api_key: API key; without it calls are anonymous.
        login: User name, for ``auth="basic"`` only; the password is the ``api_key``.
        emit: Hears what happens (requests, retries, quotas).
        tokens: Keeps the OAuth2 grant of ``auth="oauth2"``; the default is a file, see ``docs/authentication.md``.
        heed: Raises when the work was told to stop; asked at least every half second while an answer is waited for.
        transport: What sends; the default is ``requests``.
        now: The clock, for tests.
        sleep: The sleep, for tests.
        settings: The connection's extras (``timeout_s``, ``push_api_key``, ``verify``, …).

    Raises:
        OdsConfigError: The host or a setting is bad.

    Every method raises the errors that ``ods_provider.errors`` draws. Use it as a context manager, or call ``close``.
    """

    def __init__(
        self,
        host: str | OdsConnection,
        *,
        api_key: str | None = None,
        login: str | None = None,
        emit: Emit = ignore,
        tokens: TokenStore | None = None,
        heed: Callable[[], None] | None = None,
        transport: Transport | None = None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        **settings: Any,
    ) -> None:
        if not isinstance(host, OdsConnection):
            host = from_parts(host=host, login=login, password=api_key, extra=settings, where="OdsClient", face=PYTHON)
        with host.face.speaking():
            self.transport = transport = transport or _transport(host, tokens, emit=emit, now=now, heed=heed)
        super().__init__(
            host,
            Terms(
                transport=transport,
                rules=RetryRules(max_retries=host.max_retries, max_wait_s=host.max_wait_s),
                emit=emit,
                now=now,
                sleep=_heeding(sleep, heed) if heed else sleep,
                portal=host.base_url,
                face=host.face,
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OdsClient({self.connection.base_url!r}, key={'sent' if self.key_sent else 'none'})"

    def close(self) -> None:
        """Close the pooled connections; what is asked for afterwards is an ``OdsConfigError``."""
        self._closed = True
        close = getattr(self.transport, "close", None)
        if close:
            close()

    @property
    def key_sent(self) -> bool:
        """Whether calls carry credentials."""
        return self.connection.signs

    @cached_property
    def monitoring(self) -> MonitoringClient:
        """The portal's log of calls and statistics of datasets, in the words of this client."""
        from ods_provider.client.monitoring import MonitoringClient

        return MonitoringClient(self)

    @cached_property
    def automation(self) -> AutomationClient:
        """The Automation API: datasets, metadata, resources and publications as their editors see them."""
        from ods_provider.client.automation import AutomationClient

        return AutomationClient(self)

    def at(self, source: Source) -> SourceClient:
        """Return what asks that source: this client, or ``monitoring``."""
        return self if source == CATALOG else self.monitoring

    @property
    def v1(self) -> ClientV1:
        """Search API v1.0, in its own words."""
        from ods_provider.client.v1 import ClientV1

        return ClientV1(self)

    def secrets(self) -> list[Secret]:
        """Return the connection's secrets, for maskers."""
        return self.connection.secrets()


def _transport(
    connection: OdsConnection,
    tokens: TokenStore | None,
    *,
    emit: Emit,
    now: Callable[[], datetime],
    heed: Callable[[], None] | None,
) -> Transport:
    # Imported late: whoever only builds plans or parses DAG files never loads requests.
    if connection.auth == "oauth2":
        from ods_provider.stores.tokens import FileTokens
        from ods_provider.transport.oauth import OAuthTransport

        return OAuthTransport(connection, tokens or FileTokens.of(connection), emit=emit, now=now, heed=heed)
    from ods_provider.transport.session import RequestsTransport

    return RequestsTransport(connection, heed=heed)


def _heeding(sleep: Callable[[float], None], heed: Callable[[], None]) -> Callable[[float], None]:
    """Return a sleep in pieces, between which it may be told to stop."""

    def asleep(seconds: float) -> None:
        left_s = seconds
        while left_s > 0:
            heed()
            sleep(min(left_s, _SLICE_S))
            left_s -= _SLICE_S
        heed()

    return asleep
