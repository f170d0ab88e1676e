"""``ods datasets create`` and ``ods datasets delete`` against the local portal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from shell import on_a_terminal, plain

from ods_provider.testing.portal import LocalPortal


def orders(portal: LocalPortal) -> list[str]:
    return [call.method for call in portal.requests if call.method not in ("GET", "HEAD")]


@pytest.mark.at_length
def test_a_dataset_is_made_restricted_and_takes_a_file(
    ods: Callable[..., Any], ods_portal: LocalPortal, tmp_path: Any
) -> None:
    told = ods("datasets", "create", "trees", "--title", "Trees of the town", "--language", "en")
    assert told.code == 0, told.err
    assert told.out.startswith("trees is made as da_") and told.out.endswith(": restricted, and not published\n")
    shown = ods("metadata", "get", "trees", "default", "--json").json
    assert shown["default.title"]["value"] == "Trees of the town"
    assert shown["default.language"]["value"] == "en"
    (tmp_path / "here" / "trees.csv").write_text("name,n\nElm,1\n")
    assert ods("publish-file", "trees", "trees.csv").code == 0
    assert ods("records", "trees", "--json").rows == [{"name": "Elm", "n": 1}]
    ods_portal.requests.clear()
    again = ods("datasets", "create", "trees", "--title", "Others")
    assert (again.code, "there is a dataset with the id 'trees' already: da_" in again.err) == (2, True)
    assert "(DATASET). Change that one, or choose another id." in again.err
    assert orders(ods_portal) == []


def test_it_is_public_only_when_told_and_a_dry_run_makes_none(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    would = ods("datasets", "create", "trees", "--title", "Trees", "--dry-run")
    assert (would.code, would.out) == (0, "trees would be made: restricted, and not published\n")
    assert orders(ods_portal) == []
    made = ods("datasets", "create", "trees", "--title", "Trees", "--public", "--json").json
    assert (made["dataset_id"], made["is_restricted"]) == ("trees", False)
    assert orders(ods_portal) == ["POST"]
    assert ods("datasets", "create", "trees", "--title", "Trees", "--dry-run").code == 2


@pytest.mark.parametrize("words", [("trees",), ("trees", "--title", " "), (" ", "--title", "Trees")])
def test_what_lacks_is_said_before_anything_is_asked(
    ods: Callable[..., Any], ods_portal: LocalPortal, words: tuple[str, ...]
) -> None:
    refused = ods("datasets", "create", *words)
    assert refused.code == 2 and ("--title" in refused.err or "DATASET is empty" in refused.err)
    assert not ods_portal.requests


def test_a_dataset_is_deleted_with_yes_only_where_nobody_can_be_asked(
    ods: Callable[..., Any], ods_portal: LocalPortal
) -> None:
    refused = ods("datasets", "delete", "world-capitals")
    assert (refused.code, "say so with --yes" in refused.err) == (2, True)
    assert not ods_portal.requests
    would = ods("datasets", "delete", "world-capitals", "--dry-run")
    assert "would be deleted" in would.out and orders(ods_portal) == []
    done = ods("datasets", "delete", "world-capitals", "--yes")
    assert (done.code, done.out.startswith("world-capitals (da_")) == (0, True), done.err
    assert orders(ods_portal) == ["DELETE"]
    gone = ods("datasets", "delete", "world-capitals", "--yes")
    assert (gone.code, "no dataset of this id" in gone.err) == (1, True)


def test_without_a_command_datasets_are_listed(ods: Callable[..., Any]) -> None:
    assert "world-capitals" in ods("datasets").out
    assert len(ods("datasets", "--json", "--limit", "2").rows) == 2
    assert ods("datasets", "nonsense").code == 2


@pytest.mark.at_length
def test_a_person_is_asked_before_a_dataset_goes(surroundings: Any, tmp_path: Any, ods_portal: LocalPortal) -> None:
    words = ["datasets", "delete", "world-capitals"]
    code, shown = on_a_terminal(words, surroundings, tmp_path, keys=[(b"for good?", b"n\n")])
    assert (code, "Delete world-capitals with all that it holds" in plain(shown)) == (1, True)
    assert not ods_portal.requests
    code, _ = on_a_terminal(words, surroundings, tmp_path, keys=[(b"for good?", b"y\n")])
    assert (code, orders(ods_portal)) == (0, ["DELETE"])
