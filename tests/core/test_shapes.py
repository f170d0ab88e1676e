"""Records come out of the envelopes that portals hand them out in."""

from __future__ import annotations

from typing import Any

import pytest

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.schema import Dataset, Field
from ods_provider.core.shapes import Names, opened

ROWS: list[dict[str, Any]] = [{"a": 1}, {"a": 2}]


def _dataset(**fields: str) -> Dataset:
    return Dataset("d", fields=tuple(Field(name, kind) for name, kind in fields.items()))


def _opened(*records: Any, **fields: str) -> list[Any]:
    return list(opened(records, lambda: _dataset(**fields) if fields else None, where="test"))


def _v1(fields: dict[str, Any]) -> dict[str, Any]:
    return {"datasetid": "d", "recordid": "r", "fields": fields, "record_timestamp": "2026-01-01"}


@pytest.mark.parametrize(
    "envelope",
    [
        [{"total_count": 2, "results": ROWS}],
        [{"nhits": 2, "parameters": {}, "records": [_v1(row) for row in ROWS]}],
        [_v1(row) for row in ROWS],
        [{"total_count": 2, "links": [], "records": [{"links": [], "record": {"id": "r", "fields": r}} for r in ROWS]}],
        [{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": r} for r in ROWS]}],
        [{"type": "Feature", "geometry": None, "properties": row} for row in ROWS],
        ROWS,
    ],
)
def test_the_records_alone_come_out(envelope: list[Any]) -> None:
    assert _opened(*envelope) == ROWS


def test_a_page_of_several_is_refused() -> None:
    with pytest.raises(OdsConfigError, match=r"holds 2 of 1,398 records.*export"):
        _opened({"total_count": 1398, "results": ROWS})
    with pytest.raises(OdsConfigError, match="holds 2 of 3 records"):
        _opened({"nhits": 3, "records": [_v1(row) for row in ROWS]})


def test_a_geometry_goes_into_the_field_that_can_hold_it_or_is_refused() -> None:
    point = {"type": "Point", "coordinates": [2.5, 48.5]}
    feature = {"type": "Feature", "geometry": point, "properties": {"a": 1}}
    assert _opened(feature, a="int", shape="geo_shape", place="geo_point_2d") == [{"shape": point, "a": 1}]
    assert _opened(feature, a="int", place="geo_point_2d") == [{"place": {"lon": 2.5, "lat": 48.5}, "a": 1}]
    for fields in ({}, {"a": "int"}, {"s": "geo_shape", "t": "geo_shape"}):
        with pytest.raises(OdsConfigError, match="no field of its own"):
            _opened(feature, **fields)


def test_records_of_a_dataset_that_has_such_fields_are_no_envelopes() -> None:
    record = _v1({"x": 1})
    assert _opened(record, datasetid="text", recordid="text", fields="json_blob", record_timestamp="datetime") == [
        record
    ]


def test_a_record_of_another_shape_than_the_first_is_numbered() -> None:
    with pytest.raises(OdsConfigError, match="record 1 is of another shape"):
        _opened(_v1({"a": 1}), {"a": 2})


def test_what_is_no_record_is_left_for_those_who_number_it() -> None:
    assert _opened(5, "x") == [5, "x"]


def test_a_schema_is_asked_for_by_envelopes_only() -> None:
    def never() -> Dataset:
        raise AssertionError

    assert list(opened(ROWS, never, where="test")) == ROWS


def test_names_that_the_schema_does_not_know_are_named_with_those_it_does() -> None:
    names = Names("test")
    assert list(names.watching([{"a": 1}, {"a": 1, "valeu": 2}])) == [{"a": 1}, {"a": 1, "valeu": 2}]
    with pytest.raises(OdsConfigError, match=r"record 1 names 'valeu'.*Its fields are 'a', 'value'"):
        names.expect_known(_dataset(a="int", value="double"))
    names.expect_known(None)
    names.expect_known(Dataset("d"))
    names.expect_known(_dataset(a="int", valeu="int"))
