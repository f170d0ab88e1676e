"""JSON documents are read the same however their bytes come, and places are those of the file."""

from __future__ import annotations

import io
import json

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.sources.documents import features, json_records
from ods_provider.sources.jsontext import listed


class Slow(io.BytesIO):
    """Gives a few bytes at a time, whatever is asked for."""

    step = 1

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(self.step, size) if size and size > 0 else size)


def bad(what: str) -> OdsConfigError:
    return OdsConfigError(what)


DOCUMENT = {
    "before": {"rows": [1, 2], "text": 'a "quoted" ] } \\ word', "more": [True, None, -1.5e3, {}]},
    "found": {"x": "é", "rows": [{"a": n, "b": "ü]"} for n in range(5)], "y": [[]]},
    "behind": ["\u00e9", {"deep": [[[{}]]]}],
}


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
def test_it_does_not_depend_on_the_pieces(step: int, ascii_only: bool, indent: int | None) -> None:
    file = Slow(json.dumps(DOCUMENT, ensure_ascii=ascii_only, indent=indent).encode())
    file.step = step
    assert list(listed(file, ["found", "rows"], bad=bad)) == DOCUMENT["found"]["rows"]  # type: ignore[index]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_places_are_told_in_bytes_of_the_file(step: int) -> None:
    text = '[{"a": "é"},\n {"a": "ü"}]\n  [1]'
    file = Slow(text.encode())
    file.step = step
    with pytest.raises(OdsConfigError, match=f"line 3, byte {len(text.encode()) - 2}:"):
        list(listed(file, [], bad=bad))


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_document_that_is_cut_is_refused_wherever(cut: int) -> None:
    whole = json.dumps({"n": 12, "t": "x\\y", "rows": [{"a": 1}, {"a": [2]}], "m": {"k": [0]}}).encode()
    with pytest.raises(OdsConfigError):
        list(listed(io.BytesIO(whole[:cut]), ["rows"], bad=bad))


def test_a_byte_order_mark_and_space_are_no_text() -> None:
    assert list(json_records(io.BytesIO(b'\xef\xbb\xbf [{"a": 1}] \n'), bad=bad)) == [{"a": 1}]
    assert list(json_records(io.BytesIO(b'\xef\xbb\xbf{"a": 1} \n'), bad=bad)) == [{"a": 1}]
    assert list(json_records(io.BytesIO(b"[]"), bad=bad)) == []


def test_features_are_told_from_a_text_that_reads_so() -> None:
    found = b'{"name": "features", "crs": {"features": []}, "features": [{"properties": {"a": 1}, "geometry": null}]}'
    assert list(features(io.BytesIO(found), bad=bad)) == [{"a": 1, "geo_shape": None}]
