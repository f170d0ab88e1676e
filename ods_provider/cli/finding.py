"""``ods datasets``, ``dataset``, ``records``, ``analyze``: look into a portal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ods_provider.cli.drafting import create, delete
from ods_provider.cli.options import (
    dataset_argument,
    monitoring_option,
    query_options,
    shared_options,
    unchanged_option,
    waiting_options,
)

if TYPE_CHECKING:
    from ods_provider.core.schema import Dataset

TABLE_ROWS = 20  # what fits on a screen
_IN_MEMORY = 100_000_000  # of rows that are shown as a table; more go through --json or --output

_output = click.option("-o", "--output", "path", metavar="FILE", help="JSON lines file to write: a path or a URL.")
_csv = click.option("--csv", "as_csv", is_flag=True, help="Results as CSV, with a header.")
_all = click.option("--all", "every", is_flag=True, help="All rows in the table, however many.")


def _beside(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options on what rows may come with."""
    for option in (
        click.option("--include-app-metas", is_flag=True, help="Rows with technical fields, such as their ids."),
        click.option("--include-links", is_flag=True, help="Rows with their links."),
    ):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@query_options
@monitoring_option
@_beside
@_output
@_csv
@_all
@waiting_options
@shared_options
@click.pass_context
def datasets(ctx: click.Context, /, as_csv: bool, every: bool, wait: bool, now: bool, **given: Any) -> None:
    """Find datasets of a portal; make one, or delete one.

    Without a command they are listed. A table shows the first 20. All of them come with --all, --json, --csv or
    --output.
    """
    if ctx.invoked_subcommand is not None:
        return
    show = None if given["select"] else _catalogue_row
    _search({"dataset_id": None} | given, as_csv=as_csv, every=every, show=show, wait=wait, now=now)


datasets.add_command(create)
datasets.add_command(delete)


@click.command()
@dataset_argument()
@query_options
@click.option("--record-id", metavar="ID", help="The one record with this id; --include-app-metas shows the ids.")
@monitoring_option
@_beside
@_output
@_csv
@_all
@unchanged_option
@waiting_options
@shared_options
def records(as_csv: bool, every: bool, wait: bool, now: bool, **given: Any) -> None:
    """Find records of a dataset.

    A table shows the first 20. All of them come with --all, --json, --csv or --output. To bring a whole dataset
    into a file, `ods download` is faster.
    """
    _search(given, as_csv=as_csv, every=every, show=None, wait=wait, now=now)


def _search(
    given: dict[str, Any],
    *,
    as_csv: bool,
    every: bool,
    show: Callable[[Mapping[str, Any]], dict[str, Any]] | None,
    wait: bool,
    now: bool,
) -> None:
    from ods_provider.cli.printing import copy_csv, copy_rows, note, show_outcome, show_rows, wants_json
    from ods_provider.cli.running import absolute, identity, read, run, spool_path
    from ods_provider.cli.wording import made
    from ods_provider.jobs.arguments import search_job

    _expect_one_form(as_csv, wants_json(), given["path"])
    given |= _written(given["path"], absolute)
    job = made(search_job, **given)
    how: dict[str, Any] = {"wait": wait, "now": now, "identity": identity("search", given)}
    if job.path is not None:
        show_outcome(run(job, **how))
        return
    if as_csv or wants_json():
        outcome = read(lambda name: replace(job, path=str(spool_path(name))), **how)
        if as_csv:
            copy_csv(Path(outcome["path"]), show)
        else:
            copy_rows(Path(outcome["path"]))
        return
    limit = given["limit"]
    if limit is None and not every and not given.get("record_id"):
        # One more than is shown tells whether there are more.
        job = search_job(**given | {"limit": TABLE_ROWS + 1})
    rows = read(lambda name: job, **how)
    if not rows:
        note(f"No {'records' if given['dataset_id'] is not None else 'datasets'} match.")
        return
    shown = rows if limit or every else rows[:TABLE_ROWS]
    show_rows([show(row) for row in shown] if show else shown)
    if len(rows) > len(shown):
        note(f"These are the first {TABLE_ROWS}. All of them: --all, --json, --csv, or --output FILE.")


def _expect_one_form(as_csv: bool, *others: Any) -> None:
    if as_csv and any(others):
        raise click.UsageError("--csv goes to standard output, and instead of JSON: `ods download` writes CSV files.")


def _written(path: str | None, absolute: Callable[[str], str]) -> dict[str, Any]:
    return {"path": None if path is None else absolute(path), "max_xcom_bytes": _IN_MEMORY}


def _catalogue_row(row: Mapping[str, Any]) -> dict[str, Any]:
    from ods_provider.cli.printing import when

    default = (row.get("metas") or {}).get("default") or {}
    return {
        "dataset": row.get("dataset_id"),
        "title": default.get("title"),
        "records": default.get("records_count"),
        "data of": when(default.get("data_processed")),
    }


@click.command()
@dataset_argument()
@monitoring_option
@waiting_options
@shared_options
def dataset(dataset_id: str, source: str | None, wait: bool, now: bool) -> None:
    """Show one dataset: its fields, its size, its age, what can be fetched from it."""
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.printing import show_json, wants_json
    from ods_provider.cli.running import identity, read
    from ods_provider.cli.wording import made
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.source import source_named

    dataset_id = made(dataset_named, dataset_id)
    job = Ask("look", dataset_id, lambda ctx: ctx.client.dataset(dataset_id), source_named(source))
    of = identity("dataset", {"dataset_id": dataset_id, "source": source})
    found = read(lambda name: job, identity=of, wait=wait, now=now)
    if wants_json():
        show_json(_described(found))
    else:
        _describe(found)


def _described(found: Dataset) -> dict[str, Any]:
    return found.freshness() | {
        "has_records": found.has_records,
        "data_visible": found.data_visible,
        "features": list(found.features),
        "fields": [
            {"name": field.name, "type": field.type, "label": field.label, "description": field.description}
            for field in found.fields
        ],
        "attachments": [dict(item) for item in found.attachments],
        "metas": dict(found.metas),
    }


def _describe(found: Dataset) -> None:
    from ods_provider.cli.printing import show_pairs, show_rows, when

    pairs = {
        "dataset": found.dataset_id,
        "title": (found.metas.get("default") or {}).get("title"),
        "records": f"{found.records_count:,}" if found.records_count is not None else None,
        "data of": when(found.freshness()["data_processed"], exact=True),
        "modified": when(found.freshness()["modified"], exact=True),
        "attachments": len(found.attachments) or None,
        "records visible": None if found.data_visible else "no: the publisher restricts them",
    }
    show_pairs({name: value for name, value in pairs.items() if value is not None})
    click.echo()
    show_rows([{"field": field.name, "type": field.type, "label": field.label} for field in found.fields])


@click.command()
@dataset_argument()
@query_options
@click.option("--group-by", metavar="ODSQL", help="What to group by.")
@click.option("--facet", multiple=True, metavar="NAME", help="List the values of this facet instead; may be repeated.")
@click.option("--geo-cluster", metavar="FIELD", help="Cluster the points of this field instead; goes with --zoom.")
@click.option("--zoom", type=click.FloatRange(0, 25), help="Of the map: 0 is the world, 25 a house.")
@click.option("--radius", type=click.FloatRange(min=0), help="Of a cluster, in pixels.")
@click.option("--geojson", is_flag=True, help="Clusters as a GeoJSON FeatureCollection.")
@monitoring_option
@_output
@_csv
@_all
@waiting_options
@shared_options
def analyze(
    as_csv: bool,
    geo_cluster: str | None,
    zoom: float | None,
    radius: float | None,
    every: bool,
    wait: bool,
    now: bool,
    **given: Any,
) -> None:
    """Aggregate a dataset on the portal, list its facets, or cluster its points: all of them, however many.

    \b
    ods analyze cities --select 'count(*) as cities, max(population)' --group-by country
    ods analyze cities --facet country
    ods analyze cities --geo-cluster coordinates --zoom 4 --geojson
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import note, show_csv, show_json, show_outcome, show_rows, wants_json
    from ods_provider.cli.running import absolute, identity, read, run
    from ods_provider.cli.wording import made
    from ods_provider.jobs.arguments import analysis_job

    _expect_one_form(as_csv, wants_json(), given["path"], given["geojson"])
    if (geo_cluster is None) != (zoom is None):
        raise click.UsageError("--geo-cluster and --zoom go together.")
    given |= _written(given["path"], absolute)
    given["geo_cluster"] = geo_cluster and {"field": geo_cluster, "zoom": zoom, "radius": radius}
    job = made(analysis_job, **given)
    how: dict[str, Any] = {"wait": wait, "now": now, "identity": identity("analyze", given)}
    if job.path is not None:
        show_outcome(run(job, **how))
        return
    limit, geojson = given["limit"], given["geojson"]
    rows = read(lambda name: job, **how)
    if as_csv:
        show_csv(lambda: rows)
        return
    if wants_json() or geojson:
        for row in [rows] if geojson else rows:
            show_json(row)
        return
    if not rows:
        note("No records match.")
        return
    shown = rows if limit or every else rows[:TABLE_ROWS]
    show_rows(shown)
    if len(rows) > len(shown):
        note(f"These are the first {len(shown)} of {len(rows):,}. All of them: --all, --json, --csv, or --output FILE.")
