"""A portal as a dlt source, run by dlt's own runner into DuckDB."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from pyiceberg.table import StaticTable

from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.dlt import portal as source
from ods_provider.testing.portal import LocalPortal as Portal

FIELDS: dict[str, Any] = {
    "id": {"type": "int", "annotations": {"id": True}},
    "name": {"type": "text", "label": "Name", "description": "As its people say it"},
    "at": "datetime",
    "place": "geo_point_2d",
    "tags": {"type": "text", "annotations": {"multivalued": ","}},
}


def row(at: int, name: str, day: float) -> dict[str, Any]:
    hour = int(day % 1 * 24)
    moment = f"2026-03-{int(day):02}T{hour:02}:00:00+00:00"
    return {"id": at, "name": name, "at": moment, "place": [50.5, 3.7], "tags": ["a", "b"]}


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.chdir(tmp_path)
    return dlt.pipeline(
        "cities",
        pipelines_dir=str(tmp_path / "pipelines"),
        destination=dlt.destinations.duckdb(str(tmp_path / "x.duckdb")),
        dataset_name="city",
    )


def selected(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(tmp_path / "x.duckdb")) as link:
        return link.execute(sql).fetchall()


def test_a_dataset_becomes_a_table_with_the_portal_s_types_and_words(
    ods_portal: Portal, pipeline: Any, tmp_path: Path
) -> None:
    ods_portal.add_dataset("mine", FIELDS, [row(1, "Ghent", 1), row(2, "Ulm", 2)])
    pipeline.run(source(ods_portal.url, datasets=["mine"]), loader_file_format="parquet")
    found = selected(
        tmp_path, "SELECT id, name, epoch_us(mine.at), place_lon, place_lat, tags FROM city.mine ORDER BY id"
    )
    assert found[0] == (1, "Ghent", 1772323200000000, 3.7, 50.5, '["a","b"]')
    assert len(found) == 2
    columns = pipeline.default_schema.tables["mine"]["columns"]
    assert columns["name"]["description"] == "Name: As its people say it"
    assert columns["at"]["data_type"] == "timestamp"
    assert columns["tags"]["data_type"] == "json"


def test_a_dataset_becomes_an_iceberg_table_by_dlt_s_own_destination(
    ods_portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.chdir(tmp_path)
    ods_portal.add_dataset("mine", FIELDS, [row(1, "Ghent", 1), row(2, "Où ça", 2)])
    lake = dlt.destinations.filesystem(str(tmp_path / "lake"))
    pipeline = dlt.pipeline("c", pipelines_dir=str(tmp_path / "p"), destination=lake, dataset_name="city")
    # pyiceberg warns that there was nothing to delete.
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        pipeline.run(source(ods_portal.url, datasets=["mine"]), table_format="iceberg")
    newest = max((tmp_path / "lake" / "city" / "mine" / "metadata").glob("*.metadata.json"))
    found = StaticTable.from_metadata(str(newest)).scan().to_arrow().sort_by("id").to_pylist()
    assert [(each["id"], each["name"], each["at"].isoformat()) for each in found] == [
        (1, "Ghent", "2026-03-01T00:00:00+00:00"),
        (2, "Où ça", "2026-03-02T00:00:00+00:00"),
    ]


def test_making_a_source_asks_the_portal_for_nothing(ods_portal: Portal) -> None:
    made = source(ods_portal.url, datasets={"a": None, "b": {"table": "other"}})
    assert set(made.resources) == {"a", "other"}
    assert set(made.with_resources("a").selected_resources) == {"a"}
    assert source.clone(name="second")(ods_portal.url, datasets=["a"]).name == "second"
    assert ods_portal.requests == []


def test_a_dataset_without_rows_becomes_an_empty_typed_table(ods_portal: Portal, pipeline: Any, tmp_path: Path) -> None:
    ods_portal.add_dataset("empty", FIELDS)
    pipeline.run(source(ods_portal.url, datasets="empty"))
    assert selected(tmp_path, "SELECT COUNT(*) FROM city.empty") == [(0,)]
    assert ("at", "TIMESTAMP WITH TIME ZONE") in selected(
        tmp_path, "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'empty'"
    )


@pytest.mark.parametrize("lag_s", [None, 86_400])
def test_only_what_is_new_is_asked_for_and_corrections_ties_and_late_rows_arrive_once(
    ods_portal: Portal, pipeline: Any, tmp_path: Path, lag_s: float | None
) -> None:
    asked = {"mine": {"cursor": "at", "lag_s": lag_s}}
    ods_portal.add_dataset("mine", FIELDS, [row(1, "Ghent", 1), row(2, "Ulm", 2), row(3, "Linz", 3)])
    pipeline.run(source(ods_portal.url, datasets=asked))
    ods_portal.add_dataset(
        "mine",
        FIELDS,
        [
            row(1, "changed long ago, unseen", 1),
            row(2, "Ulm", 2),
            row(3, "corrected at the boundary", 3),
            row(4, "a tie", 3),
            row(5, "late", 2.5),
            row(6, "new", 4),
        ],
    )
    before = len(ods_portal.requests)
    pipeline.run(source(ods_portal.url, datasets=asked))
    found = dict(selected(tmp_path, "SELECT id, name FROM city.mine"))
    late = {5: "late"} if lag_s else {}
    assert found == {
        1: "Ghent", 2: "Ulm", 3: "corrected at the boundary", 4: "a tie", 6: "new", **late,
    }  # fmt: skip
    exports = [each for each in ods_portal.requests[before:] if "/exports/" in each.path]
    assert exports
    assert all("where=" in each.query for each in exports)


def test_a_merge_without_a_key_and_one_whose_key_repeats_are_refused_before_the_table_changes(
    ods_portal: Portal, pipeline: Any, tmp_path: Path
) -> None:
    ods_portal.add_dataset("bare", {"n": "int", "at": "datetime"}, [{"n": 1, "at": "2026-03-01T00:00:00Z"}])
    with pytest.raises(Exception, match="a merge needs fields that tell rows apart"):
        pipeline.run(source(ods_portal.url, datasets={"bare": {"cursor": "at"}}))
    ods_portal.add_dataset("mine", FIELDS, [row(1, "Ghent", 1)])
    # Of rows that are alike in fields annotated as id, a portal keeps one: it is another key that can repeat.
    merged = {"mine": {"write_disposition": "merge", "primary_key": "name"}}
    pipeline.run(source(ods_portal.url, datasets=merged))
    ods_portal.add_dataset("mine", FIELDS, [row(1, "one", 1), row(2, "one", 2)])
    with pytest.raises(Exception, match="does not tell rows apart"):
        pipeline.run(source(ods_portal.url, datasets=merged))
    assert selected(tmp_path, "SELECT id, name FROM city.mine") == [(1, "Ghent")]


def test_rows_that_are_not_whole_are_never_handed_over(ods_portal: Portal, pipeline: Any, tmp_path: Path) -> None:
    ods_portal.add_dataset("mine", FIELDS, [row(1, "Ghent", 1)])
    pipeline.run(source(ods_portal.url, datasets=["mine"]))
    settings = {"max_retries": 0}
    ods_portal.fault("cut", path="/exports/", times=50, after_bytes=100)
    with pytest.raises(Exception) as caught:
        pipeline.run(source(ods_portal.url, datasets=["mine"], settings=settings))
    causes, error = [], caught.value
    while error is not None:
        causes.append(error)
        error = error.__cause__  # type: ignore[assignment]
    assert any(isinstance(each, OdsError) for each in causes)
    assert selected(tmp_path, "SELECT id FROM city.mine") == [(1,)]


def test_url_and_key_come_from_dlt_s_configuration(
    ods_portal: Portal, pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__OPENDATASOFT__URL", ods_portal.url)
    monkeypatch.setenv("SOURCES__OPENDATASOFT__API_KEY", ods_portal.api_key)
    ods_portal.add_dataset("mine", FIELDS, [row(1, "Ghent", 1)])
    pipeline.run(source(datasets=["mine"]))
    assert selected(tmp_path, "SELECT id FROM city.mine") == [(1,)]


def test_dlt_s_contract_freezes_the_columns(ods_portal: Portal, pipeline: Any, tmp_path: Path) -> None:
    ods_portal.add_dataset("mine", FIELDS, [row(1, "Ghent", 1)])
    pipeline.run(source(ods_portal.url, datasets=["mine"]))
    ods_portal.add_dataset("mine", {**FIELDS, "new": "int"}, [{**row(2, "Ulm", 1), "new": 5}])
    with pytest.raises(Exception, match="frozen"):
        pipeline.run(source(ods_portal.url, datasets=["mine"]), schema_contract={"columns": "freeze"})
    assert selected(tmp_path, "SELECT id FROM city.mine") == [(1,)]


def test_a_word_that_is_not_known_is_an_error_at_once() -> None:
    with pytest.raises(OdsConfigError, match="'curser'"):
        source("https://portal.example", datasets={"mine": {"curser": "at"}})
