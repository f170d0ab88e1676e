"""``ods open``: the page of a dataset, or of a portal, in the browser."""

from __future__ import annotations

import sys

import click

from ods_provider.cli.options import dataset_argument, shared_options


@click.command(name="open")
@dataset_argument(required=False)
@click.option("--print", "only_print", is_flag=True, help="Print the address, and open no browser.")
@shared_options
def open_(dataset_id: str | None, only_print: bool) -> None:
    """Open the page of DATASET in the browser; without one, the portal's list of datasets.

    The address is printed; where nobody looks, that is all. Nothing is asked of the portal, and no key is in it.
    """
    from ods_provider.cli.printing import show_json, wants_json
    from ods_provider.cli.running import session
    from ods_provider.cli.wording import made
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.webaddress import dataset_page, portal_page

    dataset_id = None if dataset_id is None else made(dataset_named, dataset_id)
    with session() as at_work:
        base_url = at_work.connection.base_url
    address = portal_page(base_url) if dataset_id is None else dataset_page(base_url, dataset_id)
    if wants_json():
        show_json({"url": address})
    else:
        click.echo(address)
    if sys.stdout.isatty() and not only_print and not wants_json():
        click.launch(address)
