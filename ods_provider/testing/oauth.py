"""OAuth2 of a portal: the authorization-code grant, one-time codes and refresh tokens, access tokens that expire.

The user who would sign in and allow the application is taken to have done so: the authorisation page redirects at once.

Source: Authentication (all APIs), OAuth2; errors as in RFC 6749, 5.2.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import string
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

ROOT = "/oauth2/"
CODE_LIFETIME_S = 3600.0


class OAuth:
    """The one application that a portal knows, and what it was granted.

    Attributes:
        client_id, client_secret: The application.
        access_lifetime_s: Life of the access tokens that are given from now on.
        exchanges: Token requests that were answered with tokens.
    """

    def __init__(self) -> None:
        self.client_id = "demo-app"
        self.client_secret = "demo-app-secret"  # noqa: S105  it opens a portal on localhost
        self.access_lifetime_s = 3600.0
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget every grant."""
        with self._lock:
            self.access_lifetime_s = 3600.0
            self.exchanges = 0
            self._codes: dict[str, tuple[str, float]] = {}
            self._refresh: set[str] = set()
            self._access: dict[str, float] = {}

    # What tests do

    def grant(self) -> str:
        """Return a refresh token as if a user had just authorised the application."""
        with self._lock:
            return self._new_refresh_token()

    def expire(self) -> None:
        """Let every access token end now."""
        with self._lock:
            self._access = dict.fromkeys(self._access, 0.0)

    def accepts(self, token: str) -> bool:
        """Return whether an access token is known and has not ended."""
        return self._access.get(token, 0.0) > time.time()

    # The endpoints

    def routes(self) -> list[Route]:
        """Return the routes below ``/oauth2``."""
        return [
            Route(f"{ROOT}authorize/", self.authorize, methods=["GET"]),
            Route(f"{ROOT}token/", self.token, methods=["GET", "POST"]),
        ]

    def authorize(self, request: Request) -> Response:
        """Redirect with a code, or say what is wrong with the application."""
        asked = request.query_params
        target = asked.get("redirect_uri", "")
        parts = urlsplit(target)
        if asked.get("client_id") != self.client_id or parts.hostname not in ("127.0.0.1", "localhost"):
            return Response("Error: invalid client_id or redirect_uri", 400, media_type="text/html")
        back = {"state": asked["state"]} if "state" in asked else {}
        if asked.get("response_type") != "code":
            return _redirect(target, {"error": "unsupported_response_type", **back})
        code = _random(30)
        with self._lock:
            self._codes[code] = (target, time.time() + CODE_LIFETIME_S)
        return _redirect(target, {"code": code, **back})

    async def token(self, request: Request) -> Response:
        """Exchange a code or a refresh token; either works once."""
        if request.method != "POST":
            return _error(405, "method_not_allowed")
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if not self._knows(request, form):
            return _error(401, "invalid_client")
        with self._lock:
            if form.get("grant_type") == "authorization_code":
                target, until = self._codes.pop(form.get("code", ""), ("", 0.0))
                if until <= time.time() or target != form.get("redirect_uri"):
                    return _error(400, "invalid_grant")
            elif form.get("grant_type") == "refresh_token":
                if form.get("refresh_token") not in self._refresh:
                    return _error(400, "invalid_grant")
                self._refresh.remove(form["refresh_token"])
            else:
                return _error(400, "unsupported_grant_type")
            return JSONResponse(self._new_tokens(form.get("state")))

    def _knows(self, request: Request, form: Mapping[str, str]) -> bool:
        shown = (form.get("client_id", ""), form.get("client_secret", ""))
        basic = basic_credentials(request)
        if basic is not None:
            shown = basic
        pair = zip(shown, (self.client_id, self.client_secret), strict=True)
        return all(hmac.compare_digest(one.encode(), other.encode()) for one, other in pair)

    def _new_tokens(self, state: str | None) -> dict[str, Any]:
        access = _random(30)
        self._access[access] = time.time() + self.access_lifetime_s
        self.exchanges += 1
        lifetime = self.access_lifetime_s
        return {
            "access_token": access,
            "expires_in": int(lifetime) if lifetime == int(lifetime) else lifetime,
            "token_type": "Bearer",
            **({"state": state} if state else {}),
            "scope": "all",
            "refresh_token": self._new_refresh_token(),
        }

    def _new_refresh_token(self) -> str:
        token = _random(30)
        self._refresh.add(token)
        return token


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """Return user and password of HTTP Basic, None when a request carries none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _redirect(target: str, more: Mapping[str, str]) -> Response:
    joint = "&" if urlsplit(target).query else "?"
    return RedirectResponse(f"{target}{joint}{urlencode(more)}", 302)


def _error(status: int, code: str) -> Response:
    return JSONResponse({"error": code}, status)


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
