"""Results on standard output: tables for people, JSON for machines."""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ods_provider.cli.settings import Settings
from ods_provider.cli.wording import in_options
from ods_provider.core.legible import escaped_json, legible, legible_json
from ods_provider.core.narrate import age, size, summary
from ods_provider.core.times import seconds_between, utc_now

NARROWEST = 12  # columns of the screen that a field needs to be legible
_CSV_CHARS = 65_536  # before they are handed on
_SHOWN = {
    "path": "file",
    "table": "table",
    "rows": "rows",
    "new": "new",
    "changed": "changed",
    "gone": "gone",
    "equal": "equal",
    "pushed": "pushed",
    "inserted": "inserted",
    "updated": "updated",
    "deleted": "deleted",
    "table_rows": "rows in the table",
    "watermark": "loaded up to",
    "files": "files",
    "batches": "batches",
    "size_bytes": "size",
    "sha256": "sha256",
    "verified": "verified",
    "confirmed": "read back",
    "manifest": "manifest",
    "data_processed": "data of",
    "rows_shown": "rows shown",
    "equal_rows": "equal rows",
    "records_errors": "cells that do not fit",
    "resource": "resource",
    "changed_fields": "changed",
    "kept_fields": "kept",
    "harvester": "harvester",
    "attached": "datasets",
    "published": "published",
    "errors": "failures",
    "failed": "failed",
    "public": "public",
    "anonymous": "anybody sees",
    "action": "action",
    "status": "status",
    "unchanged": "unchanged",
    "moved": "republished meanwhile",
    "note": "note",
    "calls": "calls",
    "quota_remaining": "calls left",
}


def wants_json() -> bool:
    """Return whether the command was asked for JSON."""
    return click.get_current_context().ensure_object(Settings).json


def show_json(value: Any) -> None:
    """Print one value on one line."""
    click.echo(_for_everybody(legible_json(json.dumps(value, ensure_ascii=False, default=str))))


def _for_everybody(text: str) -> str:
    """Return JSON as it is where standard output is UTF-8, else escaped: every reader takes ASCII for what it is."""
    return text if text.isascii() or codecs.lookup(sys.stdout.encoding).name == "utf-8" else escaped_json(text)


def show_outcome(outcome: Mapping[str, Any]) -> None:
    """Print what came of a job: JSON, a list for a terminal, or one line."""
    if wants_json():
        show_json(outcome)
        return
    if outcome.get("note"):
        outcome = {**outcome, "note": in_options(str(outcome["note"]))}
    if not sys.stdout.isatty():
        click.echo(summary(outcome))
    else:
        shown = _SHOWN | ({"rows": "rows deleted"} if outcome.get("action") == "delete" else {})
        known = {key: title for key, title in shown.items() if outcome.get(key) not in (None, False, [])}
        show_pairs({title: _value(key, outcome[key]) for key, title in known.items()})


def _value(key: str, value: Any) -> str:
    if key == "size_bytes":
        return f"{size(value)} ({value:,} bytes)"
    if key in ("changed_fields", "kept_fields"):
        return ", ".join(each["field"] for each in value) or "nothing"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return cell(value) if isinstance(value, bool) or not isinstance(value, int) else f"{value:,}"


def show_pairs(pairs: Mapping[str, Any], *, err: bool = False) -> None:
    """Print names and values, one pair a line; to standard error where ``err``."""
    width = max((len(cell(name)) for name in pairs), default=0)
    for name, value in pairs.items():
        click.echo(f"{click.style(cell(name).ljust(width), dim=True)}  {cell(value)}", err=err)


def copy_rows(path: Path) -> None:
    """Print a JSON lines file and remove it."""
    # To a reader that is a program the bytes are the same as in a file.
    seen = sys.stdout.isatty()
    with path.open(encoding="utf-8") as file:
        # At once, so that whoever kills this leaves nothing: an open file can be read without a name.
        path.unlink()
        for line in file:
            click.echo(_for_everybody(legible_json(line) if seen else line), nl=False)


def copy_csv(path: Path, show: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None) -> None:
    """Print a JSON lines file as CSV and remove it.

    Args:
        path: The file.
        show: Makes a row of what a line holds; None takes it as it is.
    """
    with path.open(encoding="utf-8") as file:
        path.unlink()

        def rows() -> Iterator[Mapping[str, Any]]:
            file.seek(0)
            for line in file:
                row = json.loads(line)
                yield show(row) if show else row

        show_csv(rows)


def show_csv(rows: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
    """Print rows as CSV as RFC 4180 has it, in UTF-8 unless a person looks.

    Args:
        rows: Begins anew with every call: the names of all come first.
    """
    names = list(dict.fromkeys(name for row in rows() for name in row))
    if not names:
        return
    seen = sys.stdout.isatty()
    kept = io.StringIO(newline="")
    write = csv.writer(kept).writerow
    write([legible(name) if seen else name for name in names])
    for row in rows():
        texts = [_in_csv(row.get(name)) for name in names]
        write([legible(text) for text in texts] if seen else texts)
        if kept.tell() > _CSV_CHARS:
            _give(kept, seen=seen)
    _give(kept, seen=seen)


def _give(kept: io.StringIO, *, seen: bool) -> None:
    if seen:
        click.echo(kept.getvalue(), nl=False)
    else:
        # A file of that kind says nowhere how it is encoded: programs expect what the portal's own exports are.
        click.echo(kept.getvalue().encode("utf-8", "backslashreplace"), nl=False)
    kept.seek(0)
    kept.truncate()


def _in_csv(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def show_rows(rows: Sequence[Mapping[str, Any]], *, err: bool = False) -> None:
    """Print rows as a table, as wide as it must be where nobody looks at it; field by field where they are too many.

    Args:
        rows: The rows.
        err: Whether they go to standard error.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    names = list(dict.fromkeys(name for row in rows for name in row))
    console = Console(highlight=False, file=sys.stderr if err else sys.stdout)
    if console.is_terminal and len(names) * NARROWEST > console.width:
        for row in rows:
            show_pairs({name: row.get(name) for name in names}, err=err)
            click.echo(err=err)
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in names:
        numbers = all(isinstance(row.get(name), (int, float, type(None))) for row in rows)
        table.add_column(_plain(name), justify="right" if numbers and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_plain(row.get(name)) for name in names))
    if not console.is_terminal:
        console.width = max(1, console.measure(table, options=console.options.update(max_width=100_000)).maximum)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip(), err=err)


def _plain(value: Any) -> Any:
    # What a portal calls its fields is as foreign as what stands in them: square brackets are no markup in either.
    from rich.text import Text

    return Text(cell(value))


def cell(value: Any) -> str:
    """Return a value as the text of a cell: one line, nothing for null, JSON for what is nested."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list, tuple)):
        return legible_json(json.dumps(value, ensure_ascii=False, default=str))
    return legible(str(value))


def when(text: str | None, *, exact: bool = False) -> str | None:
    """Return a moment as people like to read it where somebody looks, and as it is elsewhere.

    Args:
        text: The moment as the portal spelled it, or None.
        exact: Whether to tell it too, beside its age.
    """
    far_s = seconds_between(text, utc_now())
    if text is None or far_s is None or not sys.stdout.isatty():
        return text
    return f"{age(far_s)} ({text})" if exact else age(far_s)


def note(text: str) -> None:
    """Say something about the result to people, beside it."""
    if not click.get_current_context().ensure_object(Settings).quiet:
        click.echo(legible(in_options(text)), err=True)
