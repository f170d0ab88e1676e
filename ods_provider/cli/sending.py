"""``ods push`` and ``ods delete``: what a realtime dataset shall hold, and what it shall hold no longer."""

from __future__ import annotations

from typing import Any

import click

from ods_provider.cli.options import shared_options, waiting_options

_batch = click.option(
    "--batch-bytes",
    type=click.IntRange(min=100),
    default=5_000_000,
    show_default=True,
    help="Largest body of one call.",
)


@click.command()
@click.argument("dataset_id")
@click.argument("resource_id")
@click.argument("file")
@click.option("--file-field", multiple=True, metavar="NAME", help="Field whose values are paths of files to send.")
@click.option("--confirm", is_flag=True, help="Read the records back, and fail when one does not show.")
@_batch
@waiting_options
@shared_options
def push(
    dataset_id: str,
    resource_id: str,
    file: str,
    file_field: tuple[str, ...],
    confirm: bool,
    batch_bytes: int,
    wait: bool,
    now: bool,
) -> None:
    """Push the records in FILE into a realtime dataset.

    FILE is JSON lines, JSON, CSV or Parquet, told by its ending; - reads JSON lines from standard input. The push key
    comes from --push-key-file, ODS_PUSH_API_KEY, or the profile.
    """
    how = {"action": "push", "batch_bytes": batch_bytes, "file_fields": file_field, "confirm": confirm}
    _send(dataset_id, resource_id, _source(file) | how, wait=wait, now=now)


@click.command()
@click.argument("dataset_id")
@click.argument("resource_id")
@click.argument("file", required=False)
@click.option("--record-id", multiple=True, metavar="ID", help="Delete the record with this id instead.")
@_batch
@waiting_options
@shared_options
def delete(
    dataset_id: str,
    resource_id: str,
    file: str | None,
    record_id: tuple[str, ...],
    batch_bytes: int,
    wait: bool,
    now: bool,
) -> None:
    """Delete records from a realtime dataset: those in FILE, by their values, or some by their ids."""
    if (file is None) == (not record_id):
        raise click.UsageError("Give either FILE or --record-id.")
    source = {"record_ids": record_id} if file is None else _source(file)
    _send(dataset_id, resource_id, source | {"action": "delete", "batch_bytes": batch_bytes}, wait=wait, now=now)


def _source(file: str) -> dict[str, Any]:
    from ods_provider.cli.running import absolute

    return {"records": _from_stdin()} if file == "-" else {"path": absolute(file)}


def _send(dataset_id: str, resource_id: str, what: dict[str, Any], *, wait: bool, now: bool) -> None:
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import run
    from ods_provider.core.checkpoint import fingerprint
    from ods_provider.core.connection import PUSH_KEY
    from ods_provider.core.errors import OdsConfigError
    from ods_provider.jobs.push import PushJob

    job = PushJob(dataset_id, resource_id, **what)
    # A digest: records that come from a pipe are named by what they are.
    identity = {"command": what["action"], "resource": [dataset_id, resource_id], "what": fingerprint(**what)}
    try:
        sent = run(job, identity=identity, wait=wait, now=now)
    except OdsConfigError as error:
        if error.where != PUSH_KEY:
            raise
        # An extra is what a connection of a scheduler has.
        raise OdsConfigError(
            error.what,
            advice="Use --push-key-file FILE, set ODS_PUSH_API_KEY, or put push_api_key_file into the profile",
        ) from None
    show_outcome(sent)


def _from_stdin() -> list[dict[str, Any]]:
    import json
    import sys

    found: list[dict[str, Any]] = []
    for number, line in enumerate(sys.stdin.buffer, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise click.BadParameter(f"line {number} of standard input is not JSON: {error}") from None
        if not isinstance(record, dict):
            raise click.BadParameter(f"line {number} of standard input is no object")
        found.append(record)
    return found
