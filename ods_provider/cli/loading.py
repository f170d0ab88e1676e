"""``ods load``: bring a dataset into a table."""

from __future__ import annotations

from typing import Any

import click

from ods_provider.cli.options import (
    Words,
    dataset_argument,
    expect_place,
    facets,
    monitoring_option,
    pairs,
    shared_options,
    unchanged_option,
    waiting_options,
)


@click.command()
@dataset_argument()
@click.argument("table")
@click.option(
    "--to",
    "destination",
    metavar="URL",
    envvar="ODS_LOAD_TO",
    help="The database or folder: duckdb:///city.duckdb, sqlite:///city.db, postgresql://…, mysql://…, "
    "s3://lake/cities, file:///lake (Parquet; or with ?format=delta, ?format=iceberg). Read from ODS_LOAD_TO, where a "
    "password is seen by nobody else.",
)
@monitoring_option
@click.option("--select", metavar="ODSQL", help="Fields and expressions.")
@click.option("--where", multiple=True, metavar="ODSQL", help="Filter; may be repeated, and all must hold.")
@click.option("--refine", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet to keep; may be repeated.")
@click.option(
    "--exclude", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet to drop; may be repeated."
)
@click.option("--lang", metavar="CODE", help="Language of formatted dates.")
@click.option("--timezone", default="UTC", show_default=True, help="Zone of filters.")
@click.option("--limit", metavar="N", help="Rows at most.")
@click.option("--group-by", metavar="ODSQL", help="Group the rows on the portal.")
@click.option(
    "--mode",
    type=Words("replace", "append", "merge", "scd2"),
    default="replace",
    show_default=True,
    help="What becomes of the table's rows.",
)
@click.option("--swap", type=Words("lock", "stage", "rename"), help="How readers see a replacement. [by the database]")
@click.option(
    "--key",
    "primary_key",
    multiple=True,
    metavar="FIELD",
    help="Field that tells a row from all others, for merge and scd2; may be repeated. [those annotated as id]",
)
@click.option(
    "--delete-missing", is_flag=True, help="merge: delete rows that the portal no longer has; scd2: end them."
)
@click.option("--cursor", metavar="FIELD", help="Ask only for rows at or after the highest value that was loaded.")
@click.option("--lag", metavar="SPAN", help="How far before it: 3d, '36 hours', or a number.")
@click.option(
    "--columns",
    type=Words("evolve", "freeze", "discard"),
    default="evolve",
    show_default=True,
    help="When the fields are not the table's columns.",
)
@click.option(
    "--expect", multiple=True, metavar="FIELD=TYPE", callback=pairs, help="Field that must be there; may be repeated."
)
@click.option(
    "--geo",
    type=Words("lonlat", "wkt", "geojson", "postgis"),
    default="lonlat",
    show_default=True,
    help="What points and shapes become.",
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
@click.option("--staging", metavar="FOLDER", help="Where the export lies until it is loaded. [the state folder]")
@waiting_options
@shared_options
def load(wait: bool, now: bool, **given: Any) -> None:
    """Bring a dataset into a table that shows the old rows or the new ones, and never a part of either.

    TABLE is table or schema.table; it is made where it does not stand, with the portal's own types.

    \b
    ods load cities cities --to duckdb:///city.duckdb
    ods load readings raw.readings --to postgresql://loader@warehouse/city --mode merge --cursor at --lag 3d
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import show_outcome
    from ods_provider.cli.running import absolute, database, identity, run
    from ods_provider.cli.wording import made
    from ods_provider.jobs.arguments import load_job
    from ods_provider.tables.urls import from_everywhere

    expect_place(given["destination"], "duckdb:///city.duckdb", "ODS_LOAD_TO")
    given["destination"] = from_everywhere(given["destination"])
    if given["staging"]:
        given["staging"] = absolute(given["staging"])
    job = made(load_job, **given)
    # Without user and password, which make it no other work, and of which not even a digest is kept.
    told = given | {"destination": made(database, given["destination"])}
    show_outcome(run(job, identity=identity("load", told), wait=wait, now=now))
