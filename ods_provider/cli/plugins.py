"""``ods plugins``: what is loaded, and what failed."""

from __future__ import annotations

import sys

import click

from ods_provider.core.errors import OdsError


@click.command()
def plugins() -> None:
    """List the plugins that are loaded, with their hooks, and those that failed, with the reason."""
    from ods_provider.plugins.hookspecs import ODS_PLUGIN_API
    from ods_provider.plugins.manager import plugins as load

    try:
        loaded = load().loaded
    except OdsError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Plugin API {ODS_PLUGIN_API}")
    for plugin in loaded:
        click.echo(f"{'ok    ' if not plugin.problem else 'BROKEN'}  {plugin.name}")
        if plugin.hooks:
            click.echo(f"        {', '.join(plugin.hooks)}")
        if plugin.problem:
            click.echo(f"        {plugin.problem}")
    if any(plugin.problem for plugin in loaded):
        sys.exit(1)
