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
    "attachments": ("attaching", "List, add or remove a dataset's attachments."),
    "analyze": ("finding", "Aggregate a dataset on the portal, or list its facets."),
    "check": ("checking", "Tell what is wrong with the connection, the environment, plugins and DAGs."),
    "completion": ("completion", "Print what a shell needs to complete commands and datasets."),
    "dataset": ("finding", "Show one dataset: its fields, its size, its age."),
    "datasets": ("finding", "Find datasets; make one, or delete one."),
    "delete": ("sending", "Delete records from a realtime dataset."),
    "download": ("fetching", "Bring a dataset into a file that holds exactly its rows."),
    "harvest": ("administering", "Run a harvester, and publish what it found."),
    "login": ("login", "Authorise an OAuth2 application and keep its tokens."),
    "load": ("loading", "Bring a dataset into a table of a database."),
    "media": ("fetching", "Fetch a dataset's attachments, or the files of its records."),
    "metadata": ("describing", "Show or change a dataset's metadata."),
    "mirror": ("mirroring", "Bring all of a portal that changed into files or tables."),
    "open": ("opening", "Open a dataset's page in the browser."),
    "plugins": ("plugins", "List the plugins that are loaded, and what failed."),
    "portal": ("portal", "Serve a portal on localhost that behaves like a real one."),
    "publish": ("publishing", "Publish a dataset as it is prepared, or withdraw it."),
    "publish-file": ("publishing", "Make a file a dataset's data, without a gap."),
    "push": ("sending", "Push records into a realtime dataset."),
    "quota": ("watching", "Show what is left of the quota."),
    "records": ("finding", "Find records of a dataset."),
    "status": ("overview", "Show how datasets are: published, how old, how many rows, what failed."),
    "sync": ("syncing", "Make a realtime dataset equal to a file."),
    "visibility": ("administering", "Make a dataset public or restricted, seen without a key."),
    "watch": ("watching", "Wait for updates of a dataset."),
}
EXAMPLES = (
    ("ods --host data.example.org datasets", "what a portal has"),
    ("ods download cities cities.parquet", "a dataset as a file with exactly its rows"),
    ("ods load cities cities --to duckdb:///city.duckdb", "as a table"),
    ("ods publish-file trees trees.csv", "a file as a dataset's data"),
    ("ods check", "what is wrong, if something is"),
)
ENVIRONMENT = (
    ("ODS_HOST, ODS_API_KEY", "the portal and the key, where no option says otherwise"),
    ("ODS_PUSH_API_KEY", "the push key of realtime datasets"),
    ("ODS_CONFIG", "the file of profiles; else ~/.config/ods-provider/config.toml"),
    ("ODS_MAX_WAIT_S, ...", "every setting has its variable"),
)
EXIT_CODES = (
    ("0", "done"),
    ("3", "skipped: unchanged since it was loaded or published before (--if-unchanged skip)"),
    ("75", "waiting: run the same command again"),
    ("1", "failed"),
    ("2", "wrong usage"),
)


_METHODS = {"open": "open_"}  # commands whose name Python has taken


def _documentation() -> str | None:
    """Return where the documentation is, as the installed package says."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("ods-provider").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return None
    return next((url.partition(", ")[2] for url in urls if url.startswith("Documentation, ")), None)


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
        command: Any = getattr(
            import_module(f"{__name__}.{COMMANDS[name][0]}"), _METHODS.get(name, name.replace("-", "_"))
        )
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])
        for title, lines in (("Examples", EXAMPLES), ("Environment", ENVIRONMENT), ("Exit codes", EXIT_CODES)):
            with formatter.section(title):
                formatter.write_dl(list(lines), col_max=48)
        if documentation := _documentation():
            with formatter.section("Documentation"):
                formatter.write_text(documentation)

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
