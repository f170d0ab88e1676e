"""No sentence says "1 rows": numbers are told by ``counted``, with what they count."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ods_provider
from ods_provider.core.counting import counted, verb

TREE = Path(ods_provider.__file__).parent
# Speak to developers, or are the portal that is asked.
BESIDE = ("testing", "conformance", "example_dags")
NOUNS = (
    "rows|records|keys|files|calls|fields|datasets|batches|parts|values|cells|attachments|resources|errors|columns|"
    "lines|groups|pages|tables|attempts|deletions"
)
BEFORE = re.compile(rf"^ ({NOUNS})\b")
# Never one: bounds of ours, what is told of several only, and speeds.
SEVERAL = {
    "cli/attaching.py: attachments",
    "client/trying.py: calls",
    "core/narrate.py: rows/s",
    "core/narrate.py: calls",
    "core/plans/automation/datasets.py: datasets",
    "jobs/publishing/making.py: datasets",
    "core/formats/tables.py: rows",
    "core/plans/freshness.py: calls",
    "core/plans/lookups.py: groups",
    "core/plans/lookups.py: values",
    "core/plans/rows.py: rows",
    "core/plans/v1/calls.py: rows",
    "core/plans/v1/rows.py: rows",
}


def found(name: str, text: str) -> set[str]:
    told = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            for number, after in zip(node.values, node.values[1:], strict=False):
                if isinstance(number, ast.FormattedValue) and isinstance(after, ast.Constant):
                    noun = BEFORE.match(str(after.value))
                    if noun:
                        speed = "/s" if str(after.value).startswith(f" {noun[1]}/s") else ""
                        told.add(f"{name}: {noun[1]}{speed}")
    return told


def test_a_number_before_a_noun_is_counted() -> None:
    every = {str(path.relative_to(TREE)): path.read_text(encoding="utf-8") for path in TREE.rglob("*.py")}
    told = {each for name, text in every.items() if not name.startswith(BESIDE) for each in found(name, text)}
    assert told == SEVERAL


def test_it_is_seen() -> None:
    assert found("a.py", 'f"{n:,} rows went"') == {"a.py: rows"}
    assert found("a.py", "f\"{counted(n, 'rows')} went\"") == set()


@pytest.mark.parametrize(
    ("number", "units", "total", "said"),
    [
        (1, "rows", None, "1 row"),
        (0, "rows", None, "0 rows"),
        (1200, "batches", None, "1,200 batches"),
        (1, "batches", None, "1 batch"),
        (1, "entries", None, "1 entry"),
        (1, "values that people pinned", None, "1 value that people pinned"),
        (1, "rows", 2, "1 of 2 rows"),
        (0, "rows", 1, "0 of 1 row"),
    ],
)
def test_one_is_told_as_one(number: int, units: str, total: int | None, said: str) -> None:
    assert counted(number, units, total) == said


def test_the_verb_goes_with_it() -> None:
    assert [verb(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]
