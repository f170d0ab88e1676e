"""A download whose answer ends early and looks whole: nothing but its connection marked the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import Lab
from replay import Play, answer, replay

from ods_provider.core.errors import OdsTruncated
from ods_provider.core.formats.registry import format_named
from ods_provider.core.query import Query
from ods_provider.jobs.download import DownloadJob


def _state(count: int | None, *, rows: int = 3) -> list[Play]:
    dataset = {"dataset_id": "d", "fields": [], "metas": {"default": {"records_count": rows}}}
    counted = {"total_count": count, "results": []}
    return [answer(json.dumps(body).encode()) for body in ([dataset] if count is None else [dataset, counted])]


@pytest.mark.parametrize("cut", [b"", b"a;b\r\n", b"a;b\r\n1;2\r\n", b"a;b\r\n1;2\r\n3;4\r\n5;"])
def test_an_export_that_ends_early_with_its_connection_is_fetched_again(
    make_lab: Callable[..., Lab], out: Path, cut: bytes
) -> None:
    whole = b"a;b\r\n1;2\r\n3;4\r\n5;6\r\n"
    text = "Content-Type: text/csv"
    script = [*_state(3), answer(cut, "200 OK", text, length=False), answer(whole, "200 OK", text), *_state(3)]
    with replay(*script) as server:
        job = DownloadJob("d", out / "a.csv", format_named("csv"), format_options={"delimiter": ";"})
        assert make_lab(server.url).done(job)["rows"] == 3
    assert (out / "a.csv").read_bytes() == whole


def test_an_empty_answer_is_not_said_to_be_gated(make_lab: Callable[..., Lab], out: Path) -> None:
    empty = answer(b"", "200 OK", "Content-Type: application/x-ndjson")
    with replay(*_state(3), *[empty] * 2) as server, pytest.raises(OdsTruncated) as told:
        make_lab(server.url, max_retries=1).run(DownloadJob("d", out / "a.jsonl", format_named("jsonl")))
    assert "gated" not in str(told.value)
    assert told.value.transient


def test_groups_as_csv_that_are_cut_at_the_end_of_a_row_are_fetched_again(
    make_lab: Callable[..., Lab], out: Path
) -> None:
    whole = b"a,n\r\nx,2\r\ny,4\r\nz,6\r\n"
    groups = [{"a": key, "n": number} for key, number in (("x", 2), ("y", 4), ("z", 6))]
    text = "Content-Type: text/csv"
    cut, again = answer(whole[:15], "200 OK", text, length=False), answer(whole, "200 OK", text, length=False)
    counted = answer(json.dumps(groups).encode())
    job = DownloadJob("d", out / "a.csv", format_named("csv"), Query.of(select="count(*) as n", group_by="a"))
    with replay(*_state(None), cut, counted, again, counted, *_state(None)) as server:
        assert make_lab(server.url).done(job)["rows"] == 3
    assert (out / "a.csv").read_bytes() == whole
