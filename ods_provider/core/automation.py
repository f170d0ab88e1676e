"""What the Automation API calls things where it refuses: which permission a call takes, and what its errors mean.

Two envelopes of errors are in use (``error_code`` and ``detail`` or ``fields``; ``error_key`` and ``raw_params``), and
the texts of both differ from portal to portal: what an error is goes by its code alone.

Source: Automation API v1.0, errors; the permissions of its ancestor, whose calls are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ods_provider.core.faces import setting

ROOT = "/api/automation/v1.0"
BUSY_CODES = frozenset(
    {"invalid_dataset_status", "InvalidDatasetStatusPreconditionException", "invalid_harvester_status"}
)
_STATUS_OF = {
    "unauthorized": 401,
    "forbidden": 403,
    "ForbiddenAccess": 403,
    "not_found": 404,
    "UnknownUsernameException": 404,
    "internal_error": 500,
    "10001": 429,
    "10002": 429,
    "10005": 429,
}
_SHOWN_FIELDS = 5
# The first that fits; of a dataset, a rule on it may give what the key lacks for the others.
_NEEDS = (
    (re.compile(r"/datasets/"), "POST", "create_dataset"),
    (re.compile(r"/datasets/[^/]+/copy/"), "POST", "create_dataset"),
    (re.compile(r"/datasets/"), "GET", "edit_dataset or create_dataset"),
    (
        re.compile(r"/datasets/[^/]+/(?:publish|publish_metadata|unpublish|abort|status)/"),
        "",
        "edit_dataset and publish_dataset",
    ),
    (re.compile(r"/datasets/[^/]+/security/.*"), "", "edit_dataset and manage_dataset"),
    (re.compile(r"/datasets/.*"), "", "edit_dataset"),
    (re.compile(r"/harvesters/.*"), "", "create_dataset, edit_dataset and publish_dataset"),
    (re.compile(r"/(?:users|groups)/.*"), "", "edit_domain"),
    (re.compile(r"/(?:extractors|processors|metadata|medias)/.*"), "", "create_dataset or edit_dataset"),
)
_BY_RULE = frozenset({"edit_dataset", "edit_dataset and publish_dataset", "edit_dataset and manage_dataset"})


def is_automation(path: str) -> bool:
    """Return whether a path is one of this API."""
    return path.startswith(f"{ROOT}/")


def needed(method: str, path: str) -> str | None:
    """Return what a call takes, as the portal says it: ``edit_dataset and publish_dataset``; None if not known."""
    below = path.removeprefix(ROOT)
    for pattern, only, permissions in _NEEDS:
        if only in ("", method) and pattern.fullmatch(below):
            return permissions
    return None


def status_of(details: Mapping[str, Any], code: str | None) -> int:
    """Return the HTTP status that an error has, or should have had: one may come with 200."""
    told = details.get("status_code")
    if isinstance(told, int) and 400 <= told < 600:
        return told
    return _STATUS_OF.get(str(code), 400)


def rights_advice(method: str, path: str, status: int) -> str:
    """Return what to do where the portal does not let this key make the call."""
    permissions = needed(method, path)
    what = f"a key with {permissions}" if permissions else "a key that may do this"
    if status == 401:
        return (
            f"The portal does not accept the credentials, or wants some: this call takes {what} ({setting('api_key')})"
        )
    rule = ", or a rule on the dataset that gives its user as much" if permissions in _BY_RULE else ""
    return f"This call takes {what}{rule}; a key never exceeds the rights of its user ({setting('api_key')})"


_BUSY = "Wait until what runs has ended, and order it then"
# Of a call that only looks: nothing that it sent can be wrong.
CONFLICT = "The portal is at something else there: look again later; if it persists, ask its operator"


def advice(method: str, status: int, code: str | None) -> str:
    """Return what to do about a call that the portal refuses.

    Args:
        method: Its method: a call that only looks orders nothing, and sends nothing that could be corrected.
        status: Of the answer.
        code: Which the answer names, None where it names none.
    """
    looks = method in ("GET", "HEAD")
    if code in BUSY_CODES:
        return "Wait until what runs has ended, and look then" if looks else _BUSY
    if status == 409:
        return CONFLICT if looks else "Something that is there stands against it: look at that first, or wait for it"
    if looks:
        return "Correct the names in the call: they are those of the portal's own configuration"
    if status == 413:
        return "The file is larger than the portal takes: split it, compress it, or have the portal fetch it by http"
    return "Correct what was sent; names and values are those of the portal's own configuration"


def missing_advice() -> str:
    """Return what to do where the portal knows nothing of that name."""
    return "Check the uid or id; what the key may not edit answers the same, and so does what was deleted"


def of_fields(details: Mapping[str, Any]) -> str:
    """Return what an error says of single fields, ``""`` when it says nothing: ``title: This field is required``."""
    told = details.get("detail") or details.get("fields") or details.get("errors")
    if isinstance(told, Mapping):
        said = [f"{name}: {_joined(texts)}" for name, texts in list(told.items())[:_SHOWN_FIELDS]]
        return "; ".join(said) + ("; …" if len(told) > _SHOWN_FIELDS else "")
    return _joined(told) if told else ""


def _joined(texts: Any) -> str:
    if isinstance(texts, (list, tuple)):
        return ", ".join(str(text) for text in texts[:_SHOWN_FIELDS])
    return str(texts)


def is_busy(error: BaseException) -> bool:
    """Return whether an order was refused because the dataset or harvester is at something else."""
    return getattr(error, "code", None) in BUSY_CODES
