"""``ods download`` and ``ods media``: bring what a portal holds into files."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from ods_provider.cli.options import (
    Words,
    dataset_argument,
    facets,
    monitoring_option,
    pairs,
    query_options,
    shared_options,
    unchanged_option,
    waiting_options,
)

KINDS = ("attachments", "alternative_exports", "files", "thumbnails")


def _formats(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from ods_provider.core.formats.registry import format_names

    return [CompletionItem(name) for name in format_names() if name.startswith(incomplete)]


@click.command()
@dataset_argument()
@click.argument("path", required=False)
@click.option(
    "--format",
    metavar="NAME",
    shell_complete=_formats,
    help="csv, jsonl, parquet, … [by PATH's ending; parquet without one]",
)
@query_options
@click.option("--group-by", metavar="ODSQL", help="Group the rows on the portal.")
@click.option(
    "--format-option",
    "format_options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="The format's own option; may be repeated.",
)
@click.option(
    "--if-moved",
    type=Words("retry", "fail", "accept"),
    default="retry",
    show_default=True,
    help="When the dataset is republished meanwhile.",
)
@click.option("--min-rows", metavar="N", default="0", help="Fewer rows than this are an error.")
@unchanged_option
@click.option("--parallel", metavar="N", default="1", show_default=True, help="Streams at once, 1 to 32, or auto.")
@click.option("--partition-by", metavar="FIELD", help="Field that the streams' parts are cut by. [finds one]")
@click.option(
    "--layout",
    type=Words("file", "folder"),
    default="file",
    show_default=True,
    help="One file, or a folder of parts.",
)
@monitoring_option
@waiting_options
@shared_options
def download(dataset_id: str, path: str | None, wait: bool, now: bool, **given: Any) -> None:
    """Bring a dataset into a file that holds exactly its rows.

    The file appears under its name only when its rows agree with what the portal counts; an older one is replaced in
    one step. PATH is a path or a URL such as s3://bucket/key; without it the file is DATASET.parquet, here. PATH's
    ending says the format, and cities.csv.gz comes as gzip.

    \b
    ods download cities cities.csv --where 'population > 100000'
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import absolute, identity, run
    from ods_provider.cli.wording import made
    from ods_provider.core.formats.endings import file_name
    from ods_provider.jobs.arguments import download_job
    from ods_provider.sinks.names import safe_name

    named = path if path is not None else file_name(safe_name(dataset_id), given["format"], given["format_options"])
    given |= {"dataset_id": dataset_id, "path": absolute(named)}
    job = made(download_job, **given)
    show_outcome(run(job, identity=identity("download", given), wait=wait, now=now))


@click.command()
@dataset_argument()
@click.argument("path", metavar="FOLDER")
@click.option("--kind", type=Words(*KINDS), default="attachments", show_default=True, help="Which files.")
@click.option("--field", metavar="NAME", help="The field whose files are wanted; needed when there are several.")
@click.option(
    "--where", multiple=True, metavar="ODSQL", help="Filter on the records whose files are wanted; may be repeated."
)
@click.option(
    "--refine", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet of them to keep; may be repeated."
)
@click.option(
    "--exclude", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet of them to drop; may be repeated."
)
@click.option("--limit", metavar="N", help="Files at most.")
@click.option("--parallel", metavar="N", default="4", show_default=True, help="Files at the same time, 1 to 32.")
@click.option(
    "--if-missing",
    type=Words("fail", "skip"),
    default="fail",
    show_default=True,
    help="When a file is listed and not there; the others come all the same.",
)
@unchanged_option
@waiting_options
@shared_options
def media(path: str, wait: bool, now: bool, **given: Any) -> None:
    """Fetch a dataset's attachments, or the files of its records, into a folder, with a manifest of them.

    \b
    ods media landmarks photos/ --kind files --where 'year > 2020'
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import absolute, identity, run
    from ods_provider.cli.wording import made
    from ods_provider.jobs.arguments import media_job

    given |= {"path": absolute(path)}
    job = made(media_job, **given)
    show_outcome(run(job, identity=identity("media", given), wait=wait, now=now))
