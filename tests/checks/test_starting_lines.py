"""How every job's first line reads: the names of all jobs are gathered, and each has its sentence here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ods_provider
from ods_provider.core.events import JobStarted
from ods_provider.core.narrate import narrate

TREE = Path(ods_provider.__file__).parent
LINES = {
    "analysis": "Starting the analysis of trees",
    "assembly": "Starting the joining of the parts of trees",
    "attachments add": "Starting the addition of an attachment to trees",
    "attachments list": "Starting the look at the attachments of trees",
    "attachments remove": "Starting the removal of an attachment from trees",
    "dataset create": "Starting the making of the dataset trees",
    "dataset delete": "Starting the deletion of the dataset trees",
    "delete": "Starting the deletion of records from trees",
    "download": "Starting the download of trees",
    "harvest": "Starting the harvest of trees",
    "load": "Starting the load of trees",
    "look": "Starting the look at trees",
    "media": "Starting the media fetch of trees",
    "metadata": "Starting the change of the metadata of trees",
    "mirror": "Starting the mirror of trees",
    "mirror plan": "Starting the plan of the mirror of trees",
    "mirror report": "Starting the report on the mirror of trees",
    "partition": "Starting the cutting into parts of trees",
    "publish": "Starting the publication of trees",
    "publish-file": "Starting the publication of a file in trees",
    "push": "Starting the push into trees",
    "quota": "Starting the look at the quota of trees",
    "search": "Starting the search of trees",
    "sync": "Starting the sync of trees",
    "visibility": "Starting the change of visibility of trees",
    "watch": "Starting the watch of trees",
}
# `push` is called by what it does; what `attachments` and `datasets` do by its command.
BY_PROPERTY = {
    "push",
    "delete",
    "attachments list",
    "attachments add",
    "attachments remove",
    "dataset create",
    "dataset delete",
}


def named() -> Iterator[str]:
    """Yield the name of every job: of a class of ``jobs``, or of a question that a command asks."""
    for path in TREE.rglob("*.py"):
        room = path.relative_to(TREE).parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            value: ast.expr | None = None
            if room == "jobs" and isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "name":
                value = node.value
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Ask":
                value = node.args[0]
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def test_the_name_of_every_job_is_known_here() -> None:
    assert {*named()} | BY_PROPERTY == LINES.keys()


@pytest.mark.parametrize(("job", "line"), LINES.items())
def test_the_first_line_of_a_job_reads_well(job: str, line: str) -> None:
    told = narrate(JobStarted(job, "trees", False))
    assert told is not None and told[1] == line
    without = narrate(JobStarted(job, None, True))
    assert without is not None
    begun, _, rest = line.partition(" the ")
    head = rest.removesuffix(" trees")
    assert without[1].startswith("Going on with the ") and head.startswith(
        without[1].removeprefix("Going on with the ")
    )
    assert begun == "Starting" and not without[1].endswith((" of", " to", " from", " into", " in"))
