"""``ods push`` and ``ods delete``: what a realtime dataset shall hold, and what it shall hold no longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ods_provider.cli.options import Words, shared_options, waiting_options

_batch = click.option(
    "--batch-bytes",
    metavar="N",
    default="5000000",
    show_default=True,
    help="Largest body of one call.",
)


def _written(command: Callable[..., Any]) -> Callable[..., Any]:
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
@click.argument("dataset_id")
@click.argument("resource_id")
@click.argument("path", metavar="FILE")
@click.option(
    "--file-field", "file_fields", multiple=True, metavar="NAME", help="Field whose values are paths of files to send."
)
@click.option("--confirm", is_flag=True, help="Read the records back, and fail when one does not show.")
@_written
@_batch
@waiting_options
@shared_options
def push(path: str, wait: bool, now: bool, **given: Any) -> None:
    """Push the records in FILE into a realtime dataset.

    FILE is JSON lines, JSON, GeoJSON, CSV or Parquet, told by its ending; - reads JSON lines from standard input. The
    push key comes from --push-key-file, ODS_PUSH_API_KEY, or the profile.
    """
    _send(given | _source(path) | {"action": "push"}, wait=wait, now=now)


@click.command()
@click.argument("dataset_id")
@click.argument("resource_id")
@click.argument("path", metavar="FILE", required=False)
@click.option("--record-id", multiple=True, metavar="ID", help="Delete the record with this id instead.")
@_written
@_batch
@waiting_options
@shared_options
def delete(path: str | None, record_id: tuple[str, ...], wait: bool, now: bool, **given: Any) -> None:
    """Delete records from a realtime dataset: those in FILE, by their values, or some by their ids."""
    if (path is None) == (not record_id):
        raise click.UsageError("Give either FILE or --record-id.")
    source = {"record_id": record_id} if path is None else _source(path)
    _send(given | source | {"action": "delete"}, wait=wait, now=now)


def _source(path: str) -> dict[str, Any]:
    from ods_provider.cli.running import absolute

    return {"records": _from_stdin()} if path == "-" else {"path": absolute(path)}


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


def _from_stdin() -> list[dict[str, Any]]:
    import sys

    from ods_provider.core.errors import OdsConfigError
    from ods_provider.sources.recordfiles import json_lines

    def bad(what: str) -> OdsConfigError:
        return OdsConfigError(what, where="standard input", advice="Correct it; nothing was sent")

    return list(json_lines(sys.stdin.buffer, bad))
