"""A first call that says in one sentence whether a connection works."""

from __future__ import annotations

from ods_provider.client.portal import OdsClient
from ods_provider.core.counting import counted, verb
from ods_provider.core.plans.records import count
from ods_provider.core.query import Query

_SENT = {"oauth2": "OAuth2 token", "basic": "login"}


def tried(client: OdsClient) -> str:
    """Ask the portal how many datasets it shows, with one call, and say what came of it.

    Returns:
        Whether a key was sent and not refused, how many datasets are visible, and what is left of the quota.

    Raises:
        OdsError: The portal does not answer as one; it says what is wrong and what to do.
    """
    visible = client.run(count(None, Query()))
    what = _SENT.get(client.connection.auth, "API key")
    key = f"the {what} was sent and not refused" if client.key_sent else "no key was sent (anonymous)"
    seen = f"{counted(visible, 'datasets')} {verb(visible, 'is', 'are')} visible"
    return f"The portal answers: {key}, {seen}, {_left(client)}."


def _left(client: OdsClient) -> str:
    quota = client.quota.tightest()
    if quota is None or quota.remaining is None:
        return "the portal states no quota"
    until = f" until {quota.reset_at:%Y-%m-%d %H:%M} UTC" if quota.reset_at else ""
    return f"{quota.remaining} of {quota.limit} calls are left{until}"
