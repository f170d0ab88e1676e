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


def dataset_argument(*, required: bool = True) -> Callable[[F], F]:
    """Add the id of a dataset; a shell completes it from what the portal listed lately."""
    shown = "DATASET" if required else "[DATASET]"
    return click.argument("dataset_id", metavar=shown, required=required, shell_complete=_datasets)


def _datasets(ctx: click.Context, argument: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from ods_provider.cli.completing import dataset_ids

    return [CompletionItem(name) for name in dataset_ids(ctx.ensure_object(Settings)) if name.startswith(incomplete)]


def query_options(function: F) -> F:
    """Add the options of a query, in the portal's own words."""
    for make in reversed(
        (
            click.option("--select", metavar="ODSQL", help="Fields and expressions."),
            click.option("--where", multiple=True, metavar="ODSQL", help="Filter; may be repeated, and all must hold."),
            click.option("--order-by", metavar="ODSQL", help="Order, such as 'population desc'."),
            click.option(
                "--refine",
                multiple=True,
                metavar="FACET:VALUE",
                callback=facets,
                help="Facet to keep; may be repeated.",
            ),
            click.option(
                "--exclude",
                multiple=True,
                metavar="FACET:VALUE",
                callback=facets,
                help="Facet to drop; may be repeated.",
            ),
            click.option("--lang", metavar="CODE", help="Language of titles and formatted dates."),
            click.option("--timezone", default="UTC", show_default=True, help="Zone of filters and of times."),
            click.option("--limit", metavar="N", help="Rows at most."),
        )
    ):
        function = make(function)
    return function


def monitoring_option(function: F) -> F:
    """Add the choice of the portal's other source."""
    return click.option(
        "--monitoring",
        "source",
        flag_value="monitoring",
        default="catalog",
        help="What the portal knows of its own use; the key needs the right explore_monitoring.",
    )(function)


def waiting_options(function: F) -> F:
    """Add what to do when the portal says to come back later."""
    for make in (
        click.option("--now", is_flag=True, help="Ask the portal although the time it named has not come."),
        click.option("--wait", is_flag=True, help="Wait for a quota and go on, instead of ending with 75."),
    ):
        function = make(function)
    return function


def unchanged_option(function: F) -> F:
    """Add what to do with what an earlier run wrote."""
    return click.option(
        "--if-unchanged",
        type=Words("fetch", "keep", "skip"),
        default="fetch",
        show_default=True,
        help="When an earlier run wrote the same and nothing changed since. skip ends with 3.",
    )(function)


def expect_place(given: str | None, example: str, variable: str) -> None:
    """Refuse a command that does not say where to.

    Raises:
        UsageError: ``--to`` is not given; the message shows one, and the variable that may hold it.
    """
    if not is_given(given):
        missing = "not given" if given is None else "empty"
        raise click.UsageError(f"--to is {missing}. Add for example --to {example}, or set {variable}.")


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


def pairs(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str] | str:
    """Return repeated ``name=value`` as a mapping; a single mapping as text stays text."""
    given = [text for text in values if is_given(text)]
    if len(given) == 1 and given[0].lstrip().startswith("{"):
        return given[0]
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", ctx, option)
        found[name] = value
    return found
