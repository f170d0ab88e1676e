"""``ods watch`` and ``ods quota``: what changes on a portal while nobody looks."""

from __future__ import annotations

import click

from ods_provider.cli.options import shared_options


@click.command()
@click.argument("dataset_id", required=False)
@shared_options
def quota(dataset_id: str | None) -> None:
    """Show what is left of the portal's quota, and of DATASET_ID's own where it has one.

    It costs one call, which counts. A quota that is used up is an answer, too.
    """
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.printing import show_json, show_pairs, wants_json
    from ods_provider.cli.running import session
    from ods_provider.core.plans import watch

    job = Ask("quota", dataset_id, lambda ctx: ctx.client.run(watch.quota(ctx.client.quota, dataset_id, 1)))
    with session() as at_work:
        found = watch.as_result(at_work.run(job, at_work.name(command="quota", dataset_id=dataset_id), now=True))
    if wants_json():
        show_json(found)
    elif found["limit"] is None and found["remaining"] is None:
        click.echo("The portal states no quota.")
    else:
        known = {"calls left": found["remaining"], "of": found["limit"], "until": found["reset_at"]}
        show_pairs({name: value for name, value in known.items() if value is not None})
