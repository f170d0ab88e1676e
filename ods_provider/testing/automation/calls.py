"""A call as the handlers see it, and what every call passes: rights, the dataset it is about, its body, its page.

Source: Automation API v1.0, ground rules (slashes, pages, errors).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ods_provider.testing.access import Access
from ods_provider.testing.automation import rights
from ods_provider.testing.automation.multipart import Form, received
from ods_provider.testing.automation.refusal import ROOT, body
from ods_provider.testing.backoffice.draft import Draft
from ods_provider.testing.backoffice.office import BackOffice
from ods_provider.testing.backoffice.status import READY
from ods_provider.testing.backoffice.trouble import Refused, bad_request, invalid, wrong_status
from ods_provider.testing.writing import json_response


@dataclass
class Call:
    """One call.

    Attributes:
        draft: The dataset that the address names.
        given: The body, an empty object where there is none.
        form: The body of an upload.
    """

    request: Request
    office: BackOffice
    permissions: frozenset[str]
    user: str
    _draft: Draft | None = None
    given: Any = field(default_factory=dict)
    form: Form = field(default_factory=Form)

    @property
    def draft(self) -> Draft:
        """The dataset that the address names."""
        assert self._draft is not None
        return self._draft

    def named(self, part: str) -> str:
        """Return a part of the address."""
        return str(self.request.path_params[part])

    def asked(self, name: str) -> str | None:
        """Return a parameter of the query."""
        return self.request.query_params.get(name)

    def object(self) -> dict[str, Any]:
        """Return the body, which must be an object.

        Raises:
            Refused: 400.
        """
        if not isinstance(self.given, dict):
            raise bad_request("The body must be an object")
        return self.given

    def touched(self) -> None:
        """Remember that the dataset's configuration changed."""
        self.office.drafts.touch(self.draft, by=self.user)


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Entry:
    """One line of a handler's table.

    Attributes:
        method: GET, POST, PUT or DELETE.
        path: Below the root, with its slash.
        right: What it takes; see ``rights``.
        handler: Returns an object (200), an object and a status, or None (204).
        upload: Whether the body is a file.
        changes: Whether it is refused where busy datasets may not be changed.
    """

    method: str
    path: str
    right: str
    handler: Handler
    upload: bool = False
    changes: bool = True


class Calls:
    """Makes routes of tables.

    Args:
        office: The back office.
        access: Whose keys open it.
    """

    def __init__(self, office: BackOffice, access: Access) -> None:
        self._office = office
        self._access = access

    def routes(self, entries: Iterable[Entry]) -> list[Route]:
        """Return the routes, each with a slash at its end and without."""
        by_path: dict[str, list[Entry]] = {}
        for entry in entries:
            by_path.setdefault(entry.path, []).append(entry)
        made = []
        for path, several in by_path.items():
            answer = self._answering({entry.method: entry for entry in several})
            methods = [entry.method for entry in several]
            made += [Route(ROOT + spelled, answer, methods=methods) for spelled in (path, path.rstrip("/"))]
        return made

    def _answering(self, entries: dict[str, Entry]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if self._office.switches.slash == "redirect" and not request.url.path.endswith("/"):
                return RedirectResponse(str(request.url.replace(path=request.url.path + "/")), 301)
            entry = entries["GET" if request.method == "HEAD" else request.method]
            try:
                call = await self._call(request, entry)
                made = await run_in_threadpool(self._handled, entry, call)
            except Refused as refused:
                return json_response(body(refused, self._office.switches), refused.status)
            if isinstance(made, Response):
                return made
            if made is None:
                return Response(status_code=204)
            shown, status = made if isinstance(made, tuple) else (made, 200)
            return json_response(shown, status)

        return answer

    async def _call(self, request: Request, entry: Entry) -> Call:
        if not self._access.has_key(request):
            raise Refused(401, "unauthorized", "Authentication credentials were not provided.")
        call = Call(request, self._office, self._access.permissions(request), self._access.user(request))
        # Before the body is read: who may not do it need not send it.
        await run_in_threadpool(self._permit, entry, call)
        if entry.upload:
            call.form = await _uploaded(request, self._office)
        elif entry.method in ("POST", "PUT"):
            call.given = await _given(request)
        return call

    def _permit(self, entry: Entry, call: Call) -> None:
        with self._office.lock:
            self._office.advance()
            if "dataset_uid" in call.request.path_params:
                call._draft = self._office.drafts.find(call.named("dataset_uid"))  # noqa: SLF001  our own
            right = entry.right
            if right == "status":
                right = "read" if self._office.switches.status_to_editors else "publish"
            if not rights.may(right, call.permissions, call.user, call._draft):  # noqa: SLF001  our own
                raise Refused(403, "forbidden", "You don't have permission to perform this action.")
            busy = call._draft is not None and self._office.publications.busy(call.draft)  # noqa: SLF001  our own
            changes = entry.method != "GET" and entry.right in ("write", "security") and entry.changes
            if busy and changes and self._office.switches.refuse_busy_edits:
                raise wrong_status(call.draft.status.status, READY)

    def _handled(self, entry: Entry, call: Call) -> Any:
        with self._office.lock:
            return entry.handler(call)


async def _uploaded(request: Request, office: BackOffice) -> Form:
    try:
        return await received(
            request.stream(),
            request.headers.get("content-type", ""),
            office.uploads.path(),
            most_bytes=office.switches.most_file_bytes,
        )
    except ClientDisconnect:
        raise bad_request("The upload broke off") from None


async def _given(request: Request) -> Any:
    raw = await request.body()
    if not raw:
        return {}
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            text = raw.decode()
            # JSON that says it is a form is still read: so portals do, as far as was seen.
            return (
                {name: values[-1] for name, values in parse_qs(text).items()}
                if text[:1] not in "{["
                else json.loads(text)
            )
        except ValueError:
            raise bad_request("The body is no form") from None
    try:
        return json.loads(raw)
    except ValueError as error:
        raise bad_request(f"The body is not valid JSON: {error}") from None


def page(call: Call, found: list[Any], shown: Callable[[Any], Any]) -> dict[str, Any]:
    """Return one page of a list, with the address of the next.

    Args:
        call: With ``limit`` (0 counts only) and ``offset``.
        found: The whole list.
        shown: Makes the object of an item.

    Raises:
        Refused: 400, for a number that is none, or too large where the portal says so.
    """
    switches = call.office.switches
    limit, offset = _number(call, "limit", switches.default_page), _number(call, "offset", 0)
    if limit > switches.most_page:
        if switches.page_above_most == "refuse":
            raise invalid({"limit": [f"Ensure this value is less than or equal to {switches.most_page}"]})
        limit = switches.most_page
    items = [shown(item) for item in found[offset : offset + limit]]
    if switches.unknown_keys:
        items = [item | {"new_in_this_portal": {"of": 2}} for item in items]

    def at(start: int) -> str:
        url = call.request.url
        query = {**call.request.query_params, "limit": str(limit), "offset": str(start)}
        netloc = switches.next_elsewhere or url.netloc
        return f"{url.scheme}://{netloc}{url.path}?{urlencode(query)}"

    more = limit > 0 and offset + limit < len(found)
    return {
        "total_count": str(len(found)) if switches.total_count_as_text else len(found),
        "next": at(offset + limit) if more else None,
        "previous": at(max(offset - limit, 0)) if limit and offset else None,
        "results": items,
    }


def _number(call: Call, name: str, default: int) -> int:
    value = call.asked(name)
    if value is None:
        return default
    if not value.isdigit():
        raise invalid({name: ["A whole number is required"]})
    return int(value)
