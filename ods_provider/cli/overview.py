"""``ods status``: how datasets are, many of them by few calls."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ods_provider.cli.options import shared_options, waiting_options

if TYPE_CHECKING:
    from ods_provider.core.plans.automation.overview import Standing
    from ods_provider.jobs.context import JobContext

FAILED = 1


@click.command()
@click.argument("names", metavar="[DATASET]...", nargs=-1)
@click.option(
    "--where", multiple=True, metavar="ODSQL", help="Filter on the catalogue; may be repeated, and all must hold."
)
@click.option("--search", metavar="TEXT", help="Only those of the catalogue that hold this text.")
@click.option("--failed", "only_failed", is_flag=True, help="Only those whose last publication failed.")
@click.option("--check", is_flag=True, help="Ask each for its own status, and end with 1 when one has failed.")
@waiting_options
@shared_options
def status(
    names: tuple[str, ...],
    where: tuple[str, ...],
    search: str | None,
    only_failed: bool,
    check: bool,
    wait: bool,
    now: bool,
) -> None:
    """Show how datasets are: published or not, how old the data, how many rows, what failed.

    Without a DATASET all are shown that the key may edit, and those of the catalogue, by one call for each hundred or
    so. What failed is known to each dataset alone: it is asked of those that are named, and with --check or --failed of
    all, one call each.

    \b
    ods status --check > status.txt || mail -s 'datasets failed' team@example.org < status.txt
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.printing import note, show_json, show_rows, wants_json
    from ods_provider.cli.running import identity, read
    from ods_provider.cli.wording import own_words
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.given import clauses
    from ods_provider.core.odsql import literal
    from ods_provider.core.plans.automation.overview import standings

    with own_words():
        ids = [dataset_named(name) for name in names]
        filters = [*clauses("where", where), *([f"search({literal(search)})"] if search else [])]
    each = bool(names) or check or only_failed

    def ask(ctx: JobContext) -> list[Standing]:
        return ctx.client.run(standings(ids, where=filters, each=each))

    of = identity("status", {"names": ids, "where": filters, "each": each})
    job = Ask("look", ids[0] if len(ids) == 1 else None, ask)
    found: list[Standing] = read(lambda name: job, identity=of, wait=wait, now=now)
    failed = [one for one in found if one.failed]
    shown = failed if only_failed else found
    if wants_json():
        for one in shown:
            show_json(_exact(one))
    elif shown:
        show_rows([_row(one) for one in shown])
        if not each and not all(one.asked for one in shown):
            note("The status is the catalogue's, which does not tell what failed since: --check asks each dataset.")
    else:
        note("None has failed." if only_failed else "No datasets match.")
    if check and failed:
        note(f"{len(failed)} of {len(found)} failed.")
        sys.exit(FAILED)


def _row(one: Standing) -> dict[str, Any]:
    from ods_provider.cli.printing import when
    from ods_provider.core.counting import counted
    from ods_provider.core.times import iso

    who = {None: "", True: "restricted", False: "public"}[one.restricted]
    errors = one.message or (counted(one.records_errors, "cells") if one.records_errors else None)
    return {
        "dataset": one.dataset_id,
        "title": one.title,
        "seen by": who if one.published else "nobody" if one.published is False else None,
        "status": one.status,
        "records": one.records,
        "data of": when(iso(one.data_processed)),
        "errors": errors,
    }


def _exact(one: Standing) -> dict[str, Any]:
    from ods_provider.core.times import iso

    return {
        "dataset_id": one.dataset_id,
        "uid": one.uid,
        "title": one.title,
        "is_published": one.published,
        "is_restricted": one.restricted,
        "status": one.status,
        "message": one.message,
        "records_errors": one.records_errors,
        "records_count": one.records,
        "data_processed": iso(one.data_processed),
        "modified": iso(one.modified),
        "asked": one.asked,
        "failed": one.failed,
    }
