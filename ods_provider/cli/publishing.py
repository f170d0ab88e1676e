"""``ods publish-file`` and ``ods publish``: make a file a dataset's data, and make public what was prepared."""

from __future__ import annotations

from typing import Any

import click

from ods_provider.cli.options import Words, dataset_argument, pairs, shared_options

_timeout = click.option(
    "--timeout", metavar="SECONDS", help="Seconds to wait for the portal; it goes on with its work after them. [none]"
)
_no_wait = click.option(
    "--no-wait", is_flag=True, help="Do not wait for the portal: end with 75, and the same command goes on."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Tell what would be done, and change nothing.")


@click.command("publish-file")
@dataset_argument()
@click.argument("path", metavar="FILE")
@click.option("--resource", metavar="NAME", help="Uid or title of the resource that takes FILE. [the only one]")
@click.option(
    "--new-title", metavar="TITLE", help="Where there is no DATASET yet, make it under this title, restricted. [none]"
)
@click.option("--extractor", metavar="NAME", help="The portal's extractor, such as csvfile. [told by FILE]")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="Parameter of the extractor; may be repeated.",
)
@click.option("--delimiter", metavar="MARK", help="Between the cells of a CSV; tab for one. [told by the rows]")
@click.option("--encoding", metavar="NAME", help="Encoding of a CSV, such as cp1252. [the resource's, or UTF-8]")
@click.option(
    "--if-unchanged",
    type=Words("skip", "keep", "publish"),
    default="skip",
    show_default=True,
    help="When the portal has the same already. skip ends with 3.",
)
@click.option("--max-errors", metavar="N", default="0", show_default=True, help="Cells that may not fit their fields.")
@click.option("--min-rows", metavar="N", default="0", help="Fewer rows than this are not published.")
@click.option(
    "--max-drop",
    metavar="SHARE",
    default="20%",
    show_default=True,
    help="How many rows less than before may be: a share, a number, or none for no limit.",
)
@click.option(
    "--no-restore",
    "restore",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Leave the new file in place when its publication fails.",
)
@_timeout
@_no_wait
@_dry_run
@shared_options
def publish_file(path: str, no_wait: bool, **given: Any) -> None:
    """Make FILE the data of DATASET, without a gap, and prove that its rows show.

    FILE is CSV, TSV, JSON lines, JSON, GeoJSON, xlsx or Parquet: a path, or a URL such as s3://bucket/key. When its
    publication fails, what was public before is public again. The API key needs edit_dataset and publish_dataset.

    \b
    ods publish-file trees trees.csv --min-rows 1000
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.running import absolute
    from ods_provider.jobs.arguments import publish_file_job

    given["path"] = absolute(path)
    given["params"] = _typed(given["params"]) or None
    told = {name: given[name] for name in ("dataset_id", "path", "resource", "extractor", "params", "dry_run")}
    _run(publish_file_job, "publish-file", told, given, wait=not no_wait)


@click.command()
@dataset_argument()
@click.option("--metadata-only", is_flag=True, help="Publish the metadata alone: no record is read.")
@click.option("--unpublish", is_flag=True, help="Withdraw the dataset instead; a realtime one may lose its records.")
@_timeout
@click.option("--abort-on-timeout", is_flag=True, help="Tell the portal to stop when --timeout is over.")
@_no_wait
@_dry_run
@click.option("--yes", is_flag=True, help="With --unpublish: ask no question.")
@shared_options
def publish(metadata_only: bool, unpublish: bool, no_wait: bool, yes: bool, **given: Any) -> None:
    """Publish DATASET as it is prepared, and wait for the portal to end it.

    \b
    ods publish trees --metadata-only
    """  # noqa: D301  click wants the character itself
    import sys

    from ods_provider.jobs.arguments import publish_job

    if metadata_only and unpublish:
        raise click.UsageError("Give one of --metadata-only and --unpublish.")
    if unpublish and not (yes or given["dry_run"]):
        if not sys.stdin.isatty():
            raise click.UsageError("--unpublish withdraws the dataset from its readers: say so with --yes.")
        click.confirm(f"Withdraw {given['dataset_id']} from its readers?", abort=True, err=True)
    given["action"] = "unpublish" if unpublish else "publish_metadata" if metadata_only else "publish"
    told = {name: given[name] for name in ("dataset_id", "action", "dry_run")}
    _run(publish_job, "publish", told, given, wait=not no_wait)


def _run(make: Any, command: str, told: dict[str, Any], given: dict[str, Any], *, wait: bool) -> None:
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import identity, run
    from ods_provider.cli.wording import made

    show_outcome(run(made(make, **given), identity=identity(command, told), wait=wait, now=True))


def _typed(params: Any) -> Any:
    """Return parameters with the types that an extractor wants: numbers and truths come as text from a shell."""
    if not isinstance(params, dict):
        return params
    words: dict[str, Any] = {"true": True, "false": False}
    return {
        name: words.get(text.lower(), int(text) if text.isascii() and text.isdigit() else text)
        for name, text in params.items()
    }
