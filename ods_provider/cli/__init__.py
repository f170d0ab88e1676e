"""``ods``: the plain face. Each command makes a job of its arguments and has it run; it knows nothing of portals."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import Any

import click

from ods_provider.cli.options import shared_options
from ods_provider.cli.settings import Settings

# Name, module, and the line in the list: commands are imported when they are used.
COMMANDS = {
    "analyze": ("finding", "Aggregate a dataset on the portal, or list its facets."),
    "dataset": ("finding", "Show one dataset: its fields, its size, its age."),
    "datasets": ("finding", "Find datasets."),
    "delete": ("sending", "Delete records from a realtime dataset."),
    "download": ("fetching", "Bring a dataset into a file that holds exactly its rows."),
    "login": ("login", "Authorise an OAuth2 application and keep its tokens."),
    "media": ("fetching", "Fetch a dataset's attachments, or the files of its records."),
    "plugins": ("plugins", "List the plugins that are loaded, and what failed."),
    "portal": ("portal", "Serve a portal on localhost that behaves like a real one."),
    "push": ("sending", "Push records into a realtime dataset."),
    "quota": ("watching", "Show what is left of the quota."),
    "records": ("finding", "Find records of a dataset."),
    "watch": ("watching", "Wait for updates of a dataset."),
}
EXIT_CODES = (("0", "done"), ("75", "waiting: run the same command again"), ("1", "failed"), ("2", "wrong usage"))


class _Late(click.Group):
    """A group that imports a command when it is used: ``ods --help`` needs none of their packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run it on streams that take every sign, escaped where their encoding has none for it."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **kwargs)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command; of a mistyped one say which is meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx))
            if near and not args[0].startswith("-"):
                raise click.UsageError(f"{error} Did you mean {' or '.join(map(repr, near))}?", ctx) from None
            raise

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: Any = getattr(import_module(f"{__name__}.{COMMANDS[name][0]}"), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])
        with formatter.section("Exit codes"):
            formatter.write_dl(list(EXIT_CODES))

    def invoke(self, ctx: click.Context) -> Any:
        # Imported here: whoever asks for help only needs none of it.
        from ods_provider.cli.ending import exits

        with exits(ctx.ensure_object(Settings)):
            return super().invoke(ctx)


@click.group(cls=_Late, context_settings={"help_option_names": ["-h", "--help"]})
@shared_options
@click.version_option(package_name="ods-provider", prog_name="ods")
def main() -> None:
    """Move data out of, and into, Opendatasoft (Huwise) portals.

    A command that was interrupted, or that must wait for a quota, goes on where it stopped when it is run again.
    """
