"""``ods mirror``: bring all of a portal that changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ods_provider.cli.options import Words, expect_place, facets, shared_options, waiting_options


@click.command()
@click.option(
    "--to",
    metavar="PLACE",
    envvar="ODS_MIRROR_TO",
    help="A folder (path or URL such as s3://bucket/portal), or a database (duckdb:///city.duckdb, postgresql://…). "
    "Read from ODS_MIRROR_TO, where a password is seen by nobody else.",
)
@click.option("--into", type=Words("files", "tables"), help="What becomes of datasets. [by PLACE]")
@click.option("--format", metavar="NAME", help="Of the files: csv, jsonl, parquet, … [parquet]")
@click.option("--schema", metavar="NAME", help="Of the tables. [the database's own]")
@click.option("--where", multiple=True, metavar="ODSQL", help="Filter on the catalogue; may be repeated.")
@click.option(
    "--refine", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet of it to keep; may be repeated."
)
@click.option(
    "--exclude", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet of it to drop; may be repeated."
)
@click.option(
    "--vanished",
    type=Words("keep", "mark", "drop"),
    default="keep",
    show_default=True,
    help="What becomes of datasets that the portal no longer has.",
)
@click.option("--reserve", metavar="N", help="Calls of the quota that are left to others. [a tenth]")
@click.option("--max-calls", metavar="N", help="Calls that this run makes at most. [as the quota goes]")
@click.option("--parallel", metavar="N", default="4", show_default=True, help="Datasets at once, 1 to 32.")
@click.option("--staging", metavar="FOLDER", help="Where exports lie until they are loaded. [the state folder]")
@waiting_options
@shared_options
def mirror(wait: bool, now: bool, to: str | None, **given: Any) -> None:
    """Bring all datasets of a portal that changed into files or tables, as far as the quota goes.

    The catalogue is read once; what did not change costs no call. What the quota does not let through is left to the
    next run (exit code 75), the longest waiting first. One dataset that fails stops no other (exit code 1).

    \b
    ods mirror --to portal/ --format csv
    ods mirror --to duckdb:///city.duckdb --where 'records_count < 1000000' --vanished drop
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.running import absolute, identity, run
    from ods_provider.cli.wording import made
    from ods_provider.jobs.arguments import mirror_job
    from ods_provider.tables.urls import is_database

    expect_place(to, "portal/", "ODS_MIRROR_TO")
    files = given["into"] != "tables" and to is not None and not is_database(to)
    given["to"] = absolute(to) if files and to is not None else to
    job = made(mirror_job, wait=wait, **given)
    told = given if files else {name: value for name, value in given.items() if name != "to"}
    _show(run(job, identity=identity("mirror", told), wait=wait, now=now))


def _show(report: Mapping[str, Any]) -> None:
    """Print the report, and end as it says."""
    from ods_provider.cli.ending import FAILED, WAITING
    from ods_provider.cli.printing import note, show_json, show_rows, wants_json
    from ods_provider.core.counting import counted

    if wants_json():
        show_json(report)
    else:
        rows = [each for each in report["datasets"] if each["what"] != "unchanged"]
        if rows:
            show_rows(rows)
        came = f"{counted(report['rows'], 'rows')}, {counted(report['calls'], 'calls')}"
        note(f"{report['path']}: {report['note']}; {came}.")
    if report["failed"] or report["tomorrow"]:
        click.get_current_context().exit(FAILED if report["failed"] else WAITING)
