"""``ods``: the plain face."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

_COMMANDS = {
    "login": ("ods_provider.cli.login", "login", "Authorise an OAuth2 application and keep its tokens."),
    "plugins": ("ods_provider.cli.plugins", "plugins", "List the plugins that are loaded, and what failed."),
    "portal": ("ods_provider.cli.portal", "portal", "Serve a portal on localhost that behaves like a real one."),
}


class _Late(click.Group):
    """A group that imports a command when it is used: ``ods --help`` needs none of their packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[name]
        command: Any = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(cls=_Late)
@click.version_option(package_name="ods-provider", prog_name="ods")
def main() -> None:
    """Move data out of, and into, Opendatasoft (Huwise) portals."""
