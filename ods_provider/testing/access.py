"""Who asks: API keys in the header or the query, Basic, bearer tokens, and what is refused without any.

Source: Authentication table (all APIs); Q48.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from starlette.requests import Request

from ods_provider.testing.errors import Refusal, forbidden, unauthorized
from ods_provider.testing.keyring import ADMIN, EVERYTHING, Keyring
from ods_provider.testing.oauth import ROOT, OAuth, basic_credentials
from ods_provider.testing.schema import DatasetState

STORAGE = "/_storage/"  # as of another host
ANONYMOUS = "anonymous"
OPEN = (ROOT, STORAGE)  # what asks for no key, counts in no quota, and shows none


class Access:
    """The keys of a portal.

    Args:
        keyring: The API keys.
        push_key: The push key of every realtime resource that has none of its own.
        oauth: The bearer tokens.
        require_key: A private portal refuses anonymous calls.
    """

    def __init__(self, keyring: Keyring, push_key: str, oauth: OAuth, *, require_key: bool = False) -> None:
        self.keyring = keyring
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
        return self.keyring.find(self.shown_key(request)) is not None

    def permissions(self, request: Request) -> frozenset[str]:
        """Return what who asks may do: nothing without a key, and everything with an access token."""
        if self.shown_token(request) is not None:
            return EVERYTHING if self.has_key(request) else frozenset()
        key = self.keyring.find(self.shown_key(request))
        return key.permissions if key else frozenset()

    def user(self, request: Request) -> str:
        """Return whose call a request is, as the log of calls names them; an access token is the administrator's."""
        if self.shown_token(request) is not None:
            return ADMIN if self.has_key(request) else ANONYMOUS
        key = self.keyring.find(self.shown_key(request))
        return key.user if key else ANONYMOUS

    def sees(self, request: Request, state: DatasetState) -> bool:
        """Return whether who asks may know of a dataset: public ones are everybody's."""
        if not state.restricted or "explore_restricted_dataset" in self.permissions(request):
            return True
        return self.has_key(request) and self.user(request) in state.viewers

    def visible(self, request: Request, states: Iterable[DatasetState]) -> list[DatasetState]:
        """Return the datasets that who asks may know of."""
        return [state for state in states if self.sees(request, state)]

    def check_monitoring(self, request: Request) -> None:
        """Refuse who may not see how the portal is used.

        Raises:
            Refusal: 401 without a key, 403 with one whose user lacks the right.
        """
        if not self.has_key(request):
            raise unauthorized("Authentication credentials were not provided.")
        if "explore_monitoring" not in self.permissions(request):
            raise forbidden()

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

    def check_push(self, request: Request, state: DatasetState) -> None:
        """Refuse a push without the resource's key.

        Raises:
            Refusal: 401 without a key, 403 with a wrong one.
        """
        shown = request.query_params.get("pushkey")
        if not shown:
            raise unauthorized("The push key is missing.")
        if not hmac.compare_digest(shown.encode(), (state.push_key or self._push_key).encode()):
            raise Refusal(403, "ForbiddenAccess", "The push key is not valid for this resource.")
