from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shell import on_a_terminal, plain

from ods_provider.testing.portal import LocalPortal

FIELDS = {"id": {"type": "int", "annotations": {"id": True}}, "name": "text"}
NAME = ("sync", "stock", "live")


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"n{number}"} for number in numbers]


@pytest.fixture
def file(ods: Callable[..., Any], ods_portal: LocalPortal, tmp_path: Path) -> Path:
    """A file that lacks one of the twenty rows that stand, and changes one."""
    ods_portal.add_dataset("stock", FIELDS, rows(*range(20)), resource="live")
    path = tmp_path / "here" / "stock.csv"
    path.write_text("id,name\n" + "".join(f"{n},{'[red]x' if n == 7 else f'n{n}'}\n" for n in range(1, 21)))
    return path


def standing(portal: LocalPortal) -> list[int]:
    return sorted(row["id"] for row in portal.rows("stock"))


@pytest.mark.usefixtures("file")
def test_a_dry_run_shows_the_plan_and_sends_nothing(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    told = ods(*NAME, "stock.csv", "--dry-run")
    assert told.code == 0
    lines = [line.split() for line in told.out.splitlines()]
    assert ["new", "1", "id", "20"] in lines and ["gone", "1", "id", "0"] in lines
    assert ["changed", "1", "id", "7", "(name:", "n7", "→", "[red]x)"] in lines
    assert standing(ods_portal) == list(range(20))
    assert ods(*NAME, "stock.csv", "--dry-run", "--json").json["samples"]["gone"] == [{"id": 0}]


@pytest.mark.at_length
@pytest.mark.usefixtures("file")
def test_where_nobody_can_be_asked_nothing_is_deleted_without_yes(
    ods: Callable[..., Any], ods_portal: LocalPortal
) -> None:
    refused = ods(*NAME, "stock.csv")
    assert (refused.code, "1 row would be deleted, and nobody can be asked here (--yes)" in refused.err) == (2, True)
    assert standing(ods_portal) == list(range(20))
    done = ods(*NAME, "stock.csv", "--yes", "--json").json
    assert (done["new"], done["changed"], done["gone"], done["pushed"], done["deleted"]) == (1, 1, 1, 2, 1)
    assert standing(ods_portal) == list(range(1, 21))
    again = ods(*NAME, "stock.csv")
    assert again.out.startswith("20 rows, 0 batches, 0 new, 0 changed, 0 gone, 20 equal, unchanged")


@pytest.mark.usefixtures("file")
def test_what_the_file_lacks_is_kept_without_a_question(ods: Callable[..., Any], ods_portal: LocalPortal) -> None:
    assert ods(*NAME, "stock.csv", "--keep-missing").code == 0
    assert standing(ods_portal) == list(range(21))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--max-delete", "0"), "--max-delete lets 0 go"),
        (("--max-delete", "0"), "pass --max-delete 1 this time"),
        (("--max-delete", "half"), "--max-delete='half' is neither a share nor a number"),
        (("--key", "name"), "tells its rows apart by id, and --key names name"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_command_line(
    ods: Callable[..., Any], ods_portal: LocalPortal, file: Path, words: tuple[str, ...], said: str
) -> None:
    refused = ods(*NAME, "stock.csv", "--yes", *words)
    assert refused.code in (1, 2) and said in refused.err, refused.err
    assert standing(ods_portal) == list(range(20))


def test_records_come_from_a_pipe(ods: Callable[..., Any], ods_portal: LocalPortal, file: Path) -> None:
    piped = "".join(json.dumps(row) + "\n" for row in rows(*range(19)))
    assert ods(*NAME, "-", "--yes", input=piped).code == 0
    assert standing(ods_portal) == list(range(19))
    bad = ods(*NAME, "-", "--yes", input='{"id": 1}\n\n{"id": "one"}\n')
    assert "line 3, field id: 'one' is no whole number" in bad.err


@pytest.mark.at_length
@pytest.mark.parametrize(("word", "code", "left"), [("y", 0, range(1, 21)), ("n", 1, range(20)), ("", 1, range(20))])
def test_on_a_terminal_the_plan_is_shown_and_a_deletion_asked_for(
    ods_portal: LocalPortal,
    file: Path,
    surroundings: dict[str, str],
    tmp_path: Path,
    word: str,
    code: int,
    left: range,
) -> None:
    keys = [(b"Delete 1 of 20 rows? [y/N]:", f"{word}\n".encode())]
    ended, got = on_a_terminal([*NAME, str(file)], surroundings, tmp_path, keys=keys)
    shown = plain(got)
    assert ended == code, shown
    assert shown.count("Delete 1 of 20 rows?") == 1 and "[red]x" in shown and "gone" in shown
    assert standing(ods_portal) == list(left)
    assert not list((tmp_path / "state").rglob("*.jsonl"))
