"""``ods plugins``: what is loaded, and what failed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ods_provider.cli.options import shared_options

if TYPE_CHECKING:
    from ods_provider.plugins.manager import Loaded


@click.command()
@shared_options
def plugins() -> None:
    """List the plugins that are loaded, with their hooks, and those that failed, with the reason."""
    from ods_provider.cli.printing import show_json, wants_json
    from ods_provider.core.errors import OdsError
    from ods_provider.plugins.hookspecs import ODS_PLUGIN_API
    from ods_provider.plugins.manager import plugins as load

    try:
        loaded = load().loaded
    except OdsError as error:
        raise click.ClickException(str(error)) from None
    if wants_json():
        for plugin in loaded:
            show_json({"plugin": plugin.name, "hooks": plugin.hooks, "problem": plugin.problem, "api": ODS_PLUGIN_API})
    else:
        click.echo(f"Plugin API {ODS_PLUGIN_API}")
        for plugin in loaded:
            _show(plugin)
    if any(plugin.problem for plugin in loaded):
        sys.exit(1)


def _show(plugin: Loaded) -> None:
    click.echo(f"{'ok    ' if not plugin.problem else 'BROKEN'}  {plugin.name}")
    if plugin.hooks:
        click.echo(f"        {', '.join(plugin.hooks)}")
    if plugin.problem:
        click.echo(f"        {plugin.problem}")
