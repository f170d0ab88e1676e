"""``airflow ods …``: the commands of ``ods`` under Airflow's, with its connection ``ods_default`` where none is named.

Airflow reads its commands with argparse, ours are click's: argparse learns their names and hands on what follows them.
"""

from __future__ import annotations

import argparse
from typing import Any

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command

from ods_provider.airflow.policy import DEFAULT_CONN_ID
from ods_provider.cli import COMMANDS


class _Rest(Arg):
    """Whatever follows the command, options and all."""

    def __init__(self) -> None:
        super().__init__(("rest",), nargs=argparse.REMAINDER)  # type: ignore[no-untyped-call]

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        """Take every word as a plain one."""
        # Else argparse would refuse the options that it does not know, and answer --help itself.
        parser.prefix_chars = "\0"
        super().add_to_parser(parser)


def get_cli_commands() -> list[CLICommand]:
    """Return the group ``ods``: what the key ``cli`` of the provider's metadata names."""
    run = lazy_load_command(f"{__name__}.run")
    commands = [ActionCommand(name, help, run, (_Rest(),)) for name, (_, help) in sorted(COMMANDS.items())]
    return [GroupCommand("ods", "Move data out of, and into, Opendatasoft (Huwise) portals", commands)]


def run(args: Any) -> None:
    """Run one of the commands; it ends the process with its exit code."""
    from ods_provider.cli import main
    from ods_provider.cli.settings import Settings

    settings = Settings(default_airflow_conn=DEFAULT_CONN_ID)
    main(args=[args.subcommand, *args.rest], prog_name="airflow ods", obj=settings)
