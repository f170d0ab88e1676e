"""``ods datasets create`` and ``ods datasets delete``: a dataset's first draft, and its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ods_provider.cli.options import dataset_argument, shared_options

if TYPE_CHECKING:
    from ods_provider.jobs.context import JobContext

_dry_run = click.option("--dry-run", is_flag=True, help="Tell what would be done, and change nothing.")


@click.command()
@dataset_argument()
@click.option("--title", metavar="TEXT", required=True, help="What people read.")
@click.option("--language", metavar="CODE", help="Of its texts, such as fr.")
@click.option(
    "--restricted/--public",
    default=True,
    show_default="restricted",
    help="Who sees it once it is published: only whom a rule lets, or everybody.",
)
@_dry_run
@shared_options
def create(dataset_id: str, title: str, language: str | None, restricted: bool, dry_run: bool) -> None:
    """Make the dataset DATASET, restricted and without records. Nobody sees it until it is published.

    The API key needs create_dataset. An id that is taken is an error, and changes nothing.

    \b
    ods datasets create trees --title 'Trees of the town' --language en
    ods publish-file trees trees.csv
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.wording import made
    from ods_provider.core.given import required
    from ods_provider.core.plans.automation import datasets

    values = {"title": {"value": made(required, "title", title)}, "language": {"value": (language or "").strip()}}

    def work(ctx: JobContext, named: str) -> dict[str, Any]:
        seen = {"dataset_id": named, "is_restricted": restricted}
        if dry_run:
            ctx.client.run(datasets.expect_free(named))
            return {**seen, "dry_run": True}
        return seen | ctx.client.run(datasets.create({"default": values}, dataset_id=named, is_restricted=restricted))

    done = _ask("create", dataset_id, work, told={"title": title, "restricted": restricted, "dry_run": dry_run})
    who = "restricted" if done["is_restricted"] else "public"
    if dry_run:
        _show(done, f"{done['dataset_id']} would be made: {who}, and not published")
    else:
        _show(done, f"{done['dataset_id']} is made as {done['uid']}: {who}, and not published")


@click.command()
@dataset_argument()
@_dry_run
@click.option("-y", "--yes", is_flag=True, help="Ask no question.")
@shared_options
def delete(dataset_id: str, dry_run: bool, yes: bool) -> None:
    """Delete DATASET for good: its records, files, attachments and versions too, published or not.

    \b
    ods datasets delete trees --yes
    """  # noqa: D301  click wants the character itself
    from ods_provider.core.plans.automation import datasets

    if not (yes or dry_run):
        if not sys.stdin.isatty():
            raise click.UsageError("The dataset would be gone for good: say so with --yes.")
        click.confirm(f"Delete {dataset_id} with all that it holds, for good?", abort=True, err=True)

    def work(ctx: JobContext, named: str) -> dict[str, Any]:
        found = ctx.client.run(datasets.found(named))
        if not dry_run:
            ctx.client.run(datasets.delete(str(found["uid"])))
        return {"dataset_id": found.get("dataset_id"), "uid": found["uid"], "deleted": not dry_run, "dry_run": dry_run}

    done = _ask("delete", dataset_id, work, told={"dry_run": dry_run})
    _show(done, f"{done['dataset_id']} ({done['uid']}) {'would be' if dry_run else 'is'} deleted")


def _ask(
    what: str, dataset_id: str, work: Callable[[JobContext, str], dict[str, Any]], *, told: dict[str, Any]
) -> dict[str, Any]:
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.running import identity, run
    from ods_provider.cli.wording import made
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.given import required

    named = dataset_named(made(required, "dataset_id", dataset_id))
    job = Ask(f"dataset {what}", named, lambda ctx: work(ctx, named))
    done: dict[str, Any] = run(job, identity=identity(f"datasets {what}", {"dataset_id": named, **told}))
    return done


def _show(done: dict[str, Any], said: str) -> None:
    from ods_provider.cli.printing import show_json, wants_json
    from ods_provider.core.legible import legible

    if wants_json():
        show_json(done)
    else:
        click.echo(legible(said))
