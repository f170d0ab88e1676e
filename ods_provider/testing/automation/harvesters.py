"""Harvesters over the wire.

Source: Automation API v1.0, harvesters.
"""

from __future__ import annotations

from typing import Any

from ods_provider.testing.automation.calls import Call, Entry, page
from ods_provider.testing.backoffice.harvester import Harvester
from ods_provider.testing.backoffice.trouble import invalid

ALL = "/harvesters/"
ONE = f"{ALL}{{harvester_uid}}/"
OK = {"detail": "ok"}


def table() -> list[Entry]:
    """Return the calls."""
    return [
        Entry("GET", ALL, "harvest", _list),
        Entry("POST", ALL, "harvest", lambda call: (_shown(call, call.office.harvesters.create(call.object())), 201)),
        Entry("GET", ONE, "harvest", lambda call: _shown(call, _found(call))),
        Entry("PUT", ONE, "harvest", _update),
        Entry("DELETE", ONE, "harvest", _delete),
        Entry("POST", f"{ONE}start/", "harvest", _start),
        Entry("POST", f"{ONE}abort/", "harvest", _abort),
        Entry("POST", f"{ONE}publish/", "harvest", lambda call: _order(call, "publish")),
        Entry("POST", f"{ONE}unpublish/", "harvest", lambda call: _order(call, "unpublish")),
        Entry("GET", f"{ONE}errors/", "harvest", lambda call: _found(call).told_errors()),
        Entry("GET", f"{ONE}preview/", "harvest", _preview),
        Entry("GET", f"{ONE}datasets/", "harvest", _datasets),
    ]


def _found(call: Call) -> Harvester:
    return call.office.harvesters.find(call.named("harvester_uid"))


def _shown(call: Call, harvester: Harvester) -> dict[str, Any]:
    return harvester.as_json(call.office.harvesters.datasets(harvester))


def _list(call: Call) -> Any:
    return page(call, call.office.harvesters.all(), lambda one: _shown(call, one))


def _update(call: Call) -> Any:
    found, given = _found(call), call.object()
    found.name = str(given.get("name") or found.name)
    found.settings |= {key: value for key, value in given.items() if key not in ("name", "type", "uid")}
    return _shown(call, found)


def _delete(call: Call) -> None:
    told = call.asked("delete_attached_datasets") or call.object().get("delete_attached_datasets")
    if told is None:
        raise invalid({"delete_attached_datasets": ["This field is required"]})
    call.office.harvesters.delete(_found(call), with_datasets=str(told).lower() in ("true", "1"))


def _start(call: Call) -> Any:
    found = _found(call)
    call.office.harvesters.start(found)
    return _shown(call, found)


def _abort(call: Call) -> Any:
    call.office.harvesters.abort(_found(call))
    return OK


def _order(call: Call, order: str) -> Any:
    call.office.harvesters.start(_found(call), order=order)
    return OK


def _preview(call: Call) -> Any:
    remotes = _found(call).remotes
    return {"results": [{"uid": one.dataset_id, "metadata": one.metadata} for one in remotes[:20]]}


def _datasets(call: Call) -> Any:
    standard = call.office.switches.template
    return page(call, call.office.harvesters.datasets(_found(call)), lambda draft: draft.as_json(standard))
