from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from effort import effort
from hypothesis import given, settings
from hypothesis import strategies as st
from lab import API_KEY, PUSH_KEY, Lab

from ods_provider import OdsClient
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsMismatch, OdsSinkError
from ods_provider.core.outcome import Wait
from ods_provider.jobs.arguments import sync_job
from ods_provider.jobs.context import Suspended
from ods_provider.jobs.sync import SyncJob
from ods_provider.testing.portal import LocalPortal

DATASET = "stock"
FIELDS: dict[str, Any] = {
    "id": {"type": "int", "annotations": {"id": True}},
    "name": "text",
    "value": "double",
}
EVERY: dict[str, Any] = {
    "key": {"type": "text", "annotations": {"id": True}},
    "since": {"type": "datetime", "annotations": {"id": True}},
    "name": "text",
    "tags": {"type": "text", "annotations": {"multivalued": ";"}},
    "big": "int",
    "ratio": "double",
    "day": {"type": "date", "annotations": {"timeserie_precision": "day"}},
    "month": {"type": "date", "annotations": {"timeserie_precision": "month"}},
    "year": {"type": "date", "annotations": {"timeserie_precision": "year"}},
    "at": "datetime",
    "open": "boolean",
    "place": "geo_point_2d",
    "area": "geo_shape",
    "details": "json_blob",
}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where rows lie meanwhile; a job that is done leaves nothing there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield tmp_path / "state" / "ods-provider" / "staging"


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"Zürich {number}", "value": number / 2} for number in numbers]


def stock(portal: LocalPortal, standing: list[dict[str, Any]], *, fields: dict[str, Any] = FIELDS) -> None:
    portal.add_dataset(DATASET, fields, standing, resource="live")


def sync(records: Any = None, **how: Any) -> SyncJob:
    return sync_job(dataset_id=DATASET, resource_id="live", records=records, **how)


def sent(portal: LocalPortal, action: str = "") -> list[str]:
    return [call.path for call in portal.requests if "/api/push/" in call.path and action in call.path]


def counts(result: dict[str, Any]) -> tuple[int, ...]:
    return tuple(result[name] for name in ("new", "changed", "gone", "equal", "pushed", "deleted"))


def left(state: Path) -> list[str]:
    return [str(path) for path in state.rglob("*")] if state.exists() else []


def test_only_what_differs_is_sent_and_the_dataset_is_what_the_file_is(
    lab: Lab, portal: LocalPortal, state: Path
) -> None:
    stock(portal, rows(*range(100)))
    wanted = rows(*range(5, 102))
    wanted[3]["name"] = "another"
    result = lab.done(sync(wanted))
    assert counts(result) == (2, 1, 5, 94, 3, 5)
    assert (result["rows"], result["standing"], result["confirmed"], result["batches"]) == (97, 100, 8, 2)
    assert sorted(portal.rows(DATASET), key=lambda row: row["id"]) == wanted
    assert result["samples"] == {
        "new": [{"id": 100}, {"id": 101}],
        "changed": [{"key": {"id": 8}, "fields": {"name": ["Zürich 8", "another"]}}],
        "gone": [{"id": 0}, {"id": 1}, {"id": 2}],
    }
    assert left(state) == []
    before = len(sent(portal))
    again = lab.done(sync(wanted))
    assert counts(again) == (0, 0, 0, 97, 0, 0)
    assert again["unchanged"]
    assert len(sent(portal)) == before


def test_a_dry_run_tells_the_plan_and_sends_nothing(lab: Lab, portal: LocalPortal, state: Path) -> None:
    stock(portal, rows(*range(20)))
    result = lab.done(sync(rows(*range(1, 22)), dry_run="true"))
    assert counts(result) == (2, 0, 1, 19, 0, 0)
    assert result["dry_run"] and result["confirmed"] is None
    assert sent(portal) == [] and left(state) == []


def test_what_the_file_lacks_stays_where_it_is_wanted_to(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, rows(*range(20)))
    result = lab.done(sync(rows(5, 50), delete_missing=False))
    assert counts(result) == (1, 0, 19, 1, 1, 0)
    assert len(portal.rows(DATASET)) == 21


@pytest.mark.parametrize(
    ("keeps", "most", "said"),
    [(50, "10%", "max_delete lets 10% go"), (96, 3, "max_delete lets 3 go"), (0, "99%", "the source holds no record")],
)
def test_a_source_that_was_cut_stops_before_anything_is_sent(
    lab: Lab, portal: LocalPortal, state: Path, keeps: int, most: Any, said: str
) -> None:
    stock(portal, rows(*range(100)))
    cut = [row | {"name": "changed"} for row in rows(*range(keeps))]
    with pytest.raises(OdsIncomplete, match=said):
        lab.done(sync(cut, max_delete=most))
    assert sent(portal) == []
    assert portal.rows(DATASET) == rows(*range(100))
    assert left(state) == []


@pytest.mark.at_length
def test_as_many_rows_go_as_are_allowed_to(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, rows(*range(100)))
    assert lab.done(sync(rows(*range(90)), max_delete="10%"))["deleted"] == 10
    assert lab.done(sync(rows(*range(85)), max_delete="5"))["deleted"] == 5
    assert lab.done(sync([], max_delete="100%"))["deleted"] == 85
    assert portal.rows(DATASET) == []


def test_a_dataset_that_is_empty_is_filled(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, [])
    assert counts(lab.done(sync(rows(*range(300))))) == (300, 0, 0, 0, 300, 0)
    assert sorted(portal.rows(DATASET), key=lambda row: row["id"]) == rows(*range(300))


@pytest.mark.at_length
def test_every_row_is_looked_at_when_all_is_done(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, rows(*range(1_000)))
    result = lab.done(sync([row | {"value": 1.5} for row in rows(*range(950))]))
    assert result["confirmed"] == result["pushed"] + result["deleted"] == 949 + 50  # one had that value


# What the file says, in the spellings that files have


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "json", "geojson"])
def test_a_file_of_any_kind_equals_what_was_pushed_from_another(
    lab: Lab, portal: LocalPortal, out: Path, ending: str
) -> None:
    wanted = [
        {"id": n, "name": None if n == 3 else f"ü;{n}", "value": n / 3, "at": f"2026-01-0{n + 1}T08:00:00+00:00"}
        for n in range(5)
    ]
    stock(portal, wanted, fields=FIELDS | {"at": "datetime"})
    path = out / f"rows.{ending}"
    if ending == "csv":
        lines = [f'{row["id"]},"{row["name"] or ""}",{row["value"]},{row["at"]}' for row in wanted]
        path.write_text("\n".join(["id,name,value,at", *lines]))
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in wanted))
    elif ending == "json":
        path.write_text(json.dumps({"total_count": 5, "results": wanted}))
    elif ending == "geojson":
        features = [{"type": "Feature", "properties": row, "geometry": None} for row in wanted]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    else:
        table = pa.Table.from_pylist([row | {"at": datetime.fromisoformat(row["at"])} for row in wanted])
        pq.write_table(table, path)
    result = lab.done(sync(path=path))
    assert counts(result) == (0, 0, 0, 5, 0, 0)
    assert result["path"] is None  # nothing was written


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
degrees = st.floats(-90, 90, allow_nan=False).map(lambda number: round(number, 9))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
ring = [[0, 0], [1.5, 0], [1.5, 1], [0, 0.0]]
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.floats(-1e6, 1e6) | texts,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(texts, inside, max_size=3),
    max_leaves=6,
)
whole = st.fixed_dictionaries(
    {
        "key": texts.filter(lambda text: text != ""),
        "since": moments.map(lambda moment: moment.replace(microsecond=0)),
        "name": st.none() | texts,
        "tags": st.none()
        | st.lists(texts.filter(lambda text: text.strip() and ";" not in text), min_size=1, max_size=3),
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "ratio": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "day": st.none() | st.dates(date(1000, 1, 1)),
        "month": st.none() | st.dates(date(1000, 1, 1)).map(lambda day: day.replace(day=1)),
        "year": st.none() | st.dates(date(1000, 1, 1)).map(lambda day: day.replace(day=1, month=1)),
        "at": st.none() | moments,
        "open": st.none() | st.booleans(),
        "place": st.none() | st.fixed_dictionaries({"lon": degrees, "lat": degrees}),
        "area": st.none() | st.just({"type": "Polygon", "coordinates": [ring]}),
        "details": st.none() | st.dictionaries(texts, plain_json, max_size=3),
    }
)


def _spelled(name: str, value: Any, draw: Callable[[Any], Any]) -> Any:
    """One of the spellings that files have for a value."""
    if value is None:
        return draw(st.sampled_from([None, ""]))
    if name == "tags":
        return draw(st.sampled_from([value, ";".join(value), tuple(value)]))
    if name == "big":
        return draw(st.sampled_from([value, str(value), Decimal(value), f" {value} "]))
    if name == "ratio":
        return draw(st.sampled_from([value, repr(value)] + [int(value)] * (value % 1 == 0 and abs(value) < 2**53)))
    if name in ("day", "month", "year"):
        short = value.isoformat()[: {"day": 10, "month": 7, "year": 4}[name]]
        return draw(st.sampled_from([value, value.isoformat(), f"{value.isoformat()}T00:00:00Z", short]))
    if name in ("since", "at"):
        zone = timezone(timedelta(minutes=draw(st.integers(-720, 720))))
        naive = value.replace(tzinfo=None)
        return draw(
            st.sampled_from(
                [value, naive, value.astimezone(zone), value.astimezone(zone).isoformat(), naive.isoformat(" ")]
            )
        )
    if name == "open":
        return draw(st.sampled_from([value, str(value), str(value).lower(), int(value), str(int(value))]))
    if name == "place":
        lon, lat = value["lon"], value["lat"]
        shape = {"type": "Point", "coordinates": [lon, lat]}
        return draw(st.sampled_from([value, [lat, lon], f"{lat!r},{lon!r}", f"{lat!r}, {lon!r}", shape]))
    if name == "area":
        feature = {"type": "Feature", "properties": {}, "geometry": value}
        return draw(st.sampled_from([value, json.dumps(value), feature, json.dumps(feature)]))
    if name == "details":
        return draw(st.sampled_from([value, json.dumps(value), dict(reversed(value.items()))]))
    return value


@settings(max_examples=effort(4, at_length=30), deadline=None)
@given(data=st.data())
def test_what_was_pushed_and_read_back_never_looks_changed(few_rows: LocalPortal, data: st.DataObject) -> None:
    meant = data.draw(st.lists(whole, min_size=1, max_size=4, unique_by=lambda row: (row["key"], row["since"])))
    few_rows.reset()  # each example has the quota of a day
    few_rows.add_dataset(DATASET, EVERY, [], resource="live")
    lab = _lab(few_rows)

    def spelled() -> list[dict[str, Any]]:
        return [{name: _spelled(name, value, data.draw) for name, value in row.items()} for row in meant]

    first = lab.done(sync(spelled()), name="first")
    assert counts(first) == (len(meant), 0, 0, 0, len(meant), 0)
    # The same rows, each value in any spelling.
    again = lab.done(sync(spelled(), dry_run=True), name="again")
    assert counts(again) == (0, 0, 0, len(meant), 0, 0), again["samples"]
    # And one value that is another one is found.
    row = data.draw(st.sampled_from(meant))
    number = meant.index(row)
    changed = spelled()
    changed[number] = changed[number] | {"big": (row["big"] or 0) // 2 + 1 if row["big"] != 1 else 5}
    assert counts(lab.done(sync(changed, dry_run=True), name="changed"))[:4] == (0, 1, 0, len(meant) - 1)


def _lab(portal: LocalPortal) -> Lab:
    # The state of the test's own folder; progress beside it.
    return Lab(portal.url, Path(os.environ["XDG_STATE_HOME"]), api_key=API_KEY, push_api_key=PUSH_KEY)


@pytest.mark.at_length(but=6)
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("big", "5.5", "'5.5' is no whole number"),
        ("big", "n/a", "'n/a' is no whole number"),
        ("big", str(2**63), "beyond 64 bits"),
        ("big", "1e999", "beyond 64 bits"),
        ("big", True, "no whole number"),
        ("ratio", "1,5", "no number"),
        ("ratio", "1_0", "no number"),
        ("ratio", "1e999", "no finite number"),
        ("ratio", 2**53 + 1, "more digits"),
        ("day", "05/03/2026", "no date"),
        ("day", "2026-02-30", "no date"),
        ("day", "2026-02-03T10:00:00", "no date"),
        ("at", "soon", "no moment"),
        ("open", "perhaps", "neither true nor false"),
        ("place", "somewhere", "no point"),
        ("place", {"lon": 8, "lat": 470}, "no point on earth"),
        ("area", {"type": "Polygon"}, "no geometry"),
        ("details", "{", "no JSON"),
        ("name", b"x", "bytes"),
        ("name", "half \ud83d", "half a character"),
    ],
)
def test_a_value_that_its_field_cannot_hold_is_refused_before_anything_is_sent(
    lab: Lab, portal: LocalPortal, field: str, value: Any, said: str
) -> None:
    portal.add_dataset(DATASET, EVERY, [], resource="live")
    records = [{"key": f"k{n}", "since": "2026-01-01", field: None} for n in range(3)]
    records[2][field] = value
    if field == "name":
        with pytest.raises(OdsConfigError, match="record 2"):
            lab.done(sync(records))
    else:
        with pytest.raises(OdsConfigError, match=f"record 2, field {field}.*{said}"):
            lab.done(sync(records))
    assert sent(portal) == []


def test_keys_that_stand_twice_and_records_without_one_are_named(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, [])
    with pytest.raises(OdsConfigError, match=r"2 keys stand in more than one record: id='1'; id='2'"):
        lab.done(sync([*rows(1, 2, 3), {"id": "1"}, {"id": 2.0}]))
    with pytest.raises(OdsConfigError, match=r"2 records hold nothing in a key field: 1, 2 .*key id"):
        lab.done(sync([*rows(1), {"name": "x"}, {"id": "", "name": "y"}]))
    assert sent(portal) == []


@pytest.mark.at_length
def test_a_field_that_later_records_are_the_first_to_name_is_compared_in_all(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, rows(*range(2_000)))
    wanted = [{"id": row["id"], "name": row["name"]} for row in rows(*range(2_000))]
    wanted[1_500]["value"] = 750.0
    # The others name no value, so that theirs is none.
    result = lab.done(sync(wanted, dry_run=True))
    assert counts(result)[:4] == (0, 1_999, 0, 1)
    assert result["note"] is None


def test_fields_that_the_source_lacks_are_left_out_and_told(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, rows(*range(3)))
    result = lab.done(sync([{"id": n, "name": f"Zürich {n}"} for n in range(3)]))
    assert counts(result) == (0, 0, 0, 3, 0, 0)
    assert "not compared: value" in result["note"]


@pytest.mark.at_length
def test_names_that_the_dataset_does_not_know_are_refused_wherever_they_stand(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, [])
    records = rows(*range(900))
    records[700]["nmae"] = "x"
    with pytest.raises(OdsConfigError, match="record 700 names 'nmae'"):
        lab.done(sync(records))
    result = lab.done(sync(records, unknown_fields="send"))
    assert result["pushed"] == 900 and "nmae" in result["note"]


@pytest.mark.at_length
def test_moments_of_which_the_portal_shows_whole_seconds_only_are_not_sent_for_ever(
    lab: Lab, portal: LocalPortal
) -> None:
    fields = FIELDS | {"at": "datetime"}
    standing = [row | {"at": "2026-01-01T08:00:00+00:00"} for row in rows(1, 2)]
    stock(portal, standing, fields=fields)
    finer = [row | {"at": "2026-01-01T08:00:00.250+00:00"} for row in standing]
    result = lab.done(sync(finer))
    assert counts(result) == (0, 0, 0, 2, 0, 0)
    assert "at: 2 rows differ in a part of a second only" in result["note"]
    # Where it shows one anywhere, it keeps them.
    stock(portal, [finer[0], standing[1]], fields=fields)
    assert lab.done(sync(finer))["changed"] == 1


# Datasets without annotated fields


def test_without_annotated_fields_the_key_says_what_is_changed_and_the_old_row_goes(
    lab: Lab, portal: LocalPortal
) -> None:
    stock(portal, rows(*range(10)), fields=FIELDS | {"id": "int"})
    wanted = [row | {"name": "new"} if row["id"] < 3 else row for row in rows(*range(9), 11)]
    result = lab.done(sync(wanted, key="id"))
    assert counts(result) == (1, 3, 1, 6, 4, 4)
    assert sorted(portal.rows(DATASET), key=lambda row: row["id"]) == wanted
    paths = [path.rsplit("/", 2)[1] for path in sent(portal)]
    assert paths == ["push", "delete"]  # no row is missing meanwhile


def test_without_annotated_fields_rows_of_one_key_are_made_one(lab: Lab, portal: LocalPortal) -> None:
    twice = [*rows(1, 2), {"id": 1, "name": "older", "value": 0.0}]
    stock(portal, twice, fields=FIELDS | {"id": "int"})
    result = lab.done(sync(rows(1, 2), key="id", max_delete=1))
    assert counts(result) == (0, 0, 1, 2, 0, 1)
    assert portal.rows(DATASET) == rows(1, 2)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"key": "name"}, "tells its rows apart by id, and key names name"),
        ({"key": "idd"}, "has no field 'idd'"),
        ({"max_delete": "110%"}, "max_delete='110%' is neither a share nor a number"),
        ({"max_delete": "-1"}, "neither a share nor a number"),
        ({"max_delete": "nan%"}, "neither a share nor a number"),
        ({"path": "rows.csv"}, "pass either records, or a path"),
        ({"delimiter": ";"}, "say how a CSV is written"),
        ({"unknown_fields": "drop"}, "is not known"),
    ],
)
def test_unfit_arguments_are_refused(lab: Lab, portal: LocalPortal, how: dict[str, Any], said: str) -> None:
    stock(portal, [])
    with pytest.raises(OdsConfigError, match=said):
        lab.done(sync(rows(1), **how))
    assert sent(portal) == []


def test_a_dataset_without_annotated_fields_needs_a_key(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, [], fields={"name": "text"})
    with pytest.raises(OdsConfigError, match=r"a sync needs to know what tells rows apart.*argument key"):
        lab.done(sync([{"name": "x"}]))


def test_fields_of_files_cannot_be_compared(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, [], fields=FIELDS | {"scan": "file"})
    with pytest.raises(OdsConfigError, match="the field scan holds files"):
        lab.done(sync([{"id": 1, "scan": "a.pdf"}]))


# Interruptions


def many(portal: LocalPortal, number: int = 40) -> list[dict[str, Any]]:
    """Rows of which each fills a fifth of a call, on a portal that holds as many others."""
    stock(portal, rows(*range(1_000, 1_000 + number)))
    return [{"id": n, "name": f"{n} " + "x" * 1_000_000, "value": 0.5} for n in range(number)]


@pytest.mark.at_length
def test_a_wait_keeps_the_plan_and_the_batches_that_were_accepted(lab: Lab, portal: LocalPortal, state: Path) -> None:
    wanted = many(portal, 20)
    portal.fault("quota", path="/live/push/", skip=2, reset_in_s=3600)
    job = sync(wanted, max_delete="100%")
    ended = lab.run(job)
    assert isinstance(ended, Wait)
    portal.clear_faults()
    portal.requests.clear()
    result = lab.done(job, checkpoint=ended.checkpoint)
    assert counts(result) == (20, 0, 20, 0, 20, 20)
    assert result["batches"] == 5 + 1
    # The one that was refused is sent again, and no other.
    assert len(sent(portal, "/live/push/")) == 3
    assert not [call for call in portal.requests if "/exports/" in call.path]
    assert sorted(row["id"] for row in portal.rows(DATASET)) == list(range(20))
    assert left(state) == [] and not lab.checkpoints.exists()


@pytest.mark.at_length
@pytest.mark.parametrize("path", ["/live/push/", "/live/delete/"])
def test_a_lost_answer_doubles_and_loses_nothing(lab: Lab, portal: LocalPortal, path: str) -> None:
    stock(portal, rows(*range(300)))
    portal.fault("lost", path=path)
    result = lab.done(sync([row | {"value": 9.0} for row in rows(*range(10, 310))]))
    assert counts(result) == (10, 289, 10, 1, 299, 10)
    assert len(portal.rows(DATASET)) == 300


@pytest.mark.at_length
def test_what_the_portal_does_not_show_is_an_error_and_the_next_try_looks_again(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, rows(*range(50)))
    portal.fault("status", path="/live/push/", status=200, body='{"status": "OK"}')
    wanted = [row | {"value": 77.0} for row in rows(*range(50))]
    impatient = Lab(lab.url, lab.folder, api_key=API_KEY, push_api_key=PUSH_KEY, max_wait_s=0)
    with pytest.raises(OdsMismatch):
        impatient.done(sync(wanted))
    pushes = len(sent(portal))
    with pytest.raises(OdsMismatch):
        impatient.done(sync(wanted))
    assert len(sent(portal)) == pushes  # it only looked
    # It is not the portal's slowness: all is planned anew.
    assert counts(impatient.done(sync(wanted)))[1] == 50
    assert all(row["value"] == 77.0 for row in portal.rows(DATASET))


@pytest.mark.at_length
def test_another_machine_plans_anew_and_finds_what_was_sent(lab: Lab, portal: LocalPortal, state: Path) -> None:
    wanted = many(portal, 20)
    portal.fault("quota", path="/live/push/", skip=2, reset_in_s=3600)
    job = sync(wanted, max_delete="100%")
    ended = lab.run(job)
    assert isinstance(ended, Wait)
    for path in sorted(state.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    portal.clear_faults()
    result = lab.done(job, checkpoint=ended.checkpoint)
    assert result["equal"] + result["pushed"] == 20 and result["equal"] > 0
    assert sorted(row["id"] for row in portal.rows(DATASET)) == list(range(20))


@pytest.mark.at_length
def test_a_job_that_is_told_to_stop_goes_on_afterwards(lab: Lab, portal: LocalPortal) -> None:
    wanted = many(portal, 20)
    cancel = threading.Event()
    portal.fault("stall", path="/live/push/", seconds=0.1, times=None)
    job = sync(wanted, max_delete="100%")

    def stop_soon() -> None:
        while len(sent(portal, "/live/push/")) < 2:
            cancel.wait(0.01)
        cancel.set()

    stopper = threading.Thread(target=stop_soon)
    stopper.start()
    with pytest.raises(Suspended):
        lab.done(job, cancel=cancel)
    stopper.join()
    portal.clear_faults()
    assert counts(lab.done(job)) == (20, 0, 20, 0, 20, 20)


def test_whoever_is_asked_may_say_no(lab: Lab, portal: LocalPortal, state: Path) -> None:
    from dataclasses import replace

    stock(portal, rows(*range(20)))
    asked: list[dict[str, Any]] = []

    def no(plan: Any) -> None:
        asked.append(dict(plan))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.done(replace(sync(rows(*range(19))), agree=no))
    assert (asked[0]["gone"], asked[0]["samples"]["gone"]) == (1, [{"id": 19}])
    assert sent(portal) == [] and left(state) == []


def test_a_state_folder_that_cannot_be_written_is_named(
    lab: Lab, portal: LocalPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(portal, [])
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nothing")  # where nobody makes a folder
    with pytest.raises(OdsSinkError, match=r"rows cannot be kept until they are sent.*XDG_STATE_HOME"):
        lab.done(sync(rows(1)))


def test_rows_lie_meanwhile_where_nobody_else_reads_them(lab: Lab, portal: LocalPortal, state: Path) -> None:
    wanted = many(portal, 8)
    portal.fault("quota", path="/live/push/", skip=1, reset_in_s=3600)
    assert isinstance(lab.run(sync(wanted, max_delete="100%")), Wait)
    (folder,) = state.iterdir()
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.at_length
def test_a_resource_that_takes_no_pushes_is_told_before_the_source_is_read(lab: Lab, portal: LocalPortal) -> None:
    stock(portal, rows(1))

    def refused(**how: Any) -> str:
        portal.requests.clear()
        with pytest.raises(OdsConfigError) as error:
            lab.run(sync_job(**{"dataset_id": DATASET, "resource_id": "live", "records": rows(1, 2)} | how))
        assert not [call for call in portal.requests if "/api/push/" in call.path or "/exports/" in call.path]
        return str(error.value)

    assert "stock has no resource 'nosuch' that takes pushes" in refused(resource_id="nosuch")
    assert "There is 'live'" in refused(resource_id="nosuch", dry_run=True)
    assert "has no resource that takes pushes" in refused(dataset_id="world-capitals", key=["geoname_id"])
    with OdsClient(portal.url, api_key=API_KEY) as client:
        client.automation.resources.disable(DATASET, "live")
    assert "'live' refuses pushes: it is disabled" in refused()
    with OdsClient(portal.url, api_key=API_KEY) as client:
        client.automation.resources.enable(DATASET, "live")
    assert counts(lab.done(sync(rows(1, 2)))) == (1, 0, 0, 1, 1, 0)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_that_may_edit_nothing_syncs_as_before(lab: Lab, portal: LocalPortal, status: int) -> None:
    stock(portal, rows(1))
    portal.fault("status", status=status, times=None, path="/api/automation/")
    assert counts(lab.done(sync(rows(1, 2)))) == (1, 0, 0, 1, 1, 0)
