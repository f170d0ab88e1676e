"""Portals that mean harm, or are broken in ways that look like it: each is an error of ours, and says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from replay import Play, answer, replay, sent

from ods_provider.client import OdsClient
from ods_provider.core.errors import OdsConfigError, OdsError, OdsNotAPortal, OdsNotFound, OdsQueryError
from ods_provider.core.formats.registry import format_named
from ods_provider.core.query import Query
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.media import MediaJob

BRACKET = "https://[::1"


def body(value: Any, *headers: str) -> Play:
    return answer(json.dumps(value).encode(), "200 OK", *headers)


@pytest.mark.parametrize(
    "url", [BRACKET, "https://[", "http://[::1]:99999/x", "https://a b/", "https://\x00/", "//[::1/"]
)
def test_an_address_that_is_none_is_an_error_of_ours_wherever_it_stands(url: str, tmp_path: Path) -> None:
    with pytest.raises(OdsConfigError):
        OdsClient(url)
    with replay(*[answer(b"", "404 No")] * 3) as server, OdsClient(server.url, max_retries=0) as client:
        with pytest.raises(OdsError):
            list(client.file("d", url))
        listed = body({"attachments": [{"href": url, "metas": {"id": "x"}}]})
    with replay(listed, *[answer(b"", "404 No")] * 3) as server, pytest.raises(OdsError):
        Lab(server.url, tmp_path, max_retries=0).run(MediaJob("d", str(tmp_path / "out"), kind="attachments"))


@pytest.mark.parametrize("kind", ["attachments", "files"])
@pytest.mark.parametrize("url", ["/f/\ud83d", "/f?x=\ud83d"])
def test_half_a_character_in_the_address_of_a_file_is_sent_as_it_is(url: str, kind: Any, tmp_path: Path) -> None:
    described = body({"dataset_id": "d", "fields": [{"name": "p", "type": "file"}], "metas": {}})
    listed = {
        "attachments": {"attachments": [{"href": url, "metas": {"id": "x"}}]},
        "files": {"total_count": 1, "results": [{"_id": "r", "p": {"url": url}}]},
    }[kind]
    file = answer(b"content", "200 OK", "Content-Type: text/plain")
    with replay(described, body(listed), file, *[described] * 3) as server:
        assert Lab(server.url, tmp_path).done(MediaJob("d", str(tmp_path / "out"), kind=kind))["files"] == 1
        assert "GET /f" in server.lines[2]


@pytest.mark.parametrize("host", ["https://a..b.invalid", f"https://{'a' * 64}.invalid", "http://.invalid"])
def test_a_host_name_that_none_can_be_is_final(host: str) -> None:
    with OdsClient(host, max_retries=0) as client, pytest.raises(OdsConfigError, match="not a valid URL"):
        client.count("d")


@pytest.mark.parametrize("location", [BRACKET, "https://[", "https://" + "a" * 20_000, "https://:80:80/"])
def test_a_redirect_to_nowhere_names_it(location: str) -> None:
    moved = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    with replay(sent(moved, keep=True)) as server, OdsClient(server.url, max_retries=0) as client:
        with pytest.raises(OdsNotAPortal) as caught:
            list(client.file("d", "/f"))
        assert len(str(caught.value)) < 1000


def test_the_proxy_of_the_environment_may_be_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://[::1")
    monkeypatch.setenv("http_proxy", "http://[::1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with OdsClient("http://portal.invalid", max_retries=0) as client, pytest.raises(OdsError):
        client.count("d")


@pytest.mark.parametrize(
    "formats", [answer(b"", "429 Too Many", "Retry-After: 36000"), answer(b"", "503 Busy", "Retry-After: 36000")]
)
def test_a_bad_query_stays_the_news_when_the_list_of_formats_is_refused(formats: Play, tmp_path: Path) -> None:
    refusal = answer(
        json.dumps({"error_code": "ODSQLError", "message": "Unknown field: x"}).encode(), "400 Bad Request"
    )
    script = [
        body({"dataset_id": "d", "fields": [], "metas": {"default": {"records_count": 1}}}),
        body({"total_count": 1, "results": []}),
        refusal,
        formats,
    ]
    job = DownloadJob("d", str(tmp_path / "x.csv"), format_named("csv"), Query())
    with replay(*script) as server, pytest.raises(OdsQueryError, match="Unknown field"):
        Lab(server.url, tmp_path, max_retries=0).run(job)


@pytest.mark.parametrize(
    "nhits", ['"many"', "1e400", "NaN", "null", "{}", "[" * 5000 + "]" * 5000, "-1e400", "1" + "0" * 5000]
)
def test_a_count_that_is_none_is_an_error_of_ours_in_a_job_too(nhits: str, tmp_path: Path) -> None:
    from ods_provider.core.plans.v1.params import V1Query
    from ods_provider.jobs.v1 import V1SearchJob

    page = answer(f'{{"nhits": {nhits}, "records": [], "datasets": []}}'.encode())
    with replay(page, page) as server, pytest.raises(OdsError):
        Lab(server.url, tmp_path, max_retries=0).run(V1SearchJob("d", V1Query.of()))


@pytest.mark.parametrize(
    "center", [{"lon": "x", "lat": 1}, {"coordinates": [[[]]]}, {"coordinates": [1]}, ["a", "b"], 7]
)
def test_a_cluster_without_a_centre_is_an_error_of_ours(center: Any) -> None:
    from ods_provider.core.clusters import cluster_rows

    with pytest.raises(OdsNotAPortal, match="no centre"):
        cluster_rows([{"ods_cluster": center, "cluster_center": center}], where="d")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_that_would_lead_to_another_endpoint_is_refused_before_it_is_asked_for(name: str) -> None:
    with replay() as server, OdsClient(server.url, max_retries=0, push_api_key="k") as client:
        calls: list[Callable[[], Any]] = [
            lambda: client.dataset(name),
            lambda: list(client.records(name)),
            lambda: client.record("d", name),
            lambda: client.v1.dataset(name),
            lambda: client.v1.record("d", name),
            lambda: client.push("d", name, [{"a": 1}]),
            lambda: client.push(name, "r", [{"a": 1}]),
            lambda: client.delete("d", "r", record_id=name),
        ]
        for call in calls:
            with pytest.raises(OdsConfigError):
                call()
        assert not server.lines


@pytest.mark.parametrize("api", ["explore", "v1"])
def test_a_catalogue_that_is_not_there_is_no_matter_of_an_id(api: str) -> None:
    missing = answer(b'{"error_code": "NotFoundResource", "message": "no"}', "404 Not Found")
    with replay(missing) as server, OdsClient(server.url, max_retries=0) as client:
        with pytest.raises(OdsNotFound, match="Check the host") as caught:
            _ = client.v1.search_datasets() if api == "v1" else list(client.datasets())
        assert "Check the id" not in str(caught.value)


def test_a_format_is_named_by_a_text() -> None:
    links = b'{"links": [{"rel": "self"}, {"rel": {"x": 1}}, {}, {"rel": null}, {"rel": "csv"}]}'
    with replay(answer(links)) as server, OdsClient(server.url) as client:
        assert client.export_formats("d") == ["csv"]
