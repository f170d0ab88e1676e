"""``ods sync``: a realtime dataset made equal to a file, after a question where rows would go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from ods_provider.cli.agreeing import Question, agreeing
from ods_provider.cli.options import dataset_argument, shared_options, waiting_options
from ods_provider.cli.sending import source_of, written_options
from ods_provider.cli.settings import Settings
from ods_provider.core.counting import counted

_KINDS = ("new", "changed", "gone", "equal")


@click.command()
@dataset_argument()
@click.argument("resource_id")
@click.argument("path", metavar="FILE")
@click.option(
    "--key",
    multiple=True,
    metavar="FIELD",
    help="Field that tells a row from all others; may be repeated. [those annotated as id]",
)
@click.option(
    "--max-delete",
    metavar="SHARE",
    default="10%",
    show_default=True,
    help="How many of the rows that stand may go: a share, or a number.",
)
@click.option(
    "--keep-missing",
    "delete_missing",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Delete nothing that FILE lacks.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan, and send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing before rows are deleted.")
@written_options
@waiting_options
@shared_options
def sync(path: str, yes: bool, wait: bool, now: bool, **given: Any) -> None:
    """Make a realtime dataset equal to FILE: push what is new or changed, delete what vanished, read it back.

    FILE is as in `ods push`, and holds all rows. The plan is shown first; before rows are deleted you are asked, and
    where nobody can be asked, --yes is needed. More than --max-delete, or an empty FILE, changes nothing at all.

    \b
    ods sync stock live stock.csv --dry-run
    ods sync stock live stock.csv --yes
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import run
    from ods_provider.cli.wording import made
    from ods_provider.core.checkpoint import fingerprint
    from ods_provider.jobs.arguments import sync_job

    settings = click.get_current_context().ensure_object(Settings)
    with source_of(path) as source:
        given |= source
        deletes = given["delete_missing"] and not yes
        agree = agreeing(
            settings,
            show=lambda plan: show_plan(plan, err=True),
            question=lambda plan: _question(plan, deletes=deletes),
        )
        job = replace(made(sync_job, **given), agree=agree)
        identity = {"command": "sync", "what": fingerprint(**given)}
        done = run(job, identity=identity, wait=wait, now=now)
    if given["dry_run"] and not settings.json:
        show_plan(done)
    else:
        show_outcome(done)


def _question(plan: Mapping[str, Any], *, deletes: bool) -> Question | None:
    from ods_provider.core.errors import OdsConfigError

    if not (deletes and plan["gone"]):
        return None
    return Question(
        f"Delete {plan['gone']:,} of {counted(plan['standing'], 'rows')}?",
        OdsConfigError(
            f"{counted(plan['gone'], 'rows')} would be deleted, and nobody can be asked here",
            where="--yes",
            advice="Nothing was changed. Pass --yes, or --keep-missing; --dry-run shows what would be done",
        ),
    )


def show_plan(plan: Mapping[str, Any], *, err: bool = False) -> None:
    """Print what is to be done as a table, with some rows of each kind.

    Args:
        plan: What an Outcome says of it.
        err: Whether it goes to standard error.
    """
    from ods_provider.cli.printing import note, show_rows

    samples = plan["samples"]
    show_rows([{"": kind, "rows": plan[kind], "such as": _such_as(samples.get(kind, ()))} for kind in _KINDS], err=err)
    if plan.get("note"):
        note(plan["note"])


def _such_as(samples: Any) -> str:
    from ods_provider.cli.printing import cell

    def told(sample: Mapping[str, Any]) -> str:
        if "fields" not in sample:
            return ", ".join(f"{name} {cell(value)}" for name, value in sample.items())
        changes = (f"{name}: {cell(stands)} → {cell(comes)}" for name, (stands, comes) in sample["fields"].items())
        return f"{told(sample['key'])} ({', '.join(changes)})"

    return "; ".join(map(told, samples))
