"""``ods push`` and ``ods delete``: what a realtime dataset shall hold, and what it shall hold no longer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from ods_provider.cli.options import Words, dataset_argument, shared_options, waiting_options

_RECORD = re.compile(r"\brecord (\d{1,12})\b")
_batch = click.option(
    "--batch-bytes",
    metavar="N",
    default="5000000",
    show_default=True,
    help="Largest body of one call.",
)


def written_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how FILE is written, and what of it the dataset must know."""
    for option in (
        click.option(
            "--unknown-fields",
            type=Words("refuse", "send"),
            default="refuse",
            show_default=True,
            help="Fields that the dataset's schema does not name.",
        ),
        click.option("--encoding", metavar="NAME", help="Encoding of a CSV, such as cp1252. [UTF-8]"),
        click.option("--delimiter", metavar="MARK", help="Between the cells of a CSV; tab for one. [told by the rows]"),
    ):
        command = option(command)
    return command


@click.command()
@dataset_argument()
@click.argument("resource_id")
@click.argument("path", metavar="FILE")
@click.option(
    "--file-field",
    "file_fields",
    multiple=True,
    metavar="NAME",
    help="Field whose values are paths of files to send; may be repeated.",
)
@click.option("--confirm", is_flag=True, help="Read the records back, and fail when one does not show.")
@written_options
@_batch
@waiting_options
@shared_options
def push(path: str, wait: bool, now: bool, **given: Any) -> None:
    """Push the records in FILE into a realtime dataset.

    FILE is JSON lines, JSON, GeoJSON, CSV or Parquet, told by its ending; - reads JSON lines from standard input.
    Messages count the records of a file from 0, and name those of standard input by their lines. The push key comes
    from --push-key-file, ODS_PUSH_API_KEY, or the profile.
    """
    with source_of(path) as source:
        _send(given | source | {"action": "push"}, wait=wait, now=now)


@click.command()
@dataset_argument()
@click.argument("resource_id")
@click.argument("path", metavar="[FILE]", required=False)
@click.option(
    "--record-id", multiple=True, metavar="ID", help="Delete the record with this id instead; may be repeated."
)
@written_options
@_batch
@waiting_options
@shared_options
def delete(path: str | None, record_id: tuple[str, ...], wait: bool, now: bool, **given: Any) -> None:
    """Delete records from a realtime dataset: those in FILE, by their values, or some by their ids.

    Give either FILE or --record-id. FILE is as in `ods push`. `ods records DATASET --include-app-metas` shows ids.
    """
    if (path is None) == (not record_id):
        raise click.UsageError("Give either FILE or --record-id.")
    if path is None:
        _send(given | {"record_id": record_id, "action": "delete"}, wait=wait, now=now)
        return
    with source_of(path) as source:
        _send(given | source | {"action": "delete"}, wait=wait, now=now)


@contextmanager
def source_of(path: str) -> Iterator[dict[str, Any]]:
    """Give where the records come from; what is wrong with those of standard input is told by their lines."""
    from ods_provider.cli.running import absolute
    from ods_provider.core.errors import OdsConfigError
    from ods_provider.core.shapes import is_envelope

    if path != "-":
        yield {"path": absolute(path)}
        return
    records, lines = _from_stdin()
    # Of an envelope, the records inside are counted.
    known = {} if any(map(is_envelope, records[:1])) else dict(enumerate(lines))

    def placed(text: str) -> str:
        return _RECORD.sub(lambda found: f"line {known[int(found[1])]}" if int(found[1]) in known else found[0], text)

    try:
        yield {"records": records}
    except OdsConfigError as error:
        error.reword(placed, "what", "where")
        raise


def _send(given: dict[str, Any], *, wait: bool, now: bool) -> None:
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import run
    from ods_provider.cli.wording import made
    from ods_provider.core.checkpoint import fingerprint
    from ods_provider.jobs.arguments import push_job

    job = made(push_job, **given)
    # A digest: records that come from a pipe are named by what they are.
    identity = {"command": job.action, "what": fingerprint(**given)}
    show_outcome(run(job, identity=identity, wait=wait, now=now))


def _from_stdin() -> tuple[list[dict[str, Any]], list[int]]:
    """Return the records and the number of the line that each stands on."""
    import sys

    from ods_provider.core.errors import OdsConfigError
    from ods_provider.sources.recordfiles import json_lines

    def bad(what: str) -> OdsConfigError:
        return OdsConfigError(what, where="standard input", advice="Correct it; nothing was sent")

    lines = []

    def noted() -> Iterator[bytes]:
        for number, line in enumerate(sys.stdin.buffer, start=1):
            if line.strip():
                lines.append(number)
            yield line

    return list(json_lines(noted(), bad)), lines
