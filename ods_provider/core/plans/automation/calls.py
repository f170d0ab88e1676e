"""One call of the Automation API: its address, its body with credentials sealed, its answer with them masked.

Every address ends in a slash: without it some portals redirect, and a redirect turns a POST into a GET.

Source: Automation API v1.0, ground rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from ods_provider.core.automation import ROOT
from ods_provider.core.errors import OdsNotAPortal
from ods_provider.core.faces import setting
from ods_provider.core.plans.rewriting import rewritten
from ods_provider.core.redact import Secret, masked, sealed
from ods_provider.core.segments import segment
from ods_provider.core.wire import Params, Plan, Request, Response

T = TypeVar("T")
Object = dict[str, Any]


def path(*parts: str) -> str:
    """Return the path of an endpoint, its parts percent-encoded.

    Raises:
        OdsConfigError: A part is empty, or leads elsewhere.
    """
    return f"{ROOT}/" + "".join(f"{segment(part)}/" for part in parts)


def call(
    method: Literal["GET", "POST", "PUT", "DELETE"],
    *parts: str,
    params: Params = (),
    json: Any = None,
    once: bool = False,
) -> Request:
    """Return one call.

    Args:
        method: HTTP method.
        parts: Of its address below the root.
        params: Of its query.
        json: Its body; credentials in it are sealed here.
        once: Whether a second sending may do its work twice.
    """
    return Request(path(*parts), params, method=method, json=sealed(json), once=once)


def answered(request: Request) -> Plan[Any]:
    """Send a call and return its JSON, credentials masked; None where it says nothing."""
    return masked((yield from answered_sealed(request)))


def answered_sealed(request: Request) -> Plan[Any]:
    """Send a call and return its JSON, credentials as ``Secret``: for what sends them back."""
    response = yield request
    return told(response)


def told(response: Response) -> Any:
    """Return the JSON of an answer, credentials sealed at once; None where there is none.

    Raises:
        OdsNotAPortal: It is no JSON.
    """
    if not response.body.strip():
        return None
    try:
        return sealed(response.json())
    except ValueError as error:
        raise not_shaped(response.url, response.status, response.quoted(str(error))[:100]) from None


def as_object(value: Any, *keys: str, what: str) -> Object:
    """Return an answer that must be an object with these keys.

    Raises:
        OdsNotAPortal: It is none.
    """
    if not isinstance(value, dict) or any(key not in value for key in keys):
        raise not_shaped(what, 200, f"{', '.join(keys)} expected" if keys else "an object is expected")
    return value


def as_objects(value: Any, *, what: str) -> list[Object]:
    """Return what must be a list of objects.

    Raises:
        OdsNotAPortal: It is none.
    """
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise not_shaped(what, 200, "a list of objects is expected")
    return value


def not_shaped(where: str, status: int, why: str) -> OdsNotAPortal:
    """Return the error of an answer that is not what this API answers."""
    return OdsNotAPortal(
        f"The answer is not shaped like the Automation API's ({why})",
        status=status,
        where=where,
        advice=f"Check {setting('host')}; the API is an option of the portal's plan",
    )


def get(*parts: str, what: str, params: Params = ()) -> Plan[Object]:
    """Ask for one object. One call."""
    return as_object((yield from answered(call("GET", *parts, params=params))), what=what)


def put(*parts: str, json: Any, what: str) -> Plan[Object]:
    """Put values in place of others: doing it twice does it once. One call."""
    json = sealed(json)  # before this frame waits for an answer
    return as_object((yield from answered(call("PUT", *parts, json=json))), what=what)


def later(seconds: float, plan: Plan[T]) -> Plan[T]:
    """Run a plan whose first call waits so long before it is sent."""
    left = [seconds]

    def change(request: Request) -> Request:
        return replace(request, after_s=request.after_s + left.pop()) if left else request

    return rewritten(plan, change)


def alike(found: Any, sent: Any) -> bool:
    """Return whether something that a portal tells is what was sent: what of it is told again is equal.

    What was sent as null, and credentials, which portals do not show, prove nothing.
    """
    if sent is None or isinstance(sent, Secret):
        return True
    if isinstance(sent, Mapping):
        return isinstance(found, Mapping) and all(
            alike(found[key], value) for key, value in sent.items() if key in found
        )
    if isinstance(sent, (list, tuple)):
        return isinstance(found, list) and len(found) == len(sent) and all(map(alike, found, sent))
    return bool(found == sent)


def of_kind(found: Object, sent: Object) -> bool:
    """Return whether something is of the type that was sent: as much as portals surely tell again as it was."""
    return "type" not in sent or found.get("type") == sent["type"]
