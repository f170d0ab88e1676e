"""A file that a command reads and that is not there: one sentence, in every command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from every_command import commands

from ods_provider.testing.portal import LocalPortal

NONE = "nowhere.json"
LIVE = ("live-readings", "realtime")
READ = {
    ("attachments", "add", "path"): ("world-capitals", NONE),
    ("check", "dags"): (NONE,),
    ("delete", "path"): (*LIVE, NONE),
    ("login", "client_secret_file"): ("--client-id", "mine", "--client-secret-file", NONE),
    ("metadata", "set", "file"): ("world-capitals", "--from", NONE),
    ("publish-file", "path"): ("world-capitals", NONE),
    ("push", "path"): (*LIVE, NONE),
    ("sync", "path"): (*LIVE, NONE),
}
# They write it, or name one on the portal.
OTHERS = {
    ("analyze", "path"),
    ("attachments", "remove", "file"),
    ("datasets", "path"),
    ("download", "path"),
    ("media", "path"),
    ("portal", "ready_file"),
    ("records", "path"),
}
SHARED = ("key_file", "push_key_file")


def test_every_file_that_a_command_names_is_known_here() -> None:
    named = {
        (*words, str(param.name))
        for words, command in commands()
        for param in command.params
        if ("FILE" in (param.metavar or "") or "path" in str(param.type).lower() or param.name == "path")
        and param.name not in SHARED
    }
    assert named == READ.keys() | OTHERS


@pytest.mark.parametrize(("command", "words"), READ.items())
@pytest.mark.parametrize("folder", [False, True])
def test_a_file_that_is_not_there_is_named(
    ods: Callable[..., Any], ods_portal: LocalPortal, tmp_path: Any, command: Any, words: Any, folder: bool
) -> None:
    if folder:
        if command == ("check", "dags"):
            return  # a folder is as good there
        (tmp_path / "here" / NONE).mkdir()
    told = ods(*command[:-1], *words)
    assert told.code in (1, 2)
    line = told.err.splitlines()[-1]
    assert line.startswith("Error: there is no file "), line
    assert f"{NONE} (" in line and "Error(" not in line and "Destination" not in line
    assert not [call for call in ods_portal.requests if call.method != "GET"]


def test_a_key_file_that_is_not_there_is_named(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    keyed = ods("--host", ods_portal.url, "--key-file", NONE, "datasets")
    assert (keyed.code, f"Error: there is no file {NONE} (--key-file)" in keyed.err) == (2, True)
    keyed = ods("--push-key-file", NONE, "push", *LIVE, NONE)
    assert (keyed.code, f"Error: there is no file {NONE} (--push-key-file)" in keyed.err) == (2, True)
    assert not ods_portal.requests
