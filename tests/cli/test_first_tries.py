"""What somebody types who sees the commands for the first time, and what he is told."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from ods_provider.cli import COMMANDS, main

CAPITALS = "world-capitals"
# Named settings of the portal that is served here, each with an example of its own.
_SHOWN = {"dataset_quotas"}


def test_an_analysis_of_nothing_is_answered_with_words_that_can_be_typed(ods):
    told = ods("analyze", CAPITALS)
    assert told.err.strip().endswith("Pass --select 'count(*)' with --group-by or --geo-cluster, or --facet country.")


def test_a_file_that_may_be_left_out_stands_in_brackets_and_is_named_without(ods):
    assert "DATASET RESOURCE_ID [FILE]" in " ".join(ods("delete", "--help").out.split())
    wrong = ods("delete", "live-readings", "realtime", " ")
    assert wrong.code == 2 and "FILE, --record-id)" in wrong.err


def test_an_id_comes_with_the_technical_fields_and_names_one_record(ods):
    listed = ods("records", CAPITALS, "--include-app-metas", "--limit", "2", "--json").rows
    found = ods("records", CAPITALS, "--record-id", listed[1]["_id"], "--json").rows
    assert found == [{name: value for name, value in listed[1].items() if not name.startswith("_")}]
    assert "name" in ods("records", CAPITALS, "--record-id", listed[1]["_id"]).out
    linked = ods("records", CAPITALS, "--include-links", "--limit", "1", "--json").rows
    assert listed[0]["_id"] in [link["href"].rpartition("/")[2] for link in linked[0]["_links"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["datasets", "--where", '"no such words"'], "No datasets match."),
        (["records", CAPITALS, "--where", "population < 0"], "No records match."),
        (
            ["analyze", CAPITALS, "--select", "count(*)", "--group-by", "name", "--where", "1 = 2"],
            "No records",
        ),
    ],
)
def test_what_matches_nothing_is_said_beside_the_results(ods, words, said):
    told = ods(*words)
    assert (told.code, told.out) == (0, "")
    assert said in told.err
    assert ods(*words, "--json").out == ""


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("attachments", "the dataset has no attachments"),
        ("alternative_exports", "the dataset has no alternative exports"),
    ],
)
def test_a_dataset_without_files_says_so(ods, kind, said):
    assert said in ods("media", CAPITALS, "there", "--kind", kind).out


def test_what_comes_from_a_pipe_is_told_by_its_line(ods, ods_portal):
    lines = '{"sensor_id": "a"}\n\n{"sensor_id": "a", "valeu": 3}\n'
    told = ods("push", "live-readings", "realtime", "-", input=lines)
    assert told.code == 2
    assert told.err.startswith("Error: line 3 names 'valeu'")
    assert "(standard input)" in told.err
    inside = ods("push", "live-readings", "realtime", "-", input='{"total_count": 1, "results": [{"valeu": 3}]}')
    assert "record 0 names 'valeu'" in inside.err
    assert not any(call.path.startswith("/api/push") for call in ods_portal.requests)


def test_one_row_is_not_plural(ods):
    told = ods("push", "live-readings", "realtime", "-", input='{"sensor_id": "a", "at": "2026-03-01T00:00:00"}')
    assert told.code == 0
    assert "1 rows" not in told.err + told.out


def test_a_quota_is_written_as_everywhere(ods):
    limit = ods("quota", "--json").json["limit"]
    assert limit > 999
    assert f"{limit:,}" in ods("quota").out


@pytest.mark.parametrize("name", COMMANDS)
def test_options_that_may_be_repeated_say_so(name):
    found = main.get_command(click.Context(main), name)
    assert found is not None
    for option in found.params:
        if isinstance(option, click.Option) and option.multiple and option.name not in _SHOWN:
            assert "may be repeated" in (option.help or ""), option.name


def test_a_variable_that_is_like_a_setting_is_warned_of(ods):
    told = ods("quota", ODS_MAX_WAIT="30", ODS_APIKEY="x", ODS_TOKEN_STORE="/x", ODS_PORTAL_API_KEY="x", ODS_WEATHER="")
    assert told.code == 0
    assert told.err.splitlines() == [
        "ODS_MAX_WAIT is not read: perhaps ODS_MAX_WAIT_S is meant",
        "ODS_APIKEY is not read: perhaps ODS_API_KEY is meant",
    ]


def test_quiet_leaves_results_and_errors_only(ods, surroundings, tmp_path):
    key = Path(tmp_path, "key")
    key.write_text("demo-key")
    key.chmod(0o644)
    words = ["quota", "--host", surroundings["ODS_HOST"], "--key-file", str(key)]
    assert "chmod 600" in ods(*words).err
    assert ods(*words, "--quiet", ODS_MAX_WAIT="3").err == ""


def test_a_file_where_a_folder_should_be_is_named(ods):
    Path("new.jsonl").write_text("")
    for words in (
        ["download", CAPITALS, "new.jsonl/cities.csv"],
        ["download", CAPITALS, "new.jsonl/deeper/cities.csv"],
        ["records", CAPITALS, "-o", "new.jsonl/rows.jsonl"],
        ["media", CAPITALS, "new.jsonl"],
        ["push", "live-readings", "realtime", "new.jsonl/rows.jsonl"],
    ):
        told = ods(*words)
        assert told.code == 1
        assert f"{Path('new.jsonl').absolute()} is a file, not a folder" in told.err


def test_a_user_name_is_read_from_the_environment_too(ods, ods_portal):
    assert ods("quota", ODS_AUTH="basic").code == 2
    assert "ODS_LOGIN" in ods("quota", ODS_AUTH="basic").err
    ods("quota", ODS_AUTH="basic", ODS_LOGIN="ada")
    assert ods_portal.requests
