"""``ods completion``: what a shell needs to complete commands, options, profiles and datasets."""

from __future__ import annotations

import click

SHELLS = ("bash", "fish", "zsh")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of a shell: commands, options, profiles, and the portal's datasets.

    Datasets are asked of the portal at the first press of Tab, and again when what is known is an hour old.

    \b
    bash   ods completion bash > ~/.local/share/bash-completion/completions/ods
    zsh    ods completion zsh > ~/.zfunc/_ods      (with fpath+=~/.zfunc before compinit)
    fish   ods completion fish > ~/.config/fish/completions/ods.fish
    """  # noqa: D301  click wants the character itself
    from click.shell_completion import get_completion_class

    from ods_provider.cli import main

    made = get_completion_class(shell)
    assert made is not None, "click serves all three"
    click.echo(made(main, {}, "ods", "_ODS_COMPLETE").source())
