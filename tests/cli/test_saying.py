"""What commands say and print: help, what was meant, CSV, places of plugins, and every locale."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from effort import effort
from shell import on_a_terminal

from ods_provider.cli import COMMANDS, main
from ods_provider.core.nearest import nearest

CAPITALS = "world-capitals"
LATIN_1 = {"PYTHONIOENCODING": "latin-1"}
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LOCALES = effort([ASCII], at_length=[LATIN_1, ASCII])
WORDS = "Zürich 城市 🗼"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_h_is_help_everywhere(command):
    asked = CliRunner().invoke(main, [*command.split(), "-h"])
    assert (asked.exit_code, asked.output.startswith("Usage: ")) == (0, True)
    assert "-h, --help" in asked.output


def test_advice_names_options_as_they_are_typed(ods, tmp_path):
    readings = tmp_path / "readings.csv"
    readings.write_text("sensor_id,valeu\nx,1\n")
    told = ods("push", "live-readings", "realtime", str(readings))
    assert told.err.strip().endswith("pass --unknown-fields send.")
    told = ods("download", CAPITALS, str(tmp_path / "x.foo"))
    assert "; --format writes one of them" in told.err
    for words, said in (
        (["x.csv", "--partition-by", "id"], "Pass --parallel=4 or so"),
        (["x.csv", "--parallel", "4", "--limit", "3"], "--limit is kept by one stream only (--parallel, --limit)"),
        (["x.xlsx", "--parallel", "4"], "and --layout='folder' any) (--parallel, --layout)"),
    ):
        assert said in ods("download", CAPITALS, *words).err


# What was meant


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["recrods", CAPITALS], "'records'"),
        (["dowload", CAPITALS], "'download'"),
        (["records", CAPITALS, "--limt", "3"], "'--limit'"),
    ],
)
def test_a_mistyped_word_is_answered_with_what_is_like_it(ods, ods_portal, words, meant):
    wrong = ods(*words)
    assert (wrong.code, meant in wrong.err) == (2, True)
    assert not ods_portal.requests


@pytest.mark.parametrize(
    "words",
    [
        ["records", "world-capitls"],
        ["records", "World-Capitals", "--json"],
        ["dataset", "world_capitals"],
        ["analyze", "world-capital", "--facet", "name"],
        ["download", "worldcapitals", "x.csv"],
        ["media", "world-capitalss", "here"],
        ["watch", "world-capitels", "--once"],
    ],
)
def test_a_mistyped_dataset_costs_one_more_call_and_is_named(ods, ods_portal, words):
    wrong = ods(*words)
    assert (wrong.code, wrong.out) == (1, "")
    assert f"The requested dataset {words[1]} does not exist" in wrong.err
    assert "Perhaps 'world-capitals' is meant." in wrong.err
    *_, refused, asked = ods_portal.requests
    assert (refused.status, asked.status) == (404, 200)
    assert "/catalog/exports/json" in asked.path
    assert sum("/catalog/exports/" in entry.path for entry in ods_portal.requests) == 1


def test_a_dataset_like_no_other_is_told_as_before(ods):
    wrong = ods("records", "nothing-of-the-kind")
    assert "Perhaps" not in wrong.err and "Check the id" in wrong.err


@pytest.mark.parametrize("kind", ["status", "html", "login_html", "json_error", "cut", "drop", "quota", "bare_429"])
def test_a_portal_that_does_not_tell_its_datasets_keeps_its_first_error(ods, ods_portal, kind):
    ods_portal.fault(kind, times=None, path="/catalog/exports/")
    wrong = ods("records", "world-capitls")
    assert (wrong.code, "The requested dataset world-capitls does not exist" in wrong.err) == (1, True)
    assert sum("/catalog/exports/" in entry.path for entry in ods_portal.requests) == 1


def test_nothing_is_asked_where_the_first_error_is_another(ods, ods_portal):
    wrong = ods("records", CAPITALS, "--where", "population >")
    assert wrong.code == 1 and "Perhaps" not in wrong.err
    assert not any("/catalog/exports/" in entry.path for entry in ods_portal.requests)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--where", "popultion > 'name'"], "'population' in place of 'popultion'"),
        (["--select", "nmae, population"], "'name' in place of 'nmae'"),
        (["--order-by", "Population_ desc"], "'population' in place of 'Population_'"),
        (["--refine", "contry_code:FR"], "'country_code' in place of 'contry_code'"),
        (["--exclude", "contry_code:FR"], "'country_code' in place of 'contry_code'"),
    ],
)
def test_a_mistyped_field_is_looked_for_in_the_schema(ods, ods_portal, words, meant):
    wrong = ods("records", CAPITALS, *words)
    assert (wrong.code, f"Perhaps {meant} is meant." in wrong.err) == (1, True)
    assert sum(entry.path.endswith(f"/datasets/{CAPITALS}") for entry in ods_portal.requests) <= 1
    wrong = ods("download", CAPITALS, "x.csv", *words)
    assert f"Perhaps {meant} is meant." in wrong.err


def test_a_mistyped_facet_or_group_is_looked_for_too(ods):
    for words in (["--facet", "contry_code"], ["--select", "count(*) as n", "--group-by", "contry_code"]):
        assert "'country_code' in place of 'contry_code'" in ods("analyze", CAPITALS, *words).err


def test_names_of_any_length_and_number_are_compared_in_little_time():
    assert nearest("a" * 10**6, ["b" * 10**6] * 1000) == []
    assert nearest("cities", ["cities"]) == []
    assert nearest("Cities", ["cities", "cites", "other"]) == ["cities", "cites"]


# CSV


def test_csv_holds_all_rows_as_rfc_4180_has_it(ods):
    whole = ods("records", "all-types", "--csv")
    assert whole.code == 0
    rows = list(csv.DictReader(io.StringIO(whole.out, newline="")))
    known = ods("records", "all-types", "--json").rows
    assert len(rows) == len(known) == 12
    assert list(rows[0]) == list(known[0])
    for row, same in zip(rows, known, strict=True):
        assert row == {
            name: "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in same.items()
        }
    # As they are: a leading = is the reader's to judge, and nothing is quoted that need not be.
    assert any(row["words"] == "=1+1" for row in rows)


def test_csv_is_for_groups_and_datasets_too_and_ends_lines_as_csv_does(ods):
    groups = ods("analyze", CAPITALS, "--select", "count(*) as n", "--group-by", "timezone", "--csv").out
    assert groups.startswith("timezone,n")
    assert ods("datasets", "--csv", "--select", "dataset_id").out.splitlines()[0] == "dataset_id"
    assert ods("datasets", "--csv").out.splitlines()[0] == "dataset,title,records,data of"
    assert ods("records", CAPITALS, "--csv", "--limit", "3").out.count("\n") == 4
    assert ods("records", CAPITALS, "--csv", "--where", "population < 0").out == ""


def test_csv_goes_to_standard_output_alone(ods, ods_portal):
    for more in (["--json"], ["-o", "x.jsonl"]):
        assert ods("records", CAPITALS, "--csv", *more).code == 2
    assert not ods_portal.requests


@pytest.mark.at_length
def test_csv_that_somebody_looks_at_steers_no_terminal(ods, surroundings, tmp_path):
    record = json.dumps({"sensor_id": "\x1b[31mred", "at": "2026-03-01T00:00:00"})
    assert ods("push", "live-readings", "realtime", "-", input=record).code == 0
    code, shown = on_a_terminal(["records", "live-readings", "--csv", "-q"], surroundings, tmp_path)
    assert code == 0
    assert r"\x1b[31mred" in shown and "\x1b[31m" not in shown


# Locales


def command(words, surroundings, tmp_path, env, **how):
    whole = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, "-m", "ods_provider.cli", *words],
        check=False,
        env=whole | surroundings | env,
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        **how,
    )


@pytest.mark.at_length
@pytest.mark.parametrize("env", LOCALES)
def test_json_is_read_as_what_it_is_in_every_locale(surroundings, tmp_path, env):
    done = command(["records", "all-types", "--json"], surroundings, tmp_path, env)
    assert done.returncode == 0, done.stderr
    for encoding in ("ascii", "utf-8", "latin-1"):
        assert WORDS in {json.loads(line)["words"] for line in done.stdout.decode(encoding).splitlines()}
    one = command(["dataset", "all-types", "--json"], surroundings, tmp_path, env)
    assert json.loads(one.stdout)["dataset_id"] == "all-types"


@pytest.mark.at_length
@pytest.mark.parametrize("env", LOCALES)
def test_csv_is_utf_8_in_every_locale(surroundings, tmp_path, env):
    done = command(["records", "all-types", "--csv", "--select", "words"], surroundings, tmp_path, env)
    assert done.returncode == 0, done.stderr
    assert WORDS in done.stdout.decode()


@pytest.mark.at_length
def test_a_table_shows_what_the_locale_has_no_sign_for_as_an_escape(surroundings, tmp_path):
    done = command(["records", "all-types", "--select", "words"], surroundings, tmp_path, LATIN_1)
    assert done.returncode == 0, done.stderr
    assert r"Zürich \u57ce\u5e02 \U0001f5fc" in done.stdout.decode("latin-1")


@pytest.mark.at_length
@pytest.mark.parametrize("env", LOCALES)
def test_help_and_errors_hold_in_every_locale(surroundings, tmp_path, env):
    for name in COMMANDS:
        assert command([name, "--help"], surroundings, tmp_path, env).returncode == 0
    wrong = command(["records", "wörld-cäpitals-城"], surroundings, tmp_path, env)
    assert (wrong.returncode, b"does not exist" in wrong.stderr) == (1, True), wrong.stderr


@pytest.mark.parametrize("env", effort([ASCII], at_length=[LATIN_1 | {"PYTHONUTF8": "1"}, ASCII]))
def test_words_of_the_command_line_are_read_as_they_were_typed(surroundings, tmp_path, env):
    words = ["records", "all-types", "--json", "--where", f"words = '{WORDS}'"]
    done = command([word.encode() for word in words], surroundings, tmp_path, env)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["words"] for line in done.stdout.splitlines()] == [WORDS]


@pytest.mark.at_length
@pytest.mark.parametrize("env", LOCALES)
def test_records_are_read_as_utf_8_in_every_locale(surroundings, tmp_path, ods_portal, env):
    record = json.dumps({"sensor_id": WORDS, "at": "2026-03-01T00:00:00"}, ensure_ascii=False)
    done = command(["push", "live-readings", "realtime", "-"], surroundings, tmp_path, env, input=record.encode())
    assert done.returncode == 0, done.stderr
    assert WORDS in {row["sensor_id"] for row in ods_portal.rows("live-readings")}


# Places of plugins

PLUGIN = """
from ods_provider.plugins.hookspecs import hookimpl
from ods_provider.sinks.destination import destination

@hookimpl
def ods_open_destination(place):
    if isinstance(place, str) and place.startswith("reports:"):
        return destination({root!r} + "/" + place.removeprefix("reports:"))
"""


@pytest.mark.at_length
def test_a_place_of_a_plugin_reaches_it(surroundings, tmp_path):
    (tmp_path / "reporting.py").write_text(PLUGIN.format(root=str(tmp_path / "kept")), encoding="utf-8")
    env = {"ODS_PLUGINS": "reporting", "PYTHONPATH": str(tmp_path)}
    done = command(["download", CAPITALS, "reports:2026/x.csv", "--json"], surroundings, tmp_path, env)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept" / "2026" / "x.csv").read_bytes().startswith(b"geoname_id,")
    pushed = tmp_path / "kept" / "new.jsonl"
    pushed.write_text('{"sensor_id": "plugged", "at": "2026-03-01T00:00:00"}\n', encoding="utf-8")
    done = command(["push", "live-readings", "realtime", "reports:new.jsonl"], surroundings, tmp_path, env)
    assert done.returncode == 0, done.stderr
    # Another's prefix is a folder's name, as it always was.
    done = command(["download", CAPITALS, "others:2026/x.csv", "--json"], surroundings, tmp_path, env)
    assert json.loads(done.stdout)["path"] == str(tmp_path / "others:2026" / "x.csv")
