"""No command tells Python's names of arguments: every option of every command, and every text that names one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from every_command import commands

import ods_provider
from ods_provider.cli.wording import words_of
from ods_provider.core.errors import OdsConfigError, OdsIncomplete, OdsPublicationFailed
from ods_provider.core.faces import advise, bare, in_words

TREE = Path(ods_provider.__file__).parent
COMMANDS = {words: command for words, command in commands() if words[0] not in ("portal", "login")}
# Have no argument of a job, or no end.
BESIDE = {("completion",), ("open",), ("plugins",), ("check",)}
NAMES = {name for command in COMMANDS.values() for name in words_of(command) if "_" in name}
NAMED = re.compile(rf"(?<![\w{{.'\"])({'|'.join(sorted(NAMES))})(?![\w'(])")
# What the commands are made of: what they raise is shown by them.
ROOMS = ("core", "jobs", "sources", "sinks", "stores", "tables", "client", "transport", "plugins/builtin.py")
MADE = re.compile(r"Ods\w+$|_?bad$|_against$")
# The portal's own words, wherever they are said.
PORTAL_S = {"group_by", "order_by"}
LIMITS = ("max_delete", "max_drop", "max_errors", "min_rows", "max_calls")


def said(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp):
        return said(node.left) + said(node.right)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def raised() -> Iterator[tuple[str, str, str, str]]:
    """Yield the module of each error that is made with texts, and its what, where and advice."""
    for path in sorted(TREE.rglob("*.py")):
        name = str(path.relative_to(TREE))
        if not name.startswith(ROOMS):
            continue
        text = path.read_text(encoding="utf-8")
        if "where=" not in text and "advice=" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.args and MADE.match(node.func.id):
                parts = {each.arg: said(each.value) for each in node.keywords}
                if parts.keys() & {"where", "advice"}:
                    yield name, said(node.args[0]), parts.get("where", ""), parts.get("advice", "")


ERRORS = list(raised())


def of_commands(names: set[str]) -> list[dict[str, str]]:
    """Return the words of each command that has one of these arguments."""
    every = [words_of(command) for command in COMMANDS.values()]
    return [words for words in every if words.keys() & names]


@pytest.mark.parametrize(
    "error", [error for error in ERRORS if NAMED.search(" ".join(error[1:]))], ids=lambda error: error[0]
)
def test_an_error_that_names_an_argument_names_the_option(error: tuple[str, str, str, str]) -> None:
    module, what, where, advice = error
    names = set(NAMED.findall(f"{what} {where} {advice}")) - PORTAL_S
    for words in of_commands(names):
        known = names & words.keys()
        made: Any = OdsIncomplete(what or "x", where=where or None, advice=advice or None)
        if where.startswith("argument"):
            made = in_words(OdsConfigError(what or "x", where=where, advice=advice or None), words)
        advise(made, words)
        assert not known & set(NAMED.findall(str(made))), (module, str(made))


def test_what_every_room_may_raise_names_no_argument_but_the_one_it_is_about() -> None:
    # A module of `core` serves many commands, and some have no such option.
    for module, what, where, advice in ERRORS:
        if module.startswith(("core", "sources", "sinks")) and not where.startswith("argument"):
            assert set(NAMED.findall(f"{what} {advice}")) <= {*PORTAL_S, "unknown_fields"}, (module, what, advice)


@pytest.mark.at_length
def test_every_other_sentence_that_names_an_argument_can_be_put_into_words() -> None:
    """Notes, and advice that a table holds: what becomes of them is one way, ``bare``."""
    inside = " ".join(" ".join(error) for error in ERRORS)
    for path in sorted(TREE.rglob("*.py")):
        if not str(path.relative_to(TREE)).startswith(ROOMS):
            continue
        every = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        silent = {id(node.value) for node in every if isinstance(node, ast.Expr)}
        texts = {
            said(node) for node in every if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in silent
        }
        for text in texts:
            if " " in text.strip() and NAMED.search(text) and text not in inside:
                for words in of_commands(set(NAMED.findall(text))):
                    assert not set(NAMED.findall(bare(text, words))) & words.keys(), (path.name, text)


@pytest.mark.parametrize("kind", [OdsIncomplete, OdsPublicationFailed, OdsConfigError])
def test_a_bound_is_named_as_it_is_typed(kind: Any) -> None:
    words = {name: f"--{name.replace('_', '-')}" for name in LIMITS}
    error = kind("5 rows, fewer than min_rows=10", where="argument min_rows", advice="Raise max_drop, or min_rows")
    if kind is OdsConfigError:
        error = in_words(error, words)
    advise(error, words)
    assert (error.what, error.advice) == ("5 rows, fewer than --min-rows=10", "Raise --max-drop, or --min-rows")


def test_a_field_of_that_name_stays_what_it_is() -> None:
    words = {"record_id": "--record-id", "min_rows": "--min-rows"}
    text = "Did you mean 'record_id'? Look at /x/min_rows/a.csv, data.record_id, min_rows.csv and record_id"
    error = OdsIncomplete("min_rows of the portal", advice=text)
    advise(error, words)
    assert (error.what, error.advice) == ("min_rows of the portal", f"{text[:-9]}--record-id")


def options(command: click.Command) -> Iterator[click.Option]:
    """Yield the options that take a value."""
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag and option.expose_value:
            yield option


@pytest.mark.at_length(but=5)
@pytest.mark.parametrize("words", [words for words in COMMANDS if words not in BESIDE], ids=" ".join)
def test_an_option_with_nonsense_is_told_by_its_own_name(ods: Any, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "here" / "a.csv").write_text("sensor_id,at\nx,2026-01-01T00:00:00Z\n")
    known = {"dataset_id": "live-readings", "resource_id": "realtime", "path": "a.csv", "table": "t", "names": ""}
    known |= {"metadata": "default.title=x", "public": "restricted", "harvester_id": "nobody", "file": "a.csv"}
    command = COMMANDS[words]
    given = [known[str(each.name)] for each in command.params if isinstance(each, click.Argument)]
    to = any("--to" in each.opts for each in command.params)
    ours = words_of(command).keys() - PORTAL_S
    for option in options(command):
        needed = ["--to", "sqlite:///a.db"] if to and "--to" not in option.opts else []
        for nonsense in ("no such, {thing}", "-1"):
            told = ods(*words, *filter(None, given), *needed, f"{option.opts[-1]}={nonsense}").err
            assert not {name for name in NAMED.findall(told) if name in ours}, told
            assert "argument" not in told.partition("Error:")[2], told
