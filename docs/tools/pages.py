"""Fill what the pages take from the code: examples out of DAGs that run, arguments out of docstrings.

A page marks such a place and this tool writes what is between the marks:

    <!-- example: ods_provider/example_dags/ods_howto.py download -->   the lines between START and END download
    <!-- arguments: ods_provider/operators/download.py OdsDownloadOperator -->   a table of the class's arguments
    <!-- errors -->   the tree of errors
    <!-- end -->

Usage: python docs/tools/pages.py, or with --check to see whether that would change anything.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PLACE = re.compile(r"(<!-- (example|arguments|errors):? ?([^\n]*?) ?-->\n).*?(<!-- end -->)", re.DOTALL)
_ARGUMENT = re.compile(r"^    (\w[\w, ]*?): (.*)$")
# What the base classes add to every operator and sensor.
_COMMON = {
    "ods_conn_id": "Connection of type `ods`.",
    "deferrable": "Whether a long wait is spent in the triggerer; `[operators] default_deferrable` where "
    "somebody set it, else True. Without it an operator is rescheduled, and a sensor waits as its `mode` says.",
    "max_failures": "How many failed runs in a row [are tolerated](../airflow-running.md#a-flaky-source): the task is "
    "skipped, and told. The next one fails.",
}
_DEFAULTS = {"ods_conn_id": '"ods_default"', "deferrable": "None", "max_failures": "0"}


def filled(text: str) -> str:
    """Return a page with its marked places filled."""

    def place(found: re.Match[str]) -> str:
        kind, said = found[2], found[3].split()
        made = {"example": example, "arguments": arguments, "errors": errors}[kind](*said)
        return f"{found[1]}{made}\n{found[4]}"

    return _PLACE.sub(place, text)


def example(path: str, name: str) -> str:
    """Return the lines of a file between ``# [START name]`` and ``# [END name]`` as a block of code."""
    source = (ROOT / path).read_text()
    found = re.search(rf"^ *# \[START {name}\]\n(.*?)^ *# \[END {name}\]$", source, re.DOTALL | re.MULTILINE)
    if not found:
        raise SystemExit(f"{path} marks no lines [START {name}]")
    code = re.sub(r"  # (?:noqa|type: ignore)[^\n]*", "", textwrap.dedent(found[1]).strip("\n"))
    language = {".sh": "sh", ".yaml": "yaml"}.get(Path(path).suffix, "python")
    return f"```{language}\n{code}\n```"


def arguments(path: str, name: str) -> str:
    """Return the table of a class's arguments: default and meaning."""
    tree = ast.parse((ROOT / path).read_text())
    made = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    meanings = _meanings(ast.get_docstring(made) or "")
    init = next(node for node in made.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    defaults = {
        argument.arg: "required" if default is None else f"`{ast.unparse(default)}`"
        for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
    }
    missing = sorted(set(defaults) - set(meanings))
    if missing:
        raise SystemExit(f"the docstring of {name} does not explain {', '.join(missing)}")
    if init.args.kwarg:
        defaults |= {key: f"`{value}`" for key, value in _DEFAULTS.items() if key not in defaults}
    rows = [f"| `{key}` | {default} | {meanings.get(key) or _COMMON[key]} |" for key, default in defaults.items()]
    return "\n".join(["| argument | default | |", "|---|---|---|", *rows])


def _meanings(docstring: str) -> dict[str, str]:
    section = re.search(r"^Args:\n((?:    .*\n?|\n)+)", docstring, re.MULTILINE)
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in section[1].splitlines() if section else ():
        begun = _ARGUMENT.match(line)
        if begun:
            names = [name.strip() for name in begun[1].split(",")]
            meanings |= dict.fromkeys(names, begun[2])
        else:
            meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
    return {name: said.replace("``", "`").replace("|", "\\|").strip() for name, said in meanings.items()}


def errors() -> str:
    """Return the tree that the errors' module draws."""
    docstring = ast.get_docstring(ast.parse((ROOT / "ods_provider/core/errors.py").read_text())) or ""
    tree = docstring.partition("::\n\n")[2].partition("\n\n")[0]
    return f"```text\n{textwrap.dedent(tree)}\n```"


def main() -> int:
    """Fill the pages, or say which ones are behind the code."""
    behind = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text()
        made = filled(text)
        if made != text:
            behind.append(str(page.relative_to(ROOT)))
            if "--check" not in sys.argv:
                page.write_text(made)
    for name in behind:
        print(f"{name} {'is behind the code' if '--check' in sys.argv else 'was filled'}")
    return 1 if behind and "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
