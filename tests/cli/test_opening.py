"""``ods open``, completion of datasets, ages: what a person at a terminal gets."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from shell import on_a_terminal, plain

from ods_provider.cli import main
from ods_provider.core.narrate import age


def test_the_page_of_a_dataset_is_printed_and_no_call_made(ods, ods_portal):
    assert ods("open", "world-capitals").out == f"{ods_portal.url}/explore/dataset/world-capitals/\n"
    assert ods("open", "a b?").out == f"{ods_portal.url}/explore/dataset/a%20b%3F/\n"
    assert ods("open").out == f"{ods_portal.url}/explore/\n"
    assert ods("--json", "open", "cities").json == {"url": f"{ods_portal.url}/explore/dataset/cities/"}
    assert not ods_portal.requests


@pytest.mark.at_length
def test_a_browser_is_opened_where_somebody_looks(surroundings, tmp_path, ods_portal):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    # What click falls back to where the desktop's own opener is not installed.
    env = surroundings | {"BROWSER": str(browser), "PATH": str(tmp_path)}
    (tmp_path / "xdg-open").symlink_to(browser)
    for words, opened in ((("open", "cities", "--print"), False), (("open", "cities"), True)):
        code, shown = on_a_terminal(words, env, tmp_path)
        assert code == 0 and f"{ods_portal.url}/explore/dataset/cities/" in plain(shown)
        assert (tmp_path / "opened").exists() is opened


@pytest.fixture
def completed(surroundings):
    def run(words, index):
        env = surroundings | {"_ODS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(index)}
        done = CliRunner().invoke(main, [], prog_name="ods", env=env)
        return [line.partition(",")[2] for line in done.output.splitlines() if line]

    return run


def test_datasets_complete_and_are_asked_for_once(completed, ods_portal, tmp_path):
    assert completed("ods download world", 2) == ["world-capitals"]
    assert completed("ods records live-", 2) == ["live-readings"]
    assert len(ods_portal.requests) == 1
    (kept,) = (tmp_path / "state" / "ods-provider" / "completion").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.parent.stat().st_mode & 0o777 == 0o700


def test_another_portal_has_other_datasets_and_one_that_is_silent_none(completed, ods_portal):
    assert completed("ods --host http://127.0.0.1:1 download w", 4) == []
    ods_portal.fault("status", path="/catalog/", status=500)
    assert completed("ods download w", 2) == []


def test_completion_scripts_are_printed(ods):
    for shell in ("bash", "zsh", "fish"):
        assert "_ods_completion" in ods("completion", shell).out
    assert ods("completion", "csh").code == 2


@pytest.mark.at_length
def test_tables_tell_ages_to_people_and_times_to_programs(ods, surroundings, tmp_path, ods_portal):
    ods_portal.touch("world-capitals")
    assert "T" in ods("datasets", "--where", "dataset_id = 'world-capitals'").out.split()[-1]
    code, shown = on_a_terminal(("dataset", "world-capitals"), surroundings, tmp_path)
    assert code == 0
    (line,) = (line for line in plain(shown).splitlines() if line.startswith("data of"))
    assert line.split("  ")[-1].strip().startswith("now (2")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        *[(0, "now"), (59.9, "now"), (60, "1 minute ago"), (7199, "1 hour ago"), (86_400 * 45, "1 month ago")],
        *[
            (-90, "in 1 minute"),
            (-86_400 * 2, "in 2 days"),
            (86_400 * 365, "1 year ago"),
            (86_400 * 10_000, "27 years ago"),
        ],
    ],
)
def test_ages_are_told_in_the_longest_unit_that_fits(seconds, told):
    assert age(seconds) == told


def test_help_has_examples_and_the_environment(ods):
    told = ods("--help").out
    assert "Examples:" in told and "ods load cities cities" in told and "ODS_HOST, ODS_API_KEY" in told
