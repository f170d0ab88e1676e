"""Credentials as a ``requests`` auth object.

An auth object is used even for anonymous calls: without one, ``requests`` looks into ``~/.netrc`` and replaces the
header with what it finds there.
"""

from __future__ import annotations

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from ods_provider.core.connection import OdsConnection


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


def credentials(connection: OdsConnection) -> AuthBase:
    """Return what signs the calls of ``connection``."""
    if connection.auth == "anonymous" or not connection.api_key:
        return NoCredentials()
    if connection.auth == "basic":
        return HTTPBasicAuth(connection.login or "", connection.api_key.reveal())
    return KeyInHeader(connection)
