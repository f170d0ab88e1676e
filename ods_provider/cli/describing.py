"""``ods metadata get`` and ``ods metadata set``: read a dataset's metadata, and change them field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from ods_provider.cli.agreeing import Question, agreeing
from ods_provider.cli.options import dataset_argument, shared_options, waiting_options
from ods_provider.cli.settings import Settings


@click.group()
@shared_options
def metadata() -> None:
    """Show or change a dataset's metadata."""


@metadata.command("get")
@dataset_argument()
@click.argument("names", metavar="[TEMPLATE.FIELD]...", nargs=-1)
@waiting_options
@shared_options
def get(dataset_id: str, names: tuple[str, ...], wait: bool, now: bool) -> None:
    """Show metadata of DATASET as its editors see them, published or not: all, those named, or those of a TEMPLATE.

    \b
    ods metadata get trees default.title dcat
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.printing import show_json, show_rows, wants_json
    from ods_provider.cli.running import identity, read
    from ods_provider.cli.wording import made
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.given import required
    from ods_provider.core.plans.automation import datasets
    from ods_provider.core.plans.automation.metadata import values
    from ods_provider.jobs.context import JobContext

    named = dataset_named(made(required, "dataset_id", dataset_id))

    def ask(ctx: JobContext) -> dict[str, Any]:
        uid = str(ctx.client.run(datasets.found(named))["uid"])
        return ctx.client.run(values(uid, names))

    of = identity("metadata get", {"dataset_id": named, "names": names})
    found = read(lambda name: Ask("look", named, ask), identity=of, wait=wait, now=now)
    if wants_json():
        show_json(found)
    else:
        show_rows([_row(name, value) for name, value in found.items()])


def _row(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    row = {"field": name, "value": value.get("value")}
    if "override_remote_value" in value:
        row |= {"its source's": value.get("remote_value"), "pinned": value["override_remote_value"]}
    return row


def _typed(ctx: click.Context, argument: click.Parameter, given: tuple[str, ...]) -> dict[str, Any] | str:
    """Return ``template.field=value`` words as a mapping; a single mapping as text stays text."""
    if len(given) == 1 and given[0].lstrip().startswith("{"):
        return given[0]
    found: dict[str, Any] = {}
    for word in given:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{word!r} is not TEMPLATE.FIELD=VALUE", ctx, argument)
        if name in found:
            raise click.BadParameter(f'{name} is given twice; a list is {name}=\'["a", "b"]\'', ctx, argument)
        found[name] = value
    return found


@metadata.command("set")
@dataset_argument()
@click.argument("metadata", metavar="[TEMPLATE.FIELD=VALUE]...", nargs=-1, callback=_typed)
@click.option("--from", "file", metavar="FILE", help="JSON of values; - reads it.")
@click.option("--coverage-of", metavar="FIELD", help="Field of dates whose ends become the temporal coverage.")
@click.option(
    "--publish",
    metavar="WHAT",
    default="metadata",
    show_default=True,
    help="What is published when something changed: metadata, full or none.",
)
@click.option("--override", is_flag=True, help="Change what people pinned over a harvested dataset's source, too.")
@click.option("--timeout", metavar="SECONDS", help="Seconds to wait for the portal. [none]")
@click.option("--no-wait", is_flag=True, help="Do not wait for the portal: end with 75, and the same command goes on.")
@click.option("--dry-run", is_flag=True, help="Show what would be changed, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="With --override: ask no question.")
@shared_options
def set_(file: str | None, no_wait: bool, yes: bool, **given: Any) -> None:
    """Set metadata of DATASET, only what differs, and publish them.

    A VALUE becomes what the portal says of its field: text, number, day, list (JSON, or one value). null takes the
    dataset's own value back.

    \b
    ods metadata set trees default.title=Trees 'default.keyword=["tree", "park"]'
    ods metadata set trees --coverage-of planted
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import show_outcome, wants_json
    from ods_provider.cli.running import run
    from ods_provider.cli.wording import made
    from ods_provider.core.checkpoint import fingerprint
    from ods_provider.jobs.arguments import metadata_job

    if file is not None:
        given["metadata"] = _read(file) | made(_by_name, given["metadata"])
    settings = click.get_current_context().ensure_object(Settings)
    identity = {"command": "metadata set", "what": fingerprint(**given)}
    job = made(metadata_job, **given)
    agree = agreeing(
        settings, show=lambda plan: show_changes(plan, err=True), question=lambda plan: _question(plan, yes=yes)
    )
    done = run(replace(job, agree=agree), identity=identity, wait=not no_wait, now=True)
    if job.dry_run and not wants_json():
        show_changes(done)
    else:
        show_outcome(done)


def _read(file: str) -> dict[str, Any]:
    from ods_provider.cli.reading import typed_file
    from ods_provider.cli.wording import made
    from ods_provider.core.errors import OdsConfigError
    from ods_provider.core.legible import kind_of

    text = typed_file(file, where="--from")  # its errors are values' errors too
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise OdsConfigError(f"{file} is no JSON", where="--from", advice=_SHAPE) from None
    if not isinstance(read, dict):
        raise OdsConfigError(f"{file} holds {kind_of(read)}", where="--from", advice=_SHAPE)
    return made(_by_name, read)


_SHAPE = 'Write an object: {"default.title": "Trees", "default.keyword": ["tree"]}'


def _by_name(given: Any) -> dict[str, Any]:
    from ods_provider.core.given import mapping
    from ods_provider.jobs.arguments.describing import by_name

    return by_name(mapping("metadata", given) or {})


def _question(plan: Mapping[str, Any], *, yes: bool) -> Question | None:
    from ods_provider.core.counting import counted
    from ods_provider.core.errors import OdsConfigError

    pinned = sum(each["pinned"] for each in plan["changed_fields"])
    if yes or not pinned:
        return None
    what = counted(pinned, "values that people pinned")
    return Question(
        f"Change {what}?",
        OdsConfigError(
            f"{what} would be changed, and nobody can be asked here",
            where="--yes",
            advice="Nothing was changed. Pass --yes, or leave --override out; --dry-run shows what would be done",
        ),
    )


def show_changes(plan: Mapping[str, Any], *, err: bool = False) -> None:
    """Print what is to be changed, and what is kept, as a table.

    Args:
        plan: What an Outcome says of it.
        err: Whether it goes to standard error.
    """
    from ods_provider.cli.printing import note, show_rows

    rows = [{"field": each["field"], "old": each["old"], "new": each["new"]} for each in plan["changed_fields"]]
    rows += [{"field": each["field"], "old": each["value"], "new": None, "": "kept"} for each in plan["kept_fields"]]
    if rows:
        show_rows(rows, err=err)
    else:
        note("nothing differs")
    if plan.get("note"):
        note(plan["note"])
