"""``ods download`` and ``ods media``: bring what a portal holds into files."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import click
from click.shell_completion import CompletionItem

from ods_provider.cli.options import facets, pairs, query_options, shared_options, waiting_options

DEFAULT_FORMAT = "parquet"
KINDS = ("attachments", "alternative_exports", "files", "thumbnails")


def _formats(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from ods_provider.core.formats.registry import format_names

    return [CompletionItem(name) for name in format_names() if name.startswith(incomplete)]


@click.command()
@click.argument("dataset_id")
@click.argument("path", required=False)
@click.option(
    "--format",
    metavar="NAME",
    shell_complete=_formats,
    help="csv, jsonl, parquet, … [by PATH's ending; parquet without one]",
)
@query_options
@click.option("--group-by", metavar="ODSQL", help="Group the rows on the portal.")
@click.option("--format-option", multiple=True, metavar="NAME=VALUE", callback=pairs, help="The format's own option.")
@click.option(
    "--if-moved",
    type=click.Choice(["retry", "fail", "accept"]),
    default="retry",
    show_default=True,
    help="When the dataset is republished meanwhile.",
)
@click.option("--min-rows", type=click.IntRange(min=0), default=0, help="Fewer rows than this are an error.")
@waiting_options
@shared_options
def download(
    dataset_id: str,
    path: str | None,
    format: str | None,
    limit: int | None,
    format_option: dict[str, str],
    if_moved: Any,
    min_rows: int,
    wait: bool,
    now: bool,
    **query: Any,
) -> None:
    """Bring a dataset into a file that holds exactly its rows.

    The file appears under its name only when its rows agree with what the portal counts; an older one is replaced in
    one step. PATH is a path or a URL such as s3://bucket/key; without it the file is DATASET_ID.parquet, here.

    \b
    ods download cities cities.csv --where 'population > 100000'
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import file_place, run
    from ods_provider.core.formats.registry import format_named
    from ods_provider.core.query import Query
    from ods_provider.jobs.download import DownloadJob
    from ods_provider.sinks.names import safe_name

    place = None if path is None else file_place(path)
    chosen = format_named(format or (_by_ending(path) if path else DEFAULT_FORMAT))
    place = place or file_place(f"{safe_name(dataset_id)}.{chosen.name}")
    asked = Query.of(**query)
    job = DownloadJob(
        dataset_id=dataset_id,
        path=place,
        format=chosen,
        query=asked,
        limit=limit,
        format_options=format_option,
        if_moved=if_moved,
        min_rows=min_rows,
    )
    identity = {
        "command": "download",
        "dataset_id": dataset_id,
        "path": place,
        "format": [chosen.name, format_option],
        "query": asked,
        "limit": limit,
    }
    show_outcome(run(job, identity=identity, wait=wait, now=now))


def _by_ending(path: str) -> str:
    """Return the format that a path's ending names; the default for a path that has none.

    Raises:
        UsageError: The ending is no format's.
    """
    from ods_provider.core.formats.registry import format_names

    ending = PurePosixPath(path).suffix[1:].lower()
    if not ending:
        return DEFAULT_FORMAT
    found = {"xls": "xlsx", "ndjson": "jsonl", "rdf": "rdfxml", "ics": "ical", "ttl": "turtle"}.get(ending, ending)
    known = format_names()
    if found not in known:
        # Not a guess: a file whose ending says one thing and whose content is another deceives whoever reads it.
        raise click.UsageError(
            f"The ending .{ending} names no format. Known are {', '.join(known)}; --format NAME writes one of them "
            f"under any name."
        )
    return found


@click.command()
@click.argument("dataset_id")
@click.argument("folder")
@click.option("--kind", type=click.Choice(KINDS), default="attachments", show_default=True, help="Which files.")
@click.option("--field", metavar="NAME", help="The field whose files are wanted; needed when there are several.")
@click.option("--where", multiple=True, metavar="ODSQL", help="Filter on the records whose files are wanted.")
@click.option("--refine", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet of them to keep.")
@click.option("--exclude", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet of them to drop.")
@click.option("--limit", type=click.IntRange(min=1), help="Files at most.")
@click.option("--parallel", type=click.IntRange(1, 32), default=4, show_default=True, help="Files at the same time.")
@waiting_options
@shared_options
def media(
    dataset_id: str, folder: str, refine: Any, exclude: Any, parallel: int, wait: bool, now: bool, **which: Any
) -> None:
    """Fetch a dataset's attachments, or the files of its records, into a folder, with a manifest of them.

    \b
    ods media landmarks photos/ --kind files --where 'year > 2020'
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import absolute, run
    from ods_provider.core.query import Query
    from ods_provider.jobs.media import MediaJob

    place = absolute(folder)
    which["query"] = Query.of(refine=refine, exclude=exclude)
    job = MediaJob(dataset_id, place, parallel=parallel, **which)
    identity = {"command": "media", "dataset_id": dataset_id, "path": place, **which}
    show_outcome(run(job, identity=identity, wait=wait, now=now))
