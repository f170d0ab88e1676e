"""``ods portal``: serve the local portal until it is stopped."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import click

DEMO_KEY = "demo-key"
DEMO_READER_KEY = "demo-reader-key"
DEMO_PUSH_KEY = "demo-push-key"


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--datasets",
    type=click.Choice(["small", "demo"]),
    default="small",
    show_default=True,
    help="demo adds the real GeoNames cities (extra [demo]).",
)
@click.option(
    "--api-key",
    default=DEMO_KEY,
    envvar="ODS_PORTAL_API_KEY",
    show_default=True,
    show_envvar=True,
    help="The API key that is accepted.",
)
@click.option(
    "--reader-key",
    default=DEMO_READER_KEY,
    envvar="ODS_PORTAL_READER_KEY",
    show_default=True,
    show_envvar=True,
    help="An API key that sees all data, and not the monitoring source.",
)
@click.option(
    "--push-key",
    default=DEMO_PUSH_KEY,
    envvar="ODS_PORTAL_PUSH_KEY",
    show_default=True,
    show_envvar=True,
    help="The push key of the realtime dataset.",
)
@click.option("--quota", default=100_000, show_default=True, help="Calls per day.")
@click.option("--synthetic-rows", default=0, show_default=True, help="Rows of the dataset synthetic-rows.")
@click.option("--live-rows", default=0, show_default=True, help="Rows of the realtime dataset live-rows.")
@click.option("--require-key", is_flag=True, help="Refuse anonymous calls.")
@click.option(
    "--group-by-ceiling", default=20_000, show_default=True, help="offset + limit of groups; some have 30000."
)
@click.option(
    "--reset-spelling",
    type=click.Choice(["live", "epoch"]),
    default="live",
    show_default=True,
    help="How quota headers tell the reset.",
)
@click.option(
    "--dataset-quota",
    "dataset_quotas",
    multiple=True,
    metavar="ID=CALLS/UNIT",
    help="A quota of one dataset's own, such as live-readings=50000/month.",
)
@click.option("--v1/--no-v1", default=True, show_default=True, help="Serve Search API v1.0 too.")
@click.option("--automation/--no-automation", default=True, show_default=True, help="Serve the Automation API too.")
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="A switch of the Automation API (docs/testing.md), such as processing_s=2; may be repeated.",
)
@click.option("--ready-file", type=click.Path(path_type=Path), help="File to write the address to when it listens.")
def portal(
    port: int,
    datasets: str,
    api_key: str,
    reader_key: str,
    push_key: str,
    quota: int,
    synthetic_rows: int,
    live_rows: int,
    require_key: bool,
    group_by_ceiling: int,
    reset_spelling: str,
    dataset_quotas: tuple[str, ...],
    v1: bool,
    automation: bool,
    switches: tuple[str, ...],
    ready_file: Path | None,
) -> None:
    """Serve a portal on localhost that behaves like a real one, quirks included."""
    try:
        from ods_provider.testing.portal import LocalPortal
    except ImportError as error:
        raise click.ClickException(
            f"the portal needs more packages: pip install 'ods-provider[portal]' ({error})"
        ) from None
    try:
        made = LocalPortal(
            datasets=datasets,  # type: ignore[arg-type]  # click has checked the choice
            port=port,
            api_key=api_key,
            reader_key=reader_key,
            push_key=push_key,
            quota_limit=quota,
            synthetic_rows=synthetic_rows,
            live_rows=live_rows,
            require_key=require_key,
            group_by_ceiling=group_by_ceiling,
            reset_spelling=reset_spelling,  # type: ignore[arg-type]  # as above
            dataset_quotas=dict(map(_dataset_quota, dataset_quotas)),
            v1=v1,
            automation_api=automation,
        )
        try:
            made.office.switch(**dict(map(_switch, switches)))
        except ValueError as error:
            made.stop()
            raise click.BadParameter(f"--switch: {error}") from None
    except OSError as error:
        raise click.ClickException(
            f"port {port} cannot be used: {error.strerror}. Choose another with --port."
        ) from None
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("ods_provider.testing.access").setLevel(logging.INFO)
    first = next(iter(made.store.datasets))
    click.echo(f"A portal at {made.url} with {', '.join(made.store.datasets)}")
    click.echo(f"  {made.page} shows them in a browser")
    click.echo(f"  curl '{made.url}/api/explore/v2.1/catalog/datasets/{first}/records?limit=2'")
    if (api_key, push_key) == (DEMO_KEY, DEMO_PUSH_KEY):
        # Keys of one's own stay out of whatever this is written to.
        click.echo(f"  export AIRFLOW_CONN_ODS_DEFAULT='{made.airflow_uri}'")
        click.echo(f"  export ODS_HOST={made.url} ODS_API_KEY={api_key} ODS_PUSH_API_KEY={push_key}")
    else:
        click.echo(f"  export ODS_HOST={made.url}  # with the keys that you chose: ODS_API_KEY, ODS_PUSH_API_KEY")
    click.echo("Stop it with Ctrl-C.")
    if ready_file is not None:
        part = ready_file.with_name(ready_file.name + ".part")
        part.write_text(made.url)
        part.replace(ready_file)
    made.serve()  # until Ctrl-C or SIGTERM: that is how it is meant to end
    click.echo("Stopped.")


def _switch(given: str) -> tuple[str, Any]:
    name, found, value = given.partition("=")
    if not found:
        raise click.BadParameter(f"--switch: {given!r} is not NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value  # a word


def _dataset_quota(given: str) -> tuple[str, tuple[int, str]]:
    dataset_id, _, quota = given.rpartition("=")
    calls, _, unit = quota.partition("/")
    units = ("second", "minute", "hour", "day", "month")
    if not dataset_id or not calls.isdigit() or (unit or "day") not in units:
        raise click.BadParameter(f"{given!r} is not ID=CALLS/UNIT with a unit of {', '.join(units)}.")
    return dataset_id, (int(calls), unit or "day")
