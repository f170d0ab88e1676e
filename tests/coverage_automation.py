"""What the Automation API offers, and where it is reachable: a row for each endpoint, with a call that uses it.

Each says what it is held against besides the local portal: ``spec``, the vendor's description; ``recorded body``, one
that a portal or a script was seen to send; ``our reading``, where neither says enough.

Source: Automation API v1.0.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import fsspec
from coverage_rows import CAPITALS, READINGS, Row

from ods_provider import OdsClient

API = "Automation API v1.0"
ROOT = "/api/automation/v1.0"
SPEC, RECORDED, OURS = "spec", "recorded body", "our reading"
FILE = "memory://coverage/trees.csv"
GARDENS = "town-gardens"
Do = Callable[[Any], Any]


def _new(automation: Any) -> str:
    return automation.datasets.create({"default": {"title": {"value": "Covered"}}}, dataset_id="covered")["uid"]


def _path() -> str:
    fsspec.filesystem("memory").pipe("/coverage/trees.csv", b"name;n\nElm;1\n")
    return FILE


def _upload(automation: Any) -> dict[str, Any]:
    return automation.resources.upload(CAPITALS, _path())


def _resource(automation: Any) -> str:
    source = {"type": "uploaded_file", "file": {"uid": _upload(automation)["uid"]}}
    given = {"type": "csvfile", "title": "trees", "params": {"separator": ";"}, "datasource": source}
    return automation.resources.create(CAPITALS, given)["uid"]


def _switched(client: OdsClient, do: Do, **switches: Any) -> Any:
    asked = urllib.request.Request(
        f"{client.connection.base_url}/_control/automation/switches", json.dumps(switches).encode(), method="POST"
    )
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200
    return do(client.automation)


def _row(endpoint: str, client: str, beside: str, do: Do) -> Row:
    method, _, path = endpoint.partition(" ")
    return Row(API, f"{method} {ROOT}{path}", "", f"automation.{client}()", "", lambda c: do(c.automation), beside)


def _datasets() -> Iterator[Row]:
    one = "/datasets/{uid}/"
    yield _row("GET /datasets/", "datasets.list", f"{SPEC}, {RECORDED}", lambda a: a.datasets.list())
    yield Row(
        API,
        f"GET {ROOT}/datasets/",
        "dataset_id",
        "automation.datasets.find()",
        "",
        lambda c: c.automation.datasets.find(CAPITALS),
        f"{SPEC}, {RECORDED}",
    )
    for name in ("limit", "offset"):
        yield Row(
            API,
            f"GET {ROOT}/datasets/",
            name,
            "automation.datasets.list()",
            "",
            lambda c: _switched(c, lambda a: a.datasets.list(), most_page=3),
            f"{SPEC}, {RECORDED}",
        )
    yield _row("POST /datasets/", "datasets.create", f"{SPEC}, {RECORDED}", _new)
    yield _row(f"GET {one}", "datasets.get", SPEC, lambda a: a.datasets.get(a.datasets.get(CAPITALS)["uid"]))
    yield _row(f"PUT {one}", "datasets.update", SPEC, lambda a: a.datasets.update(CAPITALS, is_restricted=True))
    yield _row(f"DELETE {one}", "datasets.delete", SPEC, lambda a: a.datasets.delete(CAPITALS))
    yield _row(
        f"POST {one}copy/", "datasets.copy", f"{SPEC}; the copy's id: {OURS}", lambda a: a.datasets.copy(CAPITALS)
    )
    yield _row(f"GET {one}status/", "datasets.status", f"{SPEC}, {RECORDED}", lambda a: a.datasets.status(CAPITALS))
    for order in ("publish", "publish_metadata", "unpublish"):
        yield _row(
            f"POST {one}{order}/",
            f"datasets.{order}",
            f"{SPEC}, {RECORDED}" if order == "publish" else SPEC,
            lambda a, o=order: getattr(a.datasets, o)(CAPITALS),
        )
    yield Row(
        API,
        f"POST {ROOT}{one}abort/",
        "",
        "automation.datasets.abort()",
        "",
        lambda c: _switched(c, _aborted, processing_s=None),
        SPEC,
    )
    yield _row(f"GET {one}versions/", "datasets.versions", SPEC, lambda a: a.datasets.versions(CAPITALS))
    yield _row(f"POST {one}versions/{{uid}}/restore/", "datasets.restore", f"{SPEC}; its status: {OURS}", _restored)


def _aborted(automation: Any) -> None:
    automation.datasets.publish(CAPITALS)
    automation.datasets.status(CAPITALS)
    automation.datasets.abort(CAPITALS)


def _restored(automation: Any) -> Any:
    for _ in range(2):
        automation.datasets.wait(automation.datasets.publish(CAPITALS))
    return automation.datasets.restore(CAPITALS, automation.datasets.versions(CAPITALS)[-1]["uid"])


def _metadata() -> Iterator[Row]:
    whole = "/datasets/{uid}/metadata/"
    title = {"title": {"value": "Covered"}}
    yield _row(f"GET {whole}", "metadata.all", f"{SPEC}, {RECORDED}", lambda a: a.metadata.all(CAPITALS))
    yield _row(f"PUT {whole}", "metadata.replace", SPEC, lambda a: a.metadata.replace(CAPITALS, {"default": title}))
    yield _row(
        f"PUT {whole}{{template}}/",
        "metadata.replace",
        SPEC,
        lambda a: a.metadata.replace(CAPITALS, title, template="default"),
    )
    yield _row(
        f"PUT {whole}{{template}}/{{field}}/",
        "metadata.set",
        f"{SPEC}; a harvested value without a flag: {OURS}",
        lambda a: a.metadata.set(CAPITALS, {"default.title": "Covered"}),
    )
    yield _row(
        f"DELETE {whole}{{template}}/{{field}}/",
        "metadata.delete",
        SPEC,
        lambda a: a.metadata.delete(CAPITALS, "default.title"),
    )
    yield _row("GET /metadata/templates/", "metadata.templates", SPEC, lambda a: a.metadata.templates())
    fields = "/metadata/templates/{template}/fields/"
    yield _row(
        f"GET {fields}",
        "metadata.fields",
        f"{SPEC}; what a value becomes by its field's type: {OURS}",
        lambda a: a.metadata.fields("default"),
    )
    yield _row(
        f"GET {fields}{{field}}/suggest/",
        "metadata.suggest",
        f"{SPEC}; its shape: {OURS}",
        lambda a: a.metadata.suggest("internal.license_id", "CC"),
    )


def _resources() -> Iterator[Row]:
    every = "/datasets/{uid}/resources/"
    one = f"{every}{{uid}}/"
    yield _row(f"POST {every}files/", "resources.upload", f"{SPEC}, {RECORDED}", _upload)
    yield _row(
        f"GET {every}files/{{uid}}/",
        "resources.uploaded",
        SPEC,
        lambda a: a.resources.uploaded(CAPITALS, _upload(a)["uid"]),
    )
    yield _row(
        f"GET {every}files/{{uid}}/download/",
        "resources.download",
        SPEC,
        lambda a: b"".join(a.resources.download(CAPITALS, _upload(a)["uid"])),
    )
    yield _row(f"GET {every}", "resources.list", SPEC, lambda a: a.resources.list(CAPITALS))
    yield _row(f"POST {every}", "resources.create", f"{SPEC}, {RECORDED}", _resource)
    yield _row(f"GET {one}", "resources.get", SPEC, lambda a: a.resources.get(CAPITALS, _resource(a)))
    yield _row(
        f"PUT {one}",
        "resources.update",
        f"{SPEC}; credentials sent as null stay: {OURS}",
        lambda a: a.resources.update(CAPITALS, _resource(a), title="oaks"),
    )
    yield _row(f"DELETE {one}", "resources.delete", SPEC, lambda a: a.resources.delete(CAPITALS, _resource(a)))
    yield _row(f"GET {one}preview/", "resources.preview", SPEC, lambda a: a.resources.preview(CAPITALS, _resource(a)))
    yield _row(
        f"GET {one}guess_extractors/",
        "resources.guess_extractors",
        SPEC,
        lambda a: a.resources.guess_extractors(CAPITALS, _resource(a)),
    )
    yield _row(
        f"GET {one}guess_extractors_params/",
        "resources.guess_params",
        SPEC,
        lambda a: a.resources.guess_params(CAPITALS, _resource(a)),
    )
    for method, path in (
        ("preview", "preview"),
        ("guess_extractors", "guess_extractors"),
        ("guess_params", "guess_extractor_params"),
    ):
        yield _row(f"POST {every}{path}/", f"resources.{method}", SPEC, lambda a, m=method: _of_a_draft(a, m))
    yield _row(f"POST {one}clean_cache/", "resources.clean_cache", SPEC, lambda a: _on(a, "clean_cache"))
    yield _row("GET /extractors/", "resources.extractors", SPEC, lambda a: a.resources.extractors())
    for method, path in (
        ("enable", "enable"),
        ("disable", "disable"),
        ("renew_push_key", "renew_api_key"),
        ("recover", "recover"),
        ("drop_recovered", "delete_recover_data"),
    ):
        yield _row(
            f"POST {one}{path}/",
            f"resources.{method}",
            SPEC,
            lambda a, m=method: getattr(a.resources, m)(READINGS, "realtime"),
        )
    yield _row(
        f"GET {one}",
        "resources.push_key",
        f"{OURS}: told whole, as scripts read it",
        lambda a: a.resources.push_key(READINGS, "realtime"),
    )


def _of_a_draft(automation: Any, method: str) -> Any:
    source = {"type": "uploaded_file", "file": {"uid": _upload(automation)["uid"]}}
    draft = {"type": "csvfile", "params": {"separator": ";"}, "datasource": source}
    return getattr(automation.resources, method)(CAPITALS, draft if method == "preview" else source)


def _on(automation: Any, method: str) -> Any:
    return getattr(automation.resources, method)(CAPITALS, _resource(automation))


_ENTRIES = {
    "fields": ({"type": "rename", "label": "c", "from_name": "name", "to_name": "name"}, f"{SPEC}, {RECORDED}"),
    "processors": (
        {"type": "string_replace", "field": "name", "old": "a", "new": "b"},
        f"{SPEC}, {RECORDED}; names of most: {OURS}",
    ),
    "schedules": ({"cron_schedule": "0 6 * * *"}, SPEC),
}


def _lists() -> Iterator[Row]:
    for kind, (entry, beside) in _ENTRIES.items():
        every = f"/datasets/{{uid}}/{kind}/"

        def added(a: Any, kind: str = kind, entry: Any = entry) -> tuple[Any, str]:
            return getattr(a, kind), getattr(a, kind).add(CAPITALS, entry)["uid"]

        calls: dict[str, tuple[str, Do]] = {
            f"GET {every}": ("list", lambda a, k=kind: getattr(a, k).list(CAPITALS)),
            f"POST {every}": ("add", added),
            f"GET {every}{{uid}}/": ("get", lambda a, f=added: _with(*f(a), "get")),
            f"PUT {every}{{uid}}/": ("update", lambda a, f=added, e=entry: _with(*f(a), "update", e)),
            f"DELETE {every}{{uid}}/": ("delete", lambda a, f=added: _with(*f(a), "delete")),
        }
        for endpoint, (method, do) in calls.items():
            yield _row(endpoint, f"{kind}.{method}", beside, do)
    yield _row("GET /processors/", "processors.types", SPEC, lambda a: a.processors.types())


def _with(entries: Any, uid: str, method: str, *given: Any) -> Any:
    return getattr(entries, method)(CAPITALS, uid, *given)


def _security() -> Iterator[Row]:
    for whom, name in (("users", "ann"), ("groups", "publishers")):
        every = f"/datasets/{{uid}}/security/{whom}/"

        def made(a: Any, whom: str = whom, name: str = name) -> Any:
            rules = getattr(a.security, whom)
            rules.set(CAPITALS, name, permissions=["edit_dataset"])
            return rules

        given = {"permissions": ["edit_dataset"]}
        yield _row(
            f"GET {every}", f"security.{whom}.list", SPEC, lambda a, w=whom: getattr(a.security, w).list(CAPITALS)
        )
        yield _row(f"POST {every}", f"security.{whom}.set", SPEC, made)
        yield _row(
            f"PUT {every}{{name}}/",
            f"security.{whom}.set",
            SPEC,
            lambda a, f=made, n=name, g=given: f(a).set(CAPITALS, n, **g),
        )
        yield _row(
            f"DELETE {every}{{name}}/",
            f"security.{whom}.delete",
            SPEC,
            lambda a, f=made, n=name: f(a).delete(CAPITALS, n),
        )


def _files() -> Iterator[Row]:
    for kind, more in (("attachments", {}), ("alternative_exports", {"title": "Trees"})):
        every = f"/datasets/{{uid}}/{kind}/"

        def added(a: Any, kind: str = kind, more: Any = more) -> tuple[Any, str]:
            return getattr(a, kind), getattr(a, kind).add(CAPITALS, _path(), **more)["uid"]

        calls: dict[str, tuple[str, Do]] = {
            f"GET {every}": ("list", lambda a, k=kind: getattr(a, k).list(CAPITALS)),
            f"POST {every}": ("add", added),
            f"GET {every}{{uid}}/": ("get", lambda a, f=added: _with(*f(a), "get")),
            f"GET {every}{{uid}}/download/": ("download", lambda a, f=added: b"".join(_with(*f(a), "download"))),
            f"DELETE {every}{{uid}}/": ("delete", lambda a, f=added: _with(*f(a), "delete")),
        }
        for endpoint, (method, do) in calls.items():
            yield _row(endpoint, f"{kind}.{method}", SPEC, do)
    yield _row(
        "PUT /datasets/{uid}/alternative_exports/{uid}/",
        "alternative_exports.update",
        SPEC,
        lambda a: a.alternative_exports.update(
            CAPITALS, a.alternative_exports.add(CAPITALS, _path(), title="a")["uid"], title="b"
        ),
    )
    yield _row("GET /medias/images/", "images.list", SPEC, lambda a: a.images.list())
    yield _row("POST /medias/images/", "images.add", SPEC, lambda a: a.images.add(_path(), filename="tree.png"))


def _harvesters() -> Iterator[Row]:
    one = "/harvesters/{uid}/"
    yield _row("GET /harvesters/", "harvesters.list", f"{SPEC}, {RECORDED}", lambda a: a.harvesters.list())
    yield _row(f"GET {one}", "harvesters.get", SPEC, lambda a: a.harvesters.get(GARDENS))
    yield _row(f"GET {one}errors/", "harvesters.errors", SPEC, lambda a: a.harvesters.errors(GARDENS))
    yield _row(
        f"GET {one}preview/", "harvesters.preview", f"its shape: {OURS}", lambda a: a.harvesters.preview(GARDENS)
    )
    yield _row(f"GET {one}datasets/", "harvesters.datasets", OURS, lambda a: a.harvesters.datasets(GARDENS))
    for order in ("start", "publish", "unpublish"):
        yield _row(
            f"POST {one}{order}/", f"harvesters.{order}", SPEC, lambda a, o=order: getattr(a.harvesters, o)(GARDENS)
        )
    yield Row(
        API,
        f"POST {ROOT}{one}abort/",
        "",
        "automation.harvesters.abort()",
        "",
        lambda c: _switched(c, lambda a: (a.harvesters.start(GARDENS), a.harvesters.abort(GARDENS)), queued_s=None),
        SPEC,
    )


def _people() -> Iterator[Row]:
    yield _row("GET /users/", "users.list", SPEC, lambda a: a.users.list())
    yield Row(
        API,
        f"GET {ROOT}/users/",
        "search",
        "automation.users.list()",
        "",
        lambda c: c.automation.users.list(search="a"),
        SPEC,
    )
    yield _row("GET /users/{username}/", "users.get", SPEC, lambda a: a.users.get("admin"))
    yield _row("GET /groups/", "groups.list", SPEC, lambda a: a.groups.list())
    yield _row("GET /groups/{uid}/", "groups.get", SPEC, lambda a: a.groups.get("publishers"))
    yield _row("GET /groups/{uid}/users/", "groups.users", SPEC, lambda a: a.groups.users("publishers"))
    yield _row("GET /apikeys/", "keys.list", SPEC, lambda a: a.keys.list())


AUTOMATION: tuple[Row, ...] = (
    *_datasets(),
    *_metadata(),
    *_resources(),
    *_lists(),
    *_security(),
    *_files(),
    *_harvesters(),
    *_people(),
)
