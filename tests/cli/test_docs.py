"""What the pages on the command line show is what the commands take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from ods_provider.cli import COMMANDS, EXIT_CODES, main

DOCS = Path(__file__).resolve().parents[2] / "docs"
CLI = (DOCS / "cli.md").read_text()
PAGES = [CLI, (DOCS / "cron-and-luigi.md").read_text(), (DOCS.parent / "README.md").read_text()]
# A command in a block of code or in backticks, up to a pipe, a redirection, or the end of the code.
LINES = sorted(
    {
        line.strip()
        for page in PAGES
        for line in re.findall(r"(?:^    |&& |`|\$ |\*  |\| )((?:airflow )?ods [^`\n]*)", page, re.MULTILINE)
        if not re.search(r"COMMAND|…", line)
    }
)


def words(line: str) -> list[str]:
    """The words after `ods`, up to what the shell takes for itself."""
    found = shlex.split(line)
    found = found[found.index("ods") + 1 :]
    ends = [number for number, word in enumerate(found) if word in ("|", "||", "&&", "&", ">")]
    return found[: min(ends, default=len(found))]


def test_there_are_examples_of_every_command():
    shown = {word for line in LINES for word in words(line)}
    assert set(COMMANDS) - shown == set()
    assert len(LINES) > 15


@pytest.mark.parametrize("line", LINES)
def test_every_line_that_is_shown_is_understood(line):
    shown = words(line)
    at = next(number for number, word in enumerate(shown) if word in COMMANDS)
    name, given = shown[at], shown[at + 1 :]
    if not given and at == 0:
        return  # the command's name alone, not a way to call it
    with main.make_context("ods", [*shown[:at], name]) as group:
        command = main.get_command(group, name)
        try:
            command.make_context(name, list(given), parent=group)
        except click.exceptions.UsageError as error:
            pytest.fail(f"{line}: {error.format_message()}")


def test_the_page_names_every_command_and_every_exit_code():
    for name in COMMANDS:
        assert f"| `ods {name}` |" in CLI
    for code, _ in EXIT_CODES:
        assert f"\n| {code} |" in CLI


def test_the_page_names_the_connection_s_options_and_variables():
    for word in ("--host", "--key-file", "--profile", "--airflow-conn", "ODS_HOST", "ODS_API_KEY", "ODS_CONFIG"):
        assert word in CLI


def test_the_configuration_that_is_shown_works(tmp_path, monkeypatch):
    from ods_provider.cli.profiles import from_profile

    text = re.search(r"```toml\n(.*?)```", CLI, re.DOTALL)[1]
    for name in ("city.key", "city.push.key"):
        (tmp_path / name).write_text("s3cret")
    (tmp_path / "config.toml").write_text(text.replace("~/.config/ods-provider", str(tmp_path)))
    monkeypatch.setenv("ODS_CONFIG", str(tmp_path / "config.toml"))
    made = from_profile("city", lambda text: None)
    assert (made.host, made.max_wait_s, made.api_key.reveal()) == ("data.example.org", 30.0, "s3cret")
