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
@_batch
@waiting_options
@shared_options
def push(dataset_id: str, resource_id: str, file: str, batch_bytes: int, wait: bool, now: bool) -> None:
    """Push the records in FILE into a realtime dataset.

    FILE is JSON lines, JSON, CSV or Parquet, told by its ending; - reads JSON lines from standard input. The push key
    comes from --push-key-file, ODS_PUSH_API_KEY, or the profile.
    """
    _send("push", dataset_id, resource_id, file, batch_bytes=batch_bytes, wait=wait, now=now)


@click.command()
@click.argument("dataset_id")
@click.argument("resource_id")
@click.argument("file", required=False)
@click.option("--record-id", metavar="ID", help="Delete this one record instead.")
@_batch
@waiting_options
@shared_options
def delete(
    dataset_id: str,
    resource_id: str,
    file: str | None,
    record_id: str | None,
    batch_bytes: int,
    wait: bool,
    now: bool,
) -> None:
    """Delete records from a realtime dataset: those in FILE, by their values, or one by its id."""
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import run

    if (file is None) == (record_id is None):
        raise click.UsageError("Give either FILE or --record-id.")
    if file is not None:
        _send("delete", dataset_id, resource_id, file, batch_bytes=batch_bytes, wait=wait, now=now)
        return
    job = Ask("delete", dataset_id, lambda ctx: ctx.client.delete(dataset_id, resource_id, record_id=record_id))
    identity = {"command": "delete", "resource": [dataset_id, resource_id], "record_id": record_id}
    show_outcome(run(job, identity=identity, wait=wait, now=now))


def _send(
    action: Any, dataset_id: str, resource_id: str, file: str, *, batch_bytes: int, wait: bool, now: bool
) -> None:
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import absolute, run
    from ods_provider.core.checkpoint import fingerprint
    from ods_provider.jobs.push import PushJob

    source: dict[str, Any] = {"records": _from_stdin()} if file == "-" else {"path": absolute(file)}
    job = PushJob(dataset_id, resource_id, action=action, batch_bytes=batch_bytes, **source)
    # Of records that come from a pipe nothing is known but what they are.
    named = source.get("path") or fingerprint(**source)
    identity = {"command": action, "resource": [dataset_id, resource_id], "batch_bytes": batch_bytes, "from": named}
    show_outcome(run(job, identity=identity, wait=wait, now=now))


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
