"""OAuth2 as values and plans: a grant, whether its access token still serves, and how tokens are exchanged.

A portal offers the authorization-code grant only. Its refresh token never expires and works once: the answer that
brings the next one must be kept before anything else happens, and two workers must not refresh at the same time. Who
keeps and who locks is a ``TokenStore``; who decides when is ``transport.oauth``.

Source: Authentication (all APIs), OAuth2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsNotAPortal
from ods_provider.core.faces import setting
from ods_provider.core.redact import Secret
from ods_provider.core.times import iso, parse_time
from ods_provider.core.wire import Form, Plan, Request, Response

AUTHORIZE_PATH = "/oauth2/authorize/"
TOKEN_PATH = "/oauth2/token/"  # noqa: S105  an address
LIFETIME_S = 3600.0  # of an access token, where the portal does not say
MARGIN_S = 60.0  # an access token is renewed so long before its end, or a tenth of its life when that is shorter


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user allowed an application, as it stands now.

    Attributes:
        refresh_token: Gets the next access token, once.
        access_token: Signs calls until ``renew_at``; None before the first refresh.
        renew_at: When to get the next one (aware UTC), shortly before the portal would refuse this one.
    """

    refresh_token: Secret
    access_token: Secret | None = None
    renew_at: datetime | None = None

    def usable(self, now: datetime) -> bool:
        """Return whether the access token still serves."""
        return self.access_token is not None and self.renew_at is not None and now < self.renew_at

    def renewed(self, tokens: Tokens, now: datetime) -> Grant:
        """Return the grant after an exchange."""
        return replace(
            self,
            refresh_token=tokens.refresh_token or self.refresh_token,
            access_token=tokens.access_token,
            renew_at=now + timedelta(seconds=tokens.lifetime_s - min(MARGIN_S, tokens.lifetime_s / 10)),
        )

    def secrets(self) -> list[Secret]:
        """Return its tokens, for maskers."""
        return [token for token in (self.refresh_token, self.access_token) if token]

    def reveal(self) -> dict[str, str | None]:
        """Return the grant with its tokens in the clear, for a store and nothing else."""
        return {
            "refresh_token": self.refresh_token.reveal(),
            "access_token": self.access_token.reveal() if self.access_token else None,
            "renew_at": iso(self.renew_at),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Grant:
        """Return what ``reveal`` gave.

        Raises:
            ValueError: It holds no refresh token.
        """
        refresh, access = kept.get("refresh_token"), kept.get("access_token")
        if not isinstance(refresh, str) or not refresh:
            raise ValueError("no refresh token")
        token = Secret(access) if isinstance(access, str) and access else None
        return cls(Secret(refresh), token, parse_time(kept.get("renew_at")))


@dataclass(frozen=True, slots=True)
class Tokens:
    """The answer to an exchange; ``refresh_token`` is None where the old one stays good."""

    access_token: Secret
    refresh_token: Secret | None
    lifetime_s: float


class TokenStore(Protocol):
    """Keeps one grant for everybody who works with it: threads, processes, hosts."""

    @property
    def where(self) -> str:
        """Where it is kept, for messages."""
        ...

    def lock(self) -> AbstractContextManager[object]:
        """Keep everybody else from refreshing while the context lasts.

        Raises:
            OdsSinkError: Somebody else keeps it for too long.
        """
        ...

    def load(self) -> Grant | None:
        """Return the grant as last saved, None when there is none. Needs no lock."""
        ...

    def save(self, grant: Grant) -> None:
        """Keep the grant; durable when it returns. Called under the lock."""
        ...


def grant_name(connection: OdsConnection) -> str:
    """Return the name of a connection's grant in a store: of its portal, its application and its own first token.

    The refresh token of the connection is only the seed: what descends from it is kept under the seed's name, so that a
    new seed begins anew and two users of one application never get each other's tokens. Without a seed it is the
    grant that ``ods login`` stored for this portal, application and login.
    """
    seed = connection.refresh_token.reveal() if connection.refresh_token else ""
    identity = "\0".join((connection.base_url, connection.client_id or "", connection.login or "", seed))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:20]
    return f"{connection.host.replace(':', '-').strip('[]')}-{digest}"


def first_grant(connection: OdsConnection) -> Grant:
    """Return the grant that a connection brings along.

    Raises:
        OdsConfigError: It brings none, and none was stored.
    """
    if connection.refresh_token is None:
        raise OdsConfigError(
            "nobody has authorised this application yet, or the tokens lie elsewhere",
            where=f"{connection.host}, client_id {connection.client_id}",
            advice=f"{login_advice(connection)}; ODS_TOKEN_STORE must name the same folder there and here",
        )
    return Grant(connection.refresh_token)


def login_advice(connection: OdsConnection) -> str:
    """Return how to authorise again."""
    command = f"ods login --host {connection.base_url} --client-id {connection.client_id}"
    if connection.refresh_token is None:
        return f"Authorise it with `{command}`"
    return f"Authorise it again with `{command} --seed` and put the new token into {setting('refresh_token')}"


def authorize_url(connection: OdsConnection, *, redirect_uri: str, state: str) -> str:
    """Return the page on which a user allows the application to act for them."""
    asked = {
        "client_id": connection.client_id or "",
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "state": state,
        "scope": "all",
    }
    return f"{connection.base_url}{AUTHORIZE_PATH}?{urlencode(asked)}"


def exchange_code(connection: OdsConnection, *, code: Secret, redirect_uri: str) -> Plan[Tokens]:
    """Exchange the code that the user's browser brought back; it works once, within the hour. One call."""
    answer = yield _request(
        connection, ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)
    )
    return _tokens(answer)


def refresh(connection: OdsConnection, grant: Grant) -> Plan[Tokens]:
    """Spend the refresh token for the next tokens. One call.

    Raises:
        OdsAuthError: It was spent already, or the application is not known.
    """
    try:
        answer = yield _request(connection, ("grant_type", "refresh_token"), ("refresh_token", grant.refresh_token))
    except OdsAuthError as error:
        if error.code != "invalid_grant":
            raise
        raise OdsAuthError(
            "the portal does not take the refresh token any more: it works once, and was spent elsewhere or withdrawn, "
            "or the answer that brought the next one was lost on the way",
            status=error.status,
            code=error.code,
            where=error.where,
            advice=login_advice(connection),
        ) from None
    return _tokens(answer)


def _request(connection: OdsConnection, *fields: tuple[str, str | Secret]) -> Request:
    form: Form = (*fields, ("client_id", connection.client_id or ""), ("scopes", "all"))
    if connection.client_secret:
        form = (*form, ("client_secret", connection.client_secret))
    return Request(TOKEN_PATH, method="POST", kind="token", form=form)


def _tokens(response: Response) -> Tokens:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    found: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    access, refreshed, lifetime = (found.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    if not access or not isinstance(access, str) or not isinstance(refreshed, str | None):
        raise OdsNotAPortal(
            "the answer holds no access token",
            status=response.status,
            where=f"POST {response.url}",
            advice=f"Check {setting('host')}",
        )
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float)) or not 0 < lifetime < 10**9:
        lifetime = LIFETIME_S
    return Tokens(Secret(access), Secret(refreshed) if refreshed else None, float(lifetime))
