"""Print docs/coverage.md: what of the platform's APIs is reachable, and where. Usage: python docs/tools/coverage.py

With --check it only says whether the page is behind the rows.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from coverage_automation import AUTOMATION  # noqa: E402  found once the tests are on the path
from coverage_automation import ROOT as AUTOMATION_ROOT  # noqa: E402
from coverage_rows import OUT_OF_SCOPE, ROWS, SIGNINGS  # noqa: E402

PAGE = ROOT / "docs" / "coverage.md"
HEAD = """# What is covered

Every endpoint and every parameter of the platform's data APIs, with the client's method and the operator that reach it.
Each row is a test: `tests/docs/test_coverage.py` makes the call over a socket against the local portal, which serves
all of them, and finds the parameter in the portal's log. The page is made by `python docs/tools/coverage.py`.

A query that is too long for a URL is sent by POST where the API takes one (Search v1.0), and is an error that says so
elsewhere. Where a row names no operator, a task asks the client: `OdsHook().get_conn()`.
"""

SIGNED = """
## Authentication

Who a call is made for, as the portal's log has it; more in [authentication](authentication.md).
`ods login` opens the page `GET /oauth2/authorize/` and asks `POST /oauth2/token/` first; workers refresh by themselves.

| what is sent | asked for in the connection by |
|---|---|"""


AUTOMATED = f"""
## Automation API v1.0

What editors do, below `{AUTOMATION_ROOT}`, by `client.automation` ([its page](automation.md)). Little of this API is
public: the last column says what a call is held against besides the local portal. *spec* is the vendor's description,
*recorded body* one that a portal or a script was seen to send, *our reading* stands where neither says enough.

| endpoint | client | tested against |
|---|---|---|"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    parts.append(SIGNED)
    parts += [f"| {way.sent} | {way.connection} |" for way in SIGNINGS]
    for api, rows in groupby(ROWS, key=lambda row: row.api):
        parts.append(f"\n## {api}\n\n| endpoint | parameter | client | operator |\n|---|---|---|---|")
        parts += [_line(row) for row in sorted(rows, key=lambda row: row.endpoint)]
    parts.append(AUTOMATED)
    parts += [_automated(row) for row in AUTOMATION]
    parts.append("\n## Out of scope, and why\n")
    parts += [f"- {what}: {why}." for what, why in OUT_OF_SCOPE.items()]
    return "\n".join(parts) + "\n"


def _line(row) -> str:  # type: ignore[no-untyped-def]
    cells = (row.endpoint, row.parameter, row.client, row.operator)
    return "| " + " | ".join(f"`{cell}`" if cell else "" for cell in cells) + " |"


def _automated(row) -> str:  # type: ignore[no-untyped-def]
    method, _, path = row.endpoint.partition(" ")
    asked = f"{method} {path.removeprefix(AUTOMATION_ROOT)}" + (f"?{row.parameter}=" if row.parameter else "")
    return f"| `{asked}` | `{row.client}` | {row.beside} |"


def main() -> int:
    """Write the page, or check it."""
    made = page()
    if "--check" in sys.argv:
        return 0 if PAGE.read_text() == made else 1
    PAGE.write_text(made)
    print(f"{len(ROWS) + len(AUTOMATION)} rows written to {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
