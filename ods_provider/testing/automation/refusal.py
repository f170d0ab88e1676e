"""How the Automation API refuses: two envelopes are in use, and either may come.

Source: Automation API v1.0, errors (v1 and its ancestor).
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from ods_provider.testing.backoffice.switches import Switches
from ods_provider.testing.backoffice.trouble import Refused
from ods_provider.testing.errors import Refusal

ROOT = "/api/automation/v1.0"
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 500: "internal_error"}


def is_automation(path: str) -> bool:
    """Return whether an address is one of this API."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def body(refused: Refused, switches: Switches) -> dict[str, Any]:
    """Return the body of a refusal, in the envelope of this portal."""
    if switches.envelope == "old":
        return {
            "status_code": refused.status,
            "message": refused.message,
            "raw_params": refused.raw_params,
            "raw_message": refused.raw_message,
            "error_key": refused.error_key,
        }
    made: dict[str, Any] = {"error_code": refused.code, "message": refused.message}
    if refused.detail is not None:
        # One recorded body has `fields`, the description `detail`: both are there.
        made |= {"detail": refused.detail, "fields": refused.detail}
    return made


def envelope(refusal: Refusal, switches: Switches) -> dict[str, Any]:
    """Return the body of what the portal itself refuses at an address of this API: addresses, methods, failures."""
    code = _CODES.get(refusal.status, {401: "unauthorized", 403: "forbidden"}.get(refusal.status, "bad_request"))
    made = body(Refused(refusal.status, code, "Not found." if refusal.status == 404 else str(refusal)), switches)
    return made | ({"trace_id": uuid4().hex} if refusal.status == 500 else {})
