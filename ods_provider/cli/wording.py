"""What is wrong with an argument, in the words of the command that runs: ``--group-by``, and not ``group_by``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from ods_provider.core.errors import OdsConfigError, OdsError
from ods_provider.core.faces import advise, bare, in_words

T = TypeVar("T")
# What no command has an option for, and errors name all the same.
_UNSAID = {"max_xcom_bytes": "what a table may hold", "records": "standard input"}


def in_options(text: str) -> str:
    """Return a sentence of a job with arguments called as the command that click is running calls them."""
    return bare(text, _UNSAID | words_of(click.get_current_context().command))


@contextmanager
def own_words() -> Iterator[None]:
    """Call arguments in errors as the command that click is running calls them."""
    try:
        yield
    except OdsError as error:
        words = _UNSAID | words_of(click.get_current_context().command)
        told = in_words(error, words) if isinstance(error, OdsConfigError) else error
        advise(told, words)
        raise told from None


def made(make: Callable[..., T], *args: Any, **given: Any) -> T:
    """Return what a builder makes of the command's parameters.

    Raises:
        OdsConfigError: One is bad; the message names it as it is called here.
    """
    with own_words():
        return make(*args, **given)


def words_of(command: click.Command) -> dict[str, str]:
    """Return what each argument is called on the command line; the command's parameters have the builders' names."""
    return {param.name: _spelled(param) for param in command.params if param.name}


def _spelled(param: click.Parameter) -> str:
    # In brackets stands what may be left out, and dots follow what may be repeated.
    return param.human_readable_name.strip("[].") if isinstance(param, click.Argument) else max(param.opts, key=len)
