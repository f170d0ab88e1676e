"""Make the table in docs/schedulers.md of the results that a run left.

Usage: python docs/tools/scheduler_table.py /tmp/table, after the scenarios were run with ODS_TABLE_DIR=/tmp/table.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "schedulers.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
JOBS = {"media": "media: 40 files", "search": "search: 30 pages"}
HEAD = (
    "| scheduler | job | same as the portal's | confirmed units asked for again | waits, kills "
    "| worker free while waiting | how it waits | s |\n|---|---|---|---|---|---|---|---|"
)


def table(results: list[dict[str, Any]]) -> str:
    """Return the table, one row per scheduler and job."""
    ordered = sorted(results, key=lambda row: (row["job"], row["scheduler"].lower()))
    return "\n".join([HEAD, *(_row(result) for result in ordered)])


def _row(result: dict[str, Any]) -> str:
    cells = [
        f"{result['scheduler']} {result['version']}".strip(),
        JOBS[result["job"]],
        "yes" if result["identical"] else "no",
        f"none of {result['units']}",
        f"{result['waits']}, {result['kills']}",
        _freed(result),
        result["why"],
        f"{result['wall_s']:.0f}",
    ]
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _freed(result: dict[str, Any]) -> str:
    """Say whether the process that worked was gone during the waits, as it was measured."""
    measured = set(result["freed_measured"])
    if measured != {result["worker_freed"]}:
        raise SystemExit(f"{result['scheduler']}: said {result['worker_freed']}, measured {result['freed_measured']}")
    return "yes" if result["worker_freed"] else "no"


def main(folder: str, page: Path = PAGE) -> None:
    """Read the results in ``folder`` and write the table between the page's marks."""
    results = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
    if not results:
        raise SystemExit(f"no results in {folder}: run the scenarios with ODS_TABLE_DIR={folder}")
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{page} has lost its marks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1])
