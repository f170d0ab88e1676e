"""A transport that signs with OAuth2 tokens and gets new ones in time.

Everybody who shares a grant shares its store. A token is got under the store's lock, kept there, and only then used;
who comes second finds it there. Nothing here repeats a failed exchange: the driver repeats the whole request, and a
refresh token that was spent in vain answers the second try with an error that no retry can cure.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from ods_provider.core.connection import OdsConnection
from ods_provider.core.drive import Terms, drive
from ods_provider.core.events import Emit, ignore
from ods_provider.core.oauth import Grant, TokenStore, first_grant, refresh
from ods_provider.core.retry import RetryRules
from ods_provider.core.times import utc_now
from ods_provider.core.wire import Request, Response
from ods_provider.transport.auth import Bearer
from ods_provider.transport.session import RequestsTransport

_ONCE = RetryRules(max_retries=0)


class OAuthTransport:
    """Sends requests to one portal in the name of whoever authorised the application. Threads may share it.

    Args:
        connection: Where to, as which application.
        tokens: Keeps the grant.
        emit: Hears of the exchanges.
        now: Clock, for tests.
        heed: See ``RequestsTransport``.
    """

    def __init__(
        self,
        connection: OdsConnection,
        tokens: TokenStore,
        *,
        emit: Emit = ignore,
        now: Callable[[], datetime] = utc_now,
        heed: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self._tokens = tokens
        self._now = now
        self._bearer = Bearer()
        self._inner = RequestsTransport(connection, bearer=self._bearer, heed=heed)
        self._terms = Terms(self._inner, rules=_ONCE, emit=emit, now=now)
        self._grant: Grant | None = None
        self._renewing = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send ``request`` as ``RequestsTransport`` does, signed; a token that is refused is renewed once.

        Raises:
            OdsAuthError: The grant is spent or withdrawn; the advice says how to authorise again.
            OdsConfigError: There is no grant.
            OdsSinkError: The store failed, or somebody kept it for too long.
        """
        used = self._current(refused=None)
        response = self._inner.send(request)
        # A push is refused for its push key, never for this token.
        if response.status != 401 or request.kind == "push":
            return response
        self._current(refused=used)
        return self._inner.send(request)

    def close(self) -> None:
        """Close every pooled connection."""
        self._inner.close()

    def _current(self, *, refused: Grant | None) -> Grant:
        """Return a grant whose access token serves and is not the refused one; the bearer carries it from here on."""
        with self._renewing:
            grant = self._grant
            if not self._serves(grant, refused):
                # Somebody else may have renewed it meanwhile: no lock is needed to see that.
                grant = self._tokens.load()
            if not self._serves(grant, refused):
                with self._tokens.lock():
                    grant = self._tokens.load()
                    if not self._serves(grant, refused):
                        grant = self._renew(grant or first_grant(self._connection))
            assert grant is not None  # what serves is there
            self._grant, self._bearer.token = grant, grant.access_token
            return grant

    def _serves(self, grant: Grant | None, refused: Grant | None) -> bool:
        if grant is None or not grant.usable(self._now()):
            return False
        return refused is None or grant.access_token != refused.access_token

    def _renew(self, grant: Grant) -> Grant:
        # Saved before as well: a store that cannot be written must fail while the refresh token is still good.
        self._tokens.save(grant)
        renewed = grant.renewed(drive(refresh(self._connection, grant), self._terms), self._now())
        self._tokens.save(renewed)
        return renewed
