"""``requests``' adapter with our connections beneath it."""

from __future__ import annotations

from functools import cache
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from ods_provider.transport.networks import Networks
from ods_provider.transport.patience import Patience, patient

POOL_SIZE = 32


class PatientAdapter(HTTPAdapter):
    """Keeps connections that have patience.

    Args:
        patience: How much.
        networks: What is known of private networks.
        stranger: Whether these connections lead to hosts that somebody else named.
    """

    def __init__(self, patience: Patience, networks: Networks, *, stranger: bool) -> None:
        self._settings: dict[str, Any] = {"patience": patience, "networks": networks, "stranger": stranger}
        super().__init__(pool_connections=4, pool_maxsize=POOL_SIZE, max_retries=0)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request; where its answer redirects to is left to us, and stays in the raw headers only.

        A session prepares the next request even where it was told to follow none, and stumbles over addresses that
        are none.
        """
        answer = super().send(*args, **kwargs)
        answer.headers.pop("location", None)
        return answer

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the manager of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        pools: Any = self.poolmanager.pool_classes_by_scheme
        self.poolmanager.pool_classes_by_scheme = patient(pools, direct=True, **self._settings)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the manager of connections through a proxy; who is at their other end is the proxy's business."""
        known = proxy in self.proxy_manager
        manager: Any = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            pools = manager.pool_classes_by_scheme
            manager.pool_classes_by_scheme = patient(pools, direct=False, **self._settings)
        return manager


@cache
def _agent() -> str:
    # The metadata of a package is a text that is parsed anew at every question.
    return f"ods-provider/{version('ods-provider')}"


def session(patience: Patience, networks: Networks, *, stranger: bool) -> requests.Session:
    """Return a session that keeps no cookies, tells who we are, and has patience."""
    made = requests.Session()
    made.headers.clear()
    made.headers.update({"User-Agent": _agent(), "Accept": "*/*", "Accept-Encoding": "gzip"})
    # A portal's session cookie would make a call somebody else's.
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter: Any = PatientAdapter(patience, networks, stranger=stranger)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made
