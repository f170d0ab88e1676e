"""``ods watch`` and ``ods quota``: what changes on a portal while nobody looks."""

from __future__ import annotations

from typing import Any

import click

from ods_provider.cli.options import Words, dataset_argument, monitoring_option, shared_options
from ods_provider.core.counting import counted


@click.command()
@dataset_argument()
@click.option(
    "--what",
    type=Words("data", "metadata", "any"),
    default="data",
    show_default=True,
    help="What counts as an update.",
)
@click.option("--since", metavar="TIME", help="A time of the portal; what is newer is an update.  [what is there now]")
@click.option(
    "--every",
    "poll_interval_s",
    metavar="SECONDS",
    default="300",
    show_default=True,
    help="Seconds between two looks; each costs one call. With --look every run is one.",
)
@click.option("--once", is_flag=True, help="End after one update.")
@click.option(
    "--look", is_flag=True, help="Do not wait: end with 0 when there is an update, with 75 when there is none."
)
@monitoring_option
@click.option("--now", is_flag=True, help="Ask the portal although the time it named has not come.")
@shared_options
def watch(since: str | None, once: bool, look: bool, now: bool, **given: Any) -> None:
    """Wait for updates of a dataset, and print each.

    Only times of the portal are compared. An empty --since knows of nothing, so that whatever is there is an update.
    What a download printed becomes what is known only once that download is whole:

    \b
    ods watch cities --look --since "$(jq -r '.data_processed // empty' cities.json)" &&
        ods download cities --json > cities.new && mv cities.new cities.json
    """  # noqa: D301  click wants the character itself
    from dataclasses import replace

    from ods_provider.cli.ending import Waiting
    from ods_provider.cli.running import session
    from ods_provider.cli.wording import made
    from ods_provider.core.source import named
    from ods_provider.jobs.arguments import watch_job

    if look and since is None:
        raise click.UsageError("--look goes with --since: what is an update depends on what is known.")
    job = made(watch_job, since=since, **given)
    known = since is not None
    while True:
        with session() as at_work:
            of = named(job.source, job.dataset_id)
            name = at_work.name(command="watch", dataset_id=of, what=job.what, since=str(job.since))
            try:
                found = at_work.run(job, name, wait=not look, now=now)
            except Waiting as wait:
                raise Waiting(wait.until, wait.reason, "Run it again after that, or without --look.") from None
        if known:
            _show_update(found)
        if known and (once or look):
            return
        # The first look only tells what is there.
        job, known, now = replace(job, since=found), True, False


def _show_update(found: dict[str, Any]) -> None:
    from ods_provider.cli.printing import cell, show_json, wants_json

    if wants_json():
        show_json(found)
        return
    rows = "" if found["records_count"] is None else f"  {counted(found['records_count'], 'records')}"
    click.echo(f"{found['data_processed'] or found['modified']}  {cell(found['dataset_id'])}{rows}")


@click.command()
@dataset_argument(required=False)
@shared_options
def quota(dataset_id: str | None) -> None:
    """Show what is left of the portal's quota, and of DATASET's own where it has one.

    It costs one call, which counts. A quota that is used up is an answer, too.
    """
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.printing import show_json, show_pairs, wants_json, when
    from ods_provider.cli.running import session
    from ods_provider.cli.wording import made
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.plans import freshness

    dataset_id = None if dataset_id is None else made(dataset_named, dataset_id)
    job = Ask("quota", dataset_id, lambda ctx: ctx.client.run(freshness.quota(ctx.client.quota, dataset_id, 0)))
    with session() as at_work:
        found = freshness.as_result(at_work.run(job, at_work.name(command="quota", dataset_id=dataset_id), now=True))
    if wants_json():
        show_json(found)
    elif found["limit"] is None and found["remaining"] is None:
        click.echo("The portal states no quota.")
    else:
        numbers = {"calls left": found["remaining"], "of": found["limit"]}
        known = {name: f"{value:,}" for name, value in numbers.items() if value is not None}
        show_pairs(known | ({"until": when(found["reset_at"], exact=True)} if found["reset_at"] is not None else {}))
