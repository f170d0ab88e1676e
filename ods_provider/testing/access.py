"""Who asks: API keys in the header or the query, Basic, bearer tokens, and what is refused without any.

Source: Authentication table (all APIs); Q48.
"""

from __future__ import annotations

import hmac

from starlette.requests import Request

from ods_provider.testing.errors import Refusal, unauthorized
from ods_provider.testing.oauth import ROOT, OAuth, basic_credentials

STORAGE = "/_storage/"  # as of another host
OPEN = (ROOT, STORAGE)  # what asks for no key, counts in no quota, and shows none


class Access:
    """The keys of a portal.

    Args:
        api_key: The one API key.
        push_key: The push key of every realtime resource.
        oauth: The bearer tokens.
        require_key: A private portal refuses anonymous calls.
    """

    def __init__(self, api_key: str, push_key: str, oauth: OAuth, *, require_key: bool = False) -> None:
        self._api_key = api_key
        self._push_key = push_key
        self._oauth = oauth
        self._require_key = require_key

    def shown_key(self, request: Request) -> str | None:
        """Return the key that a request carries, None when it carries none; as the password of Basic, any user's."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "apikey":
            return value.strip()
        basic = basic_credentials(request)
        return basic[1] if basic else request.query_params.get("apikey")

    def shown_token(self, request: Request) -> str | None:
        """Return the access token that a request carries, None when it carries none."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else request.query_params.get("access_token")

    def has_key(self, request: Request) -> bool:
        """Return whether a request carries the right key, or an access token that has not ended."""
        token = self.shown_token(request)
        if token is not None:
            return self._oauth.accepts(token)
        shown = self.shown_key(request)
        return shown is not None and hmac.compare_digest(shown.encode(), self._api_key.encode())

    def check(self, request: Request) -> None:
        """Refuse a wrong key or token, and a missing one on a private portal. OAuth2 itself is open to all.

        Raises:
            Refusal: 401.
        """
        if request.url.path.startswith(OPEN):
            return
        if self.shown_token(request) is not None and not self.has_key(request):
            raise unauthorized("The access token is invalid or has expired.")
        if self.shown_key(request) is not None and not self.has_key(request):
            raise unauthorized("The provided API key is not valid.")
        if self._require_key and not self.has_key(request):
            raise unauthorized("Authentication credentials were not provided.")

    def check_push(self, request: Request) -> None:
        """Refuse a push without the resource's key.

        Raises:
            Refusal: 401 without a key, 403 with a wrong one.
        """
        shown = request.query_params.get("pushkey")
        if not shown:
            raise unauthorized("The push key is missing.")
        if not hmac.compare_digest(shown.encode(), self._push_key.encode()):
            raise Refusal(403, "ForbiddenAccess", "The push key is not valid for this resource.")
