"""Credentials as a ``requests`` auth object.

An auth object is used even for anonymous calls: without one, ``requests`` looks into ``~/.netrc`` and replaces the
header with what it finds there.
"""

from __future__ import annotations

from base64 import b64encode

import requests
from requests.auth import AuthBase

from ods_provider.core.connection import OdsConnection
from ods_provider.core.redact import Secret


class NoCredentials(AuthBase):
    """Sends nothing, and keeps ``.netrc`` out."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request without credentials."""
        request.headers.pop("Authorization", None)
        return request


class KeyInHeader(AuthBase):
    """Sends ``Authorization: Apikey …``: never in the query, where logs and referers would keep it."""

    def __init__(self, connection: OdsConnection) -> None:
        self._connection = connection

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        if self._connection.api_key:
            request.headers["Authorization"] = f"Apikey {self._connection.api_key.reveal()}"
        return request


class LoginInHeader(AuthBase):
    """Sends ``Authorization: Basic …`` for old portals; in UTF-8, where ``requests`` would fail beyond Latin-1."""

    def __init__(self, connection: OdsConnection) -> None:
        self._connection = connection

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        key = self._connection.api_key
        pair = f"{self._connection.login or ''}:{key.reveal() if key else ''}"
        request.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return request


class Bearer(AuthBase):
    """Sends ``Authorization: Bearer …`` with the token that stands in ``token`` at that moment."""

    def __init__(self) -> None:
        self.token: Secret | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token.reveal()}"
        return request


def credentials(connection: OdsConnection) -> AuthBase:
    """Return what signs the calls of ``connection``."""
    if connection.auth == "anonymous" or not connection.api_key:
        return NoCredentials()
    if connection.auth == "basic":
        return LoginInHeader(connection)
    return KeyInHeader(connection)
