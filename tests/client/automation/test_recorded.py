"""The client beside bodies of real portals and of the vendor's description: what they mean, and what it sends.

Each body is answered over a socket; each request that scripts were seen to send is made by the client's own methods and
compared key by key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import replay as play
from recording import content, index
from replay import Replay, replay

from ods_provider import OdsClient
from ods_provider.client.automation import AutomationClient
from ods_provider.core.errors import OdsError, OdsNotFound, OdsQueryError, OdsServerError

Ask = Callable[[AutomationClient], Any]
NOTHING = {"total_count": 0, "next": None, "previous": None, "results": []}


@pytest.fixture(autouse=True)
def _there() -> None:
    index()


@contextmanager
def answering(*answers: Any) -> Iterator[tuple[AutomationClient, Replay]]:
    plays = [each if callable(each) else play.answer(json.dumps(each).encode()) for each in answers]
    with replay(*plays) as server, OdsClient(server.url, api_key="s3cr3t-0ne", max_retries=0) as client:
        yield client.automation, server
    assert not server.script, "fewer calls came than there were answers"


def status_of(name: str) -> str:
    return f"{index()[name]['status']} Said"


# Answers

DEFAULT = "automation-metadata-default-remote.json"
STATUS = "automation-mgmt2-status-{}.json"


def page(*items: Any) -> dict[str, Any]:
    return NOTHING | {"total_count": len(items), "results": list(items)}


MEANS: dict[str, tuple[Ask, Callable[[Any], Any], Any]] = {
    # file: what is asked, how it is wrapped to be an answer, what it must mean
    "automation-action-ok.json": (lambda a: a.datasets.abort("da_1"), lambda body: body, None),
    "automation-dataset-uid-lookup-bs.json": (
        lambda a: a.datasets.get("100522")["uid"],
        lambda body: body,
        "da_tbcnel",
    ),
    "automation-extractor-parameters.json": (
        lambda a: [each["name"] for each in a.resources.guess_extractors("da_1", "re_1")[0]["parameters"]],
        lambda body: [body],
        ["extract_filename", "json_root", "json_object"],
    ),
    "automation-field-configuration.json": (
        lambda a: a.fields.list("da_1")[0]["args"],
        page,
        [","],
    ),
    "automation-harvester-errors.json": (
        lambda a: a.harvesters.errors("h")["resources"],
        lambda body: body,
        {"remote_resource_id": "Could not harvest the dataset."},
    ),
    "automation-metadata-all-bs.json": (
        lambda a: a.metadata.get("da_1", "default.license_id"),
        lambda body: body,
        {"value": "5sylls5"},
    ),
    DEFAULT: (
        lambda a: a.metadata.get("da_1", "default.language"),
        lambda body: {"asset": body},
        {"value": "en", "remote_value": "en", "override_remote_value": False},
    ),
    "automation-metadata-internal-remote.json": (
        lambda a: a.metadata.get("da_1", "default.theme_id")["value"],
        lambda body: {"internal": body},
        ["38js5ao"],
    ),
    "automation-metadata-asset-content-configuration.json": (
        lambda a: a.metadata.template("da_1", "asset_content_configuration")["records_search_boosts"]["value"],
        lambda body: {"asset_content_configuration": body},
        {"title": 10, "tags": 0, "description": 2},
    ),
    "automation-metadata-custom.json": (
        lambda a: a.metadata.get("da_1", "custom.field-name-2")["override_remote_value"],
        lambda body: {"custom": body},
        True,
    ),
    "automation-metadata-value-remote.json": (
        lambda a: a.metadata.get("da_1", "default.title")["remote_value"],
        lambda body: {"default": {"title": body}},
        "Metadata value on the remote dataset, if there is one",
    ),
    "automation-processor-string-replace.json": (
        lambda a: a.processors.get("da_1", "pr_qf2hyt")["old"],
        lambda body: body,
        "old_value",
    ),
    "automation-mgmt2-processor-expression.json": (
        # The ancestor's spelling survives as it is.
        lambda a: a.processors.list("da_1")[0]["args"]["output_field"],
        page,
        "result",
    ),
    "automation-resource-federated-201.json": (
        lambda a: a.resources.get("da_1", "re_qf2hyt")["datasource"]["parameters"],
        lambda body: body,
        {"refine.year": 2022},
    ),
    "automation-resource-uploaded-file-201.json": (
        lambda a: a.resources.list("da_1")[0]["datasource"]["file"],
        page,
        {"uid": "fromages.csv"},
    ),
    "doc-automation-resource.json": (
        # Headers of a source may hold a key.
        lambda a: a.resources.get("da_1", "re_qf2hyt")["datasource"]["headers"],
        lambda body: body,
        [{"name": "header-name", "value": "***"}],
    ),
    "automation-resource-preview.json": (
        lambda a: [each["ste_name"] for each in a.resources.preview("da_1", "re_1")["records"]],
        lambda body: body,
        ["Missouri", "North Carolina"],
    ),
    "automation-resource-guess-extractor-params.json": (
        lambda a: a.resources.guess_params("da_1", "re_1")["params"]["separator"],
        lambda body: body,
        ";",
    ),
    "automation-mgmt2-guess-extractor-params.json": (
        lambda a: a.resources.guess_params("da_1", "re_1")["extractor"],
        lambda body: body,
        "csvfile",
    ),
    "automation-status-idle-bs.json": (
        lambda a: _status(a.datasets.status("da_1")),
        lambda body: body,
        ("idle", "2026-02-06T15:13:13Z", True, "processing", None, 0),
    ),
    STATUS.format("idle-records-errors"): (
        lambda a: _status(a.datasets.status("da_1")),
        lambda body: body,
        ("idle", "2015-04-15T15:13:04+00:00", True, None, None, 1),
    ),
    STATUS.format("error"): (
        lambda a: _status(a.datasets.status("da_1")),
        lambda body: body,
        (
            "error",
            "2015-04-15T15:13:04+00:00",
            True,
            None,
            "Processor pr_XXXXXX is misconfigured for field address: invalid type",
            0,
        ),
    ),
    STATUS.format("limit-reached"): (
        lambda a: _status(a.datasets.status("da_1")),
        lambda body: body,
        ("limit_reached", "2015-04-15T15:13:04+00:00", True, None, None, 0),
    ),
    "automation-mgmt2-harvesters-list.json": (
        lambda a: (a.harvesters.list()[0]["harvester_id"], a.harvesters._office is not None),
        lambda body: body,
        ("my-harvester", True),
    ),
    "automation-mgmt2-user-ruleset.json": (
        lambda a: a.security.users.list("da_1")[0]["visible_fields"],
        page,
        ["field1", "field2"],
    ),
}


def _status(status: Any) -> tuple[Any, ...]:
    errors = len(status.records_errors)
    return status.status, status.since, status.is_published, status.previous, status.message, errors


@pytest.mark.parametrize("name", MEANS)
def test_an_answer_means_what_it_says(name: str) -> None:
    ask, wrapped, meaning = MEANS[name]
    with answering(wrapped(content(name))) as (automation, _):
        assert ask(automation) == meaning


def test_a_page_says_how_much_there_is_and_where_it_goes_on() -> None:
    first = content("automation-datasets-page-bs.json")
    following = first["results"][0] | {"uid": "da_second"}
    # It is recorded from another host; here it is this portal that goes on.
    here = first | {"total_count": 2, "next": first["next"].partition("data.bs.ch")[2]}
    last = NOTHING | {"total_count": 2, "results": [following]}
    with answering(here, last) as (automation, server):
        assert [each["uid"] for each in automation.datasets.list()] == ["da_tbcnel", "da_second"]
    assert server.lines[1].split()[1].endswith("?limit=250&offset=1")
    with answering(first) as (automation, _), pytest.raises(OdsError, match="address of another host"):
        automation.datasets.list()


def test_an_uploaded_file_is_what_the_answer_calls_it(tmp_path: Any) -> None:
    path = tmp_path / "Fromages.csv"
    path.write_bytes(b"a;b\n")
    with answering(content("automation-file-upload-201.json")) as (automation, server):
        assert automation.resources.upload("da_1", path)["uid"] == "fromages.csv"
    assert (server.header("content-type") or "").startswith("multipart/form-data; boundary=")
    assert b'; name="file"; filename="Fromages.csv"\r\nContent-Type: text/csv\r\n\r\na;b\n\r\n--' in server.requests[0]


# file: what is asked, the error's class, its code, and what its message says
REFUSED: dict[str, tuple[Ask, type[OdsError], str, str]] = {
    "automation-not-found-404.json": (lambda a: a.datasets.versions("x"), OdsNotFound, "not_found", "Not found"),
    "automation-not-found-404-bs.json": (
        lambda a: a.datasets.versions("x"),
        OdsNotFound,
        "not_found",
        "Dataset not found",
    ),
    "automation-validation-fields-400-bs.json": (
        lambda a: a.datasets.update("x", is_restricted=1),
        OdsQueryError,
        "validation_error",
        "Invalid field value (title: This field is required)",
    ),
    "doc-automation-validation-400.json": (
        lambda a: a.datasets.update("x", is_restricted=1),
        OdsQueryError,
        "validation_error",
        "Invalid input (name: This field is required)",
    ),
    "doc-automation-invalid-status-400.json": (
        lambda a: a.datasets.abort("x"),
        OdsQueryError,
        "invalid_dataset_status",
        "dataset status is 'idle'",
    ),
    "automation-harvester-invalid-status-400.json": (
        lambda a: a.harvesters.abort("x"),
        OdsQueryError,
        "invalid_harvester_status",
        "Invalid transition from processing to processing",
    ),
    "automation-mgmt2-create-strict-400.json": (
        lambda a: a.datasets.update("x", is_restricted=1),
        OdsQueryError,
        "ODSException",
        "Dataset identifier (dataset_id) is mandatory",
    ),
    "automation-mgmt2-unknown-username-404.json": (
        lambda a: a.users.get("toto"),
        OdsNotFound,
        "UnknownUsernameException",
        "Unknown username: toto",
    ),
    "automation-mgmt2-apikey-update-400.json": (
        lambda a: a.keys.list(),
        OdsQueryError,
        "PermissionsOrLabelMissingFromAPIKeyUpdateException",
        "must be provided",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_error_is_read_in_either_envelope(name: str) -> None:
    ask, kind, code, said = REFUSED[name]
    refused = play.answer(json.dumps(content(name)).encode(), status_of(name))
    found = page({"uid": "y", "dataset_id": "x"})
    about_people = name.startswith(("automation-harvester", "automation-mgmt2-unknown", "automation-mgmt2-apikey"))
    # A list that is refused is asked for once more, without a size.
    again = [refused] if "apikey" in name else []
    with (
        answering(*([] if about_people else [found]), refused, *again) as (automation, _),
        pytest.raises(kind) as caught,
    ):
        ask(automation)
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["automation-publish-queued-400-bs.json"])
def test_a_publication_that_is_refused_as_busy_is_ordered_later(name: str) -> None:
    idle, ok = content("automation-status-idle-bs.json"), content("automation-action-ok.json")
    busy = play.answer(json.dumps(content(name)).encode(), status_of(name))
    slept: list[float] = []
    with (
        replay(
            *[
                play.answer(json.dumps(each).encode()) if isinstance(each, dict) else each
                for each in (idle, busy, idle, ok)
            ]
        ) as server,
        OdsClient(server.url, api_key="s3cr3t-0ne", sleep=slept.append) as client,
    ):
        publication = client.automation.datasets.publish("da_tbcnel")
    assert slept == [2.0]
    assert (publication.before, publication.before_since) == ("idle", "2026-02-06T15:13:13Z")
    assert [line.split()[0] for line in server.lines] == ["GET", "POST", "GET", "POST"]


@pytest.mark.parametrize("name", ["Bad Request", "Internal error"])
def test_the_vendors_own_errors_are_read(name: str) -> None:
    told = content("doc-automation-errors.json")[name]
    code, kind = ("400 Bad", OdsQueryError) if name == "Bad Request" else ("500 Oh", OdsServerError)
    with answering(play.answer(json.dumps(told).encode(), code)) as (automation, _), pytest.raises(kind) as caught:
        automation.harvesters.errors("h")
    assert caught.value.code == told["error_code"]


# Requests

CREATE = "automation-create-dataset-{}.json"
RESOURCE = "automation-resource-{}-request{}.json"


def created(body: Any) -> Ask:
    told = {key: value for key, value in body.items() if key != "metadata"}
    return lambda a: a.datasets.create(body["metadata"], **told)


def resource(body: Any) -> Ask:
    return lambda a: a.resources.create("da_1", body)


REQUESTS: dict[str, tuple[Callable[[Any], Ask], str]] = {
    **{
        CREATE.format(which): (created, "/datasets/")
        for which in ("request-bs", "minimal-request-bs", "template-request-tg")
    },
    **{
        RESOURCE.format(which, whose): (resource, "/datasets/da_1/resources/")
        for which, whose in (
            ("http", ""),
            ("http-basicauth", ""),
            ("http-reusable-connection", ""),
            ("http-geojson", "-bs"),
            ("uploaded-file", ""),
            ("uploaded-file", "-bercy"),
            ("federated", ""),
        )
    },
    "automation-processor-string-replace-request.json": (
        lambda body: lambda a: a.processors.add("da_1", body),
        "/datasets/da_1/processors/",
    ),
    "automation-join-processor-request.json": (
        lambda body: lambda a: a.processors.add("da_1", body),
        "/datasets/da_1/processors/",
    ),
}


def sent(server: Replay) -> tuple[str, Any]:
    """The path below the root, and the body of the last request."""
    assert server.header("content-type") == "application/json"
    body = json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])
    method, path, _ = server.lines[-1].split()
    assert method == "POST"
    return path.removeprefix("/api/automation/v1.0"), body


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_the_one_that_portals_are_sent(name: str) -> None:
    made, path = REQUESTS[name]
    body = content(name)
    with answering(NOTHING, {"uid": "xx_1"} | body) as (automation, server):
        made(body)(automation)
    # What is not given is left out; scripts send it as null.
    assert sent(server) == (path, {key: value for key, value in body.items() if value is not None})


FIELDS = ("automation-field-configurations-requests.json", "automation-field-processors-request-bs.json")


@pytest.mark.parametrize("name", FIELDS)
def test_field_configurations_are_sent_one_by_one(name: str) -> None:
    bodies = content(name)
    for body in bodies.values() if isinstance(bodies, dict) else bodies:
        listed = [NOTHING, NOTHING] if body["type"] == "order" else [NOTHING]
        with answering(*listed, {"uid": "pr_1"} | body) as (automation, server):
            assert automation.fields.add("da_1", body) == {"uid": "pr_1"} | body
        assert sent(server) == ("/datasets/da_1/fields/", body)


# Of neighbours of this API, and of what the client does not offer.
ELSEWHERE = {
    "automation-feedback.json",  # feedbacks
    "automation-users-export-csv.json",  # users as a file
    "automation-apikey-create-request-tg.json",  # keys are only read
    "automation-explore-include-app-metas-bercy.json",  # Explore's: tests of the catalogue read it
    "automation-mgmt2-change-object.json",  # the ancestor's history
    "automation-mgmt2-create-empty-201.json",  # the ancestor's dataset, which has no uid under that name
    "automation-mgmt2-file-object.json",  # the ancestor's file
}


def test_every_recorded_body_is_among_these() -> None:
    known = {*MEANS, *REFUSED, *REQUESTS, *FIELDS, *ELSEWHERE}
    known |= {
        "automation-datasets-page-bs.json",
        "automation-file-upload-201.json",
        "automation-publish-queued-400-bs.json",
        "doc-automation-errors.json",
    }
    recorded = {name for name in index() if name.startswith(("automation-", "doc-automation-"))}
    assert recorded == known
