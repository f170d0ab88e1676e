"""What to do about an error of a portal: by what was asked, and by what came."""

from __future__ import annotations

from ods_provider.core import automation
from ods_provider.core.faces import MONITORED, setting
from ods_provider.core.source import API_LOG, MONITORING, RIGHT, STATISTICS, root
from ods_provider.core.wire import Request

_CATALOGUES = ("/api/explore/", "/api/datasets/")  # of both APIs


def of_rights(request: Request, status: int, code: str | None) -> str:
    """Return what to do where the portal refuses whoever asks."""
    if request.kind == "push":
        return f"Check {setting('push_api_key')}: every realtime resource has a push key of its own"
    if request.path.startswith(root(MONITORING)):
        return _of_monitoring(status)
    if automation.is_automation(request.path):
        return automation.rights_advice(request.method, request.path, status)
    if status == 401:
        return f"The portal does not accept the credentials, or wants some: check the API key ({setting('api_key')})"
    if code == "ForbiddenAccess":
        return "The data is gated: ask the publisher for access, or use an API key whose user has it"
    return f"Check what the key may do ({setting('api_key')})"


def _of_monitoring(status: int) -> str:
    """Return what to do where the monitoring source does not answer this key."""
    if status == 401:
        return (
            "The portal does not accept the credentials, or wants some: the monitoring source answers an API key "
            f"({setting('api_key')}) whose user has the right {RIGHT}"
        )
    return (
        f"The right {RIGHT} is missing. An administrator of the portal gives it to the user or to a group of his, and "
        f"whoever made the key has to let it have the right ({setting('api_key')})"
    )


def of_missing(request: Request, message: str, status: int, code: str | None) -> str:
    """Return what to do where the portal does not know what is asked for."""
    if status == 410:
        return "The endpoint is gone from this API version"
    if code == "NotFoundURI":
        return f"Check {setting('host')}: this address is no endpoint of the portal"
    if automation.is_automation(request.path):
        return automation.missing_advice()
    if request.kind == "token":
        return f"Check {setting('host')}: this one gives no OAuth2 tokens at this address"
    if request.kind == "file":
        return "The file is not there, or not for this key: ask for the list of files again"
    if request.path.startswith(root(MONITORING)):
        if request.dataset_id is None:
            return "This portal offers no monitoring source under this address"
        return f"The monitoring source has the datasets {API_LOG} and {STATISTICS}, as a rule; check the id"
    if request.dataset_id in (API_LOG, STATISTICS):
        return f"{request.dataset_id} is a dataset of the monitoring source: {MONITORED}"
    if request.dataset_id is None and request.path.startswith(_CATALOGUES) and not message.startswith("Unknown"):
        # Nobody named an id: it is the catalogue that is missing.
        return f"Check {setting('host')}: a portal has its catalogue at this address"
    return "Check the id (it is case-sensitive); a dataset that the key may not see answers the same"


def of_query(method: str, status: int) -> str:
    """Return what to do where the portal refuses what is asked."""
    if status == 409:
        return (
            automation.CONFLICT if method in ("GET", "HEAD") else "Run it again later; what is there stands against it"
        )
    if status == 414:
        return (
            "The query is too long for a URL: shorten the filter, or send it to Search API v1.0 (v1), which takes forms"
        )
    if status == 413:
        return "The body is too large: send smaller batches"
    return "Correct the query; field names are the technical names of the dataset's schema"
