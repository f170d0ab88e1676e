"""``ods harvest`` and ``ods visibility``: bring in what another portal has, and say who sees a dataset."""

from __future__ import annotations

import sys
from typing import Any

import click

from ods_provider.cli.options import dataset_argument, shared_options

_timeout = click.option(
    "--timeout", metavar="SECONDS", help="Seconds to wait for the portal; it goes on with its work after them. [none]"
)
_no_wait = click.option(
    "--no-wait", is_flag=True, help="Do not wait for the portal: end with 75, and the same command goes on."
)
_dry_run = click.option("--dry-run", is_flag=True, help="Tell what would be done, and change nothing.")


@click.command()
@click.argument("harvester_id", metavar="HARVESTER")
@click.option(
    "--no-publish",
    "publish",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Only harvest: nobody sees what came.",
)
@click.option(
    "--max-errors", metavar="N", default="0", show_default=True, help="Datasets that may fail before it ends with 1."
)
@_timeout
@_no_wait
@_dry_run
@shared_options
def harvest(no_wait: bool, **given: Any) -> None:
    """Run HARVESTER, publish its datasets, and wait for each of them. HARVESTER is its uid, or its name.

    A run that is under way is waited for, not started twice. What the portal says of single datasets is told, the
    first ten, after all others are published.

    \b
    ods harvest town-gardens --max-errors 3
    """  # noqa: D301  click wants the character itself
    from ods_provider.jobs.arguments import harvest_job

    told = {name: given[name] for name in ("harvester_id", "publish", "dry_run")}
    _run(harvest_job, "harvest", told, given, wait=not no_wait)


def _public(ctx: click.Context, argument: click.Parameter, word: str) -> bool:
    words = {"public": True, "true": True, "restricted": False, "false": False}
    if word.lower() not in words:
        raise click.BadParameter(f"{word!r} is neither public nor restricted", ctx, argument)
    return words[word.lower()]


@click.command()
@dataset_argument()
@click.argument("public", metavar="public|restricted", callback=_public)
@_timeout
@_no_wait
@_dry_run
@click.option("-y", "--yes", is_flag=True, help="Before something becomes public: ask no question.")
@shared_options
def visibility(yes: bool, no_wait: bool, **given: Any) -> None:
    """Make DATASET public or restricted, and end once a call without a key sees it, or no longer sees it.

    Where that does not show at once, the dataset is published as it is prepared. The API key needs edit_dataset,
    publish_dataset and manage_dataset.

    \b
    ods visibility election-results public --yes
    """  # noqa: D301  click wants the character itself
    from ods_provider.jobs.arguments import visibility_job

    if given["public"] and not (yes or given["dry_run"]):
        # What was public cannot be taken back from who has read it; closing must never wait for an answer.
        if not sys.stdin.isatty():
            raise click.UsageError("public shows the dataset to everybody: say so with --yes.")
        click.confirm(f"Show {given['dataset_id']} to everybody?", abort=True, err=True)
    told = {name: given[name] for name in ("dataset_id", "public", "dry_run")}
    _run(visibility_job, "visibility", told, given, wait=not no_wait)


def _run(make: Any, command: str, told: dict[str, Any], given: dict[str, Any], *, wait: bool) -> None:
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import identity, run
    from ods_provider.cli.wording import made

    show_outcome(run(made(make, **given), identity=identity(command, told), wait=wait, now=True))
