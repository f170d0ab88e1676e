"""Every command does its job on the portal, and tells the result to people and to machines."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner

from ods_provider.cli import COMMANDS, main
from ods_provider.testing.store import record_id


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name):
    shown = CliRunner().invoke(main, [name, "--help"])
    assert "\\b" not in shown.output, "a mark for the layout is shown as text"
    assert shown.exit_code == 0
    assert f"Usage: ods {name}" in " ".join(shown.output.split()) or f"Usage: main {name}" in shown.output
    assert "Options:" in shown.output


def test_the_list_of_commands_is_whole_and_names_the_exit_codes():
    shown = CliRunner().invoke(main, ["--help"]).output
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in shown and line[:30] in shown
    assert "75  waiting" in shown


def test_datasets_shows_a_table_of_the_catalogue(ods):
    shown = ods("datasets")
    assert shown.code == 0
    header, rule, first, *_ = shown.out.splitlines()
    assert header.split() == ["dataset", "title", "records", "data", "of"]
    assert set(rule) == {"─"}
    assert first.split()[:1] == ["world-capitals"]
    assert " 110 " in first
    assert "Starting" not in shown.err


def test_datasets_as_json_are_the_portal_s_own_objects_one_a_line(ods):
    found = ods("datasets", "--json", "--where", 'dataset_id = "world-capitals"').rows
    assert [item["dataset_id"] for item in found] == ["world-capitals"]
    assert "fields" in found[0]


def test_dataset_shows_its_fields_and_as_json_all_that_is_known(ods):
    shown = ods("dataset", "landmark-photos").out
    assert "attachments  3" in shown
    assert "photo" in shown and "geo_point_2d" in shown
    described = ods("--json", "dataset", "landmark-photos").json
    assert described["records_count"] == 40
    assert [field["name"] for field in described["fields"]] == ["title", "taken_on", "place", "photo"]


def test_a_table_of_records_ends_at_a_screen_and_says_so(ods, ods_portal):
    shown = ods("records", "world-capitals", "--select", "name", "--order-by", "name")
    names = sorted(row["name"] for row in ods_portal.rows("world-capitals"))
    assert len(shown.out.splitlines()) == 22
    assert shown.out.splitlines()[2].strip() == names[0]
    assert "first 20" in shown.err and "--all" in shown.err
    assert len(ods("records", "world-capitals", "--select", "name", "--all").out.splitlines()) == 112
    assert len(ods("records", "world-capitals", "--select", "name", "--limit", "30").out.splitlines()) == 32
    exact = ods("records", "world-capitals", "--select", "name", "--limit", "20")
    assert exact.err == ""


def test_records_as_json_are_all_of_them(ods, ods_portal, surroundings, tmp_path):
    rows = ods("records", "world-capitals", "--json", "--select", "name,population").rows
    assert len(rows) == 110 and set(rows[0]) == {"name", "population"}
    spool = tmp_path / "state" / "ods-provider" / "spool"
    assert list(spool.iterdir()) == []


def test_records_go_to_a_file_when_one_is_named(ods, tmp_path):
    outcome = ods("records", "world-capitals", "-o", "capitals.jsonl", "--json").json
    lines = (tmp_path / "here" / "capitals.jsonl").read_text().splitlines()
    assert outcome["rows"] == 110 == len(lines)
    assert outcome["path"] == str(tmp_path / "here" / "capitals.jsonl")


def test_filters_reach_the_portal_in_its_own_words(ods, ods_portal):
    ods(
        *("records", "world-capitals", "--json", "--where", "population > 1", "--where", "elevation is null"),
        *("--refine", "country_code:FR", "--refine=country_code=DE", "--exclude", "timezone:Europe/Paris"),
        *("--lang", "fr", "--timezone", "Europe/Berlin", "--limit", "7"),
    )
    query = ods_portal.requests[-1].query
    for part in (
        "where=population+%3E+1&where=elevation+is+null",
        "refine=country_code%3AFR&refine=country_code%3ADE",
        "exclude=timezone%3AEurope%2FParis",
        "lang=fr",
        "timezone=Europe%2FBerlin",
        "limit=7",
    ):
        assert part in query


def test_analyze_groups_on_the_portal_and_lists_facets(ods, ods_portal):
    groups = ods("analyze", "world-capitals", "--select", "count(*) as n", "--group-by", "country_code", "--json").rows
    assert sum(row["n"] for row in groups) == 110
    listed = ods("analyze", "world-capitals", "--facet", "country_code")
    assert "first 20 of" in listed.err
    assert listed.out.splitlines()[0].split() == ["facet", "value", "count"]


def test_download_names_the_format_by_the_file_s_ending(ods, tmp_path):
    shown = ods("download", "world-capitals", "capitals.csv")
    assert shown.code == 0
    assert shown.out.startswith("110 rows, ") and "verified: counted" in shown.out
    assert "Starting the download of world-capitals" in shown.err
    with (tmp_path / "here" / "capitals.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 110


def test_download_without_a_path_writes_parquet_here(ods, tmp_path):
    outcome = ods("download", "world-capitals", "--json").json
    assert outcome["path"] == str(tmp_path / "here" / "world-capitals.parquet")
    assert (outcome["format"], outcome["rows"], outcome["verified"]) == ("parquet", 110, "counted")


@pytest.mark.parametrize("name", ["capitals.gz", "capitals.txt", "s3://bucket/capitals.tsv"])
def test_an_ending_that_names_no_format_is_no_parquet_file(ods, ods_portal, tmp_path, name):
    refused = ods("download", "world-capitals", name)
    assert refused.code == 2
    assert f".{name.rpartition('.')[2]} names no format" in refused.err
    assert "parquet" in refused.err and "--format" in refused.err
    assert not ods_portal.requests and list((tmp_path / "here").iterdir()) == []


def test_under_an_ending_of_one_s_own_the_format_is_said(ods, tmp_path):
    assert ods("download", "world-capitals", "capitals.txt", "--format", "csv").code == 0
    assert (tmp_path / "here" / "capitals.txt").read_text().startswith("geoname_id,")
    assert ods("download", "world-capitals", "capitals").code == 0
    assert (tmp_path / "here" / "capitals").read_bytes().startswith(b"PAR1")


@pytest.mark.parametrize(
    "words",
    [
        ("download", "world-capitals", "-", "--format", "csv"),
        ("records", "world-capitals", "--output", "-"),
        ("datasets", "-o", "-"),
        ("analyze", "world-capitals", "--select", "count(*) as n", "-o", "-"),
        ("media", "landmark-photos", "-"),
    ],
)
def test_standard_output_is_no_place_for_a_file(ods, ods_portal, tmp_path, words):
    refused = ods(*words)
    assert (refused.code, "- is no place to write to" in refused.err) == (2, True)
    assert not ods_portal.requests and list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("words", [("download", "world-capitals"), ("records", "world-capitals", "-o")])
def test_a_folder_is_no_file_which_is_said_before_anything_is_asked_for(ods, ods_portal, tmp_path, words):
    (tmp_path / "here" / "there").mkdir()
    refused = ods(*words, "there")
    assert refused.code == 1
    assert "the path names a folder, not a file" in refused.err
    slashed = ods(*words, "elsewhere/")
    assert (slashed.code, "'elsewhere/' names a folder, not a file" in slashed.err) == (2, True)
    assert not ods_portal.requests
    assert [path.name for path in (tmp_path / "here").rglob("*")] == ["there"]


def test_download_takes_the_format_s_own_options(ods, tmp_path):
    ods("download", "world-capitals", "c.csv", "--format-option", "delimiter=;", "--select", "name,country_code")
    assert (tmp_path / "here" / "c.csv").read_text().splitlines()[0] == "name;country_code"


def test_media_fetches_files_into_a_folder(ods, tmp_path):
    outcome = ods("media", "landmark-photos", "photos", "--kind", "files", "--limit", "5", "--json").json
    assert outcome["files"] == 5
    assert len(list((tmp_path / "here" / "photos").iterdir())) == 6


def test_push_and_delete_by_file_by_pipe_and_by_id(ods, ods_portal, tmp_path):
    records = [{"sensor_id": f"s{number}", "value": number} for number in range(3)]
    piped = "".join(json.dumps(record) + "\n" for record in records)
    assert ods("push", "live-readings", "realtime", "-", input=piped).code == 0
    (tmp_path / "here" / "more.json").write_text(json.dumps(records))
    assert ods("push", "live-readings", "realtime", "more.json", "--json").json["rows"] == 3
    assert {"s0", "s1", "s2"} <= {row["sensor_id"] for row in ods_portal.rows("live-readings")}
    (tmp_path / "here" / "gone.jsonl").write_text(json.dumps(records[0]) + "\n")
    assert ods("delete", "live-readings", "realtime", "gone.jsonl").code == 0
    left = {row["sensor_id"]: row for row in ods_portal.rows("live-readings")}
    assert "s0" not in left and "s1" in left


def test_a_deletion_is_told_as_one(ods, tmp_path):
    record = json.dumps({"sensor_id": "s0", "at": "2026-03-01T00:00:00"})
    assert ods("push", "live-readings", "realtime", "-", input=record).out.startswith("1 row, 1 batch, ")
    (tmp_path / "here" / "gone.jsonl").write_text(record)
    told = ods("delete", "live-readings", "realtime", "gone.jsonl", "--debug")
    assert "Starting the deletion of records from live-readings" in told.err and "push of" not in told.err
    assert told.out.startswith("1 row deleted, 1 batch, ")


def test_a_source_that_is_not_there_is_no_fault_of_a_destination(ods, ods_portal, tmp_path):
    failed = ods("push", "live-readings", "realtime", "nowhere.jsonl")
    line = failed.err.splitlines()[-1]
    assert failed.code == 2
    assert line.startswith("Error: there is no file ") and "nowhere.jsonl (FILE). Check the path" in line
    assert not ods_portal.requests


def test_a_push_key_that_is_missing_is_asked_for_in_words_of_the_command_line(ods, ods_portal):
    refused = ods("push", "live-readings", "realtime", "-", input="{}", ODS_PUSH_API_KEY="")
    assert (refused.code, "no push key for live-readings/realtime" in refused.err) == (2, True)
    assert "--push-key-file" in refused.err and "ODS_PUSH_API_KEY" in refused.err and "extra" not in refused.err
    assert not ods_portal.requests


def test_delete_wants_a_file_or_an_id(ods, ods_portal):
    refused = ods("delete", "live-readings", "realtime")
    assert (refused.code, "FILE or --record-id" in refused.err) == (2, True)
    unknown = ods("delete", "live-readings", "realtime", "--record-id", "0" * 40)
    assert (unknown.code, "does not exist" in unknown.err) == (1, True)
    record = {"sensor_id": "x", "at": "2026-03-01T00:00:00"}
    ods("push", "live-readings", "realtime", "-", input=json.dumps(record))
    assert "x" in {row["sensor_id"] for row in ods_portal.rows("live-readings")}
    known = record_id(ods_portal.store.datasets["live-readings"], record)
    deleted = ods("delete", "live-readings", "realtime", "--record-id", known, "--json")
    assert deleted.code == 0, deleted.err
    assert deleted.json["rows"] == 1
    assert "x" not in {row["sensor_id"] for row in ods_portal.rows("live-readings")}


def test_what_was_pushed_is_read_back_when_that_is_wanted(ods):
    record = json.dumps({"sensor_id": "back", "at": "2026-03-01T00:00:00+00:00", "value": 1.5})
    assert ods("push", "live-readings", "realtime", "-", "--confirm", "--json", input=record).json["confirmed"] == 1


def test_analyze_clusters_points_and_gives_geojson(ods):
    cluster = ("analyze", "world-capitals", "--geo-cluster", "coordinates", "--zoom", "2")
    rows = ods(*cluster, "--json").rows
    assert sum(row["count"] for row in rows) == 110
    collection = ods(*cluster, "--geojson").json
    assert collection["type"] == "FeatureCollection"
    assert len(collection["features"]) == len(rows)
    assert ods("analyze", "world-capitals", "--geo-cluster", "coordinates").code == 2


def test_media_knows_every_kind_that_the_job_knows():
    from typing import get_args

    from ods_provider.cli.fetching import KINDS
    from ods_provider.jobs.media import Kind

    assert set(KINDS) == set(get_args(Kind))


def test_what_comes_from_a_pipe_is_checked_before_anything_is_sent(ods, ods_portal):
    refused = ods("push", "live-readings", "realtime", "-", input='{"a": 1}\nnonsense\n')
    assert refused.code == 2 and "line 2" in refused.err
    assert not ods_portal.requests


def test_quota_costs_one_call_and_a_used_up_one_is_an_answer_too(ods, ods_portal):
    ods_portal.set_quota(limit=500, remaining=400)
    shown = ods("quota", "--json").json
    assert (shown["limit"], shown["remaining"]) == (500, 399)
    assert len(ods_portal.requests) == 1
    ods_portal.set_quota(limit=500, remaining=0, reset_in_s=3600)
    spent = ods("quota")
    assert spent.code == 0
    assert "calls left  0" in spent.out and "until" in spent.out


def test_plugins_lists_the_built_in_ones(ods):
    shown = ods("plugins")
    assert shown.code == 0 and "ods-provider:builtin" in shown.out


def test_plugins_are_told_to_machines_too(ods):
    for words in (("plugins", "--json"), ("--json", "plugins")):
        shown = ods(*words)
        builtin = next(row for row in shown.rows if row["plugin"] == "ods-provider:builtin")
        assert (shown.code, builtin["problem"]) == (0, None)
        assert "ods_wait_policy" in builtin["hooks"]


def test_a_port_that_is_none_is_wrong_usage(ods):
    refused = ods("portal", "--port", "99999999")
    assert (refused.code, "--port" in refused.err) == (2, True)
