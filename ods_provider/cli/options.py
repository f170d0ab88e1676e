"""Options that commands share. Those on the connection and the output may stand before the command or after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ods_provider.cli.settings import Settings
from ods_provider.core.given import is_given

F = TypeVar("F", bound=Callable[..., Any])


def _keep(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    if value and option.name:
        setattr(ctx.ensure_object(Settings), option.name, value)


def _profiles(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from ods_provider.cli.profiles import profile_names

    return [CompletionItem(name) for name in profile_names() if name.startswith(incomplete)]


def _shared(*names: str, **how: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, callback=_keep, **how)


def shared_options(function: F) -> F:
    """Add the options on connection and output; they land in the context's ``Settings``."""
    for add in (
        _shared("--debug", is_flag=True, help="Tell every call, and the traceback of an error."),
        _shared("-q", "--quiet", is_flag=True, help="No progress; results and errors only."),
        _shared("--json", is_flag=True, help="Results as JSON, one value per line."),
        _shared("--airflow-conn", metavar="ID", help="Connection of the Airflow that is installed here."),
        _shared("--profile", metavar="NAME", help="Connection of the configuration file.", shell_complete=_profiles),
        _shared("--push-key-file", metavar="FILE", help="File that holds the push key."),
        _shared("--key-file", metavar="FILE", help="File that holds the API key; - reads it from standard input."),
        _shared("--host", metavar="HOST", help="The portal: data.example.org, or a URL."),
    ):
        function = add(function)
    return function


def query_options(function: F) -> F:
    """Add the options of a query, in the portal's own words."""
    for make in reversed(
        (
            click.option("--select", metavar="ODSQL", help="Fields and expressions."),
            click.option("--where", multiple=True, metavar="ODSQL", help="Filter; several are joined by AND."),
            click.option("--order-by", metavar="ODSQL", help="Order, such as 'population desc'."),
            click.option("--refine", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet to keep."),
            click.option("--exclude", multiple=True, metavar="FACET:VALUE", callback=facets, help="Facet to drop."),
            click.option("--lang", metavar="CODE", help="Language of titles and formatted dates."),
            click.option("--timezone", default="UTC", show_default=True, help="Zone of filters and of times."),
            click.option("--limit", metavar="N", help="Rows at most."),
        )
    ):
        function = make(function)
    return function


def waiting_options(function: F) -> F:
    """Add what to do when the portal says to come back later."""
    for make in (
        click.option("--now", is_flag=True, help="Ask the portal although the time it named has not come."),
        click.option("--wait", is_flag=True, help="Wait for a quota and go on, instead of ending with 75."),
    ):
        function = make(function)
    return function


class Words(click.Choice[str]):
    """One of some words, in any case; the text of an empty variable is not given, as everywhere."""

    def __init__(self, *words: str) -> None:
        super().__init__(words, case_sensitive=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, None when there is none."""
        return super().convert(value, param, ctx) if is_given(value) else None


def facets(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, list[str]] | str:
    """Return repeated ``facet:value`` (or ``facet=value``) as a mapping; the value may hold both signs.

    A single mapping as text stays text: it is understood where that of a template is.
    """
    given = [text for text in values if is_given(text)]
    if len(given) == 1 and given[0].lstrip().startswith("{"):
        return given[0]
    found: dict[str, list[str]] = {}
    for text in given:
        match = re.match(r"([\w.-]+)[:=](.*)", text, re.DOTALL)
        if match is None:
            raise click.BadParameter(f"{text!r} is not FACET:VALUE", ctx, option)
        found.setdefault(match[1], []).append(match[2])
    return found


def pairs(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return repeated ``name=value`` as a mapping."""
    found = {}
    for text in filter(is_given, values):
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", ctx, option)
        found[name] = value
    return found
