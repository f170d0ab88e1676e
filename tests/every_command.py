"""All commands of the command line, those of groups included."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ods_provider.cli import main


def commands(of: click.Command = main, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield each command, and the words that call it."""
    if not isinstance(of, click.Group):
        yield words, of
        return
    context = click.Context(of)
    if of.invoke_without_command:
        yield words, of
    for name in of.list_commands(context):
        found = of.get_command(context, name)
        assert found is not None
        yield from commands(found, *words, name)
