"""``ods attachments``: the files that hang on a dataset, as its editors see them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ods_provider.cli.options import dataset_argument, shared_options, waiting_options

if TYPE_CHECKING:
    from ods_provider.jobs.context import JobContext

_KIND: Any = "attachments"
_dry_run = click.option("--dry-run", is_flag=True, help="Tell what would be done, and change nothing.")
_yes = click.option("-y", "--yes", is_flag=True, help="Before a file is deleted: ask no question.")
_publish = "It shows with the next publication: ods publish {} --metadata-only"


@click.group()
@shared_options
def attachments() -> None:
    """List, add or remove a dataset's attachments. `ods media` fetches them."""


@attachments.command("list")
@dataset_argument()
@waiting_options
@shared_options
def list_(dataset_id: str, wait: bool, now: bool) -> None:
    """List the attachments of DATASET, published or not."""
    from ods_provider.cli.printing import note, show_json, show_rows, wants_json

    found = _ask(dataset_id, "list", _there, wait=wait, now=now)
    if wants_json():
        for one in found:
            show_json(one)
    elif found:
        show_rows([{name: one.get(name) for name in ("uid", "filename", "mimetype", "created_at")} for one in found])
    else:
        note("There are none.")


@attachments.command("add")
@dataset_argument()
@click.argument("path", metavar="FILE")
@click.option("--name", metavar="NAME", help="What it is called on the portal. [FILE's name]")
@_dry_run
@_yes
@shared_options
def add(dataset_id: str, path: str, name: str | None, dry_run: bool, yes: bool) -> None:
    """Add FILE to DATASET, in place of one of the same name. FILE is a path, or a URL such as s3://bucket/key.

    The older one is deleted once the new one is there, whose link is another one: no portal exchanges a file.

    \b
    ods attachments add trees legend.pdf --yes
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import note
    from ods_provider.cli.running import absolute
    from ods_provider.core.plans.automation import hanging, lists
    from ods_provider.sources.uploads import upload_of

    place = absolute(path)

    def work(ctx: JobContext, uid: str) -> dict[str, Any]:
        file = upload_of(ctx.destination(place), filename=name)
        old = [one for one in _there(ctx, uid) if one.get("filename") == file.filename]
        if dry_run:
            return {"dataset_id": dataset_id, "filename": file.filename, "replaces": len(old), "dry_run": True}
        if old:
            _agree(f"Delete the {file.filename} that is there, once the new one is?", yes=yes)
        total = file.size_bytes
        file = upload_of(
            ctx.destination(place), filename=name, sent=lambda done: ctx.progress(min(done, total), total, "bytes")
        )
        made = ctx.client.run(hanging.hung(uid, _KIND, file))
        for one in old:
            ctx.client.run(lists.remove(uid, _KIND, str(one["uid"])))
        return {"dataset_id": dataset_id, **made, "replaces": len(old)}

    done = _ask(dataset_id, "add", work, changes=not dry_run, told={"path": place, "name": name})
    would = "would be " if dry_run else ""
    places = f" in place of {done['replaces']} of that name" if done["replaces"] else ""
    _show(done, f"{done['filename']} {would}added{places}")
    if not dry_run:
        note(_publish.format(dataset_id))


@attachments.command("remove")
@dataset_argument()
@click.argument("file", metavar="FILE")
@_dry_run
@_yes
@shared_options
def remove(dataset_id: str, file: str, dry_run: bool, yes: bool) -> None:
    """Delete FILE, a name or a uid, from the attachments of DATASET.

    \b
    ods attachments remove trees legend.pdf --yes
    """  # noqa: D301  click wants the character itself
    from ods_provider.cli.printing import note
    from ods_provider.core.errors import OdsConfigError, OdsNotFound
    from ods_provider.core.nearest import listed, nearest
    from ods_provider.core.plans.automation import lists

    def work(ctx: JobContext, uid: str) -> dict[str, Any]:
        there = _there(ctx, uid)
        meant = [one for one in there if file in (one.get("uid"), one.get("filename"))]
        names = [str(one.get("filename")) for one in there]
        if not meant:
            near = nearest(file, names) or names[:10]
            raise OdsNotFound(
                "There is no such attachment",
                status=404,
                where=f"attachment {file} of {dataset_id}",
                advice=f"There is {listed(near)}" if near else "There are none",
            )
        if len(meant) > 1:
            uids = " and ".join(str(one.get("uid")) for one in meant)
            raise OdsConfigError(
                f"{len(meant)} attachments have this name: {uids}", where=file, advice="Pass the uid of one"
            )
        if not dry_run:
            _agree(f"Delete {meant[0].get('filename')} from {dataset_id}?", yes=yes)
            ctx.client.run(lists.remove(uid, _KIND, str(meant[0]["uid"])))
        return {"dataset_id": dataset_id, **meant[0], "removed": not dry_run, "dry_run": dry_run}

    done = _ask(dataset_id, "remove", work, changes=not dry_run, told={"file": file})
    _show(done, f"{done.get('filename')} {'would be ' if dry_run else ''}deleted")
    if not dry_run:
        note(_publish.format(dataset_id))


def _ask(
    dataset_id: str,
    what: str,
    work: Callable[[JobContext, str], Any],
    *,
    changes: bool = False,
    told: dict[str, Any] | None = None,
    wait: bool = False,
    now: bool = False,
) -> Any:
    from ods_provider.cli.asking import Ask
    from ods_provider.cli.running import identity, read, run
    from ods_provider.cli.wording import made
    from ods_provider.core.datasetid import dataset_named
    from ods_provider.core.given import required
    from ods_provider.core.plans.automation import datasets

    named = dataset_named(made(required, "dataset_id", dataset_id))

    def ask(ctx: JobContext) -> Any:
        return work(ctx, str(ctx.client.run(datasets.found(named))["uid"]))

    of = identity(f"attachments {what}", {"dataset_id": named, **(told or {})})
    job = Ask(f"attachments {what}", named, ask)
    return run(job, identity=of) if changes else read(lambda name: job, identity=of, wait=wait, now=now)


def _there(ctx: JobContext, uid: str) -> list[dict[str, Any]]:
    from ods_provider.core.plans.automation import lists

    return ctx.client.run(lists.entries(uid, _KIND))


def _agree(question: str, *, yes: bool) -> None:
    """Ask whoever sits there; who cannot be asked must have said so before.

    Raises:
        OdsConfigError: Nobody can be asked.
    """
    from ods_provider.cli.settings import Settings
    from ods_provider.core.errors import OdsConfigError

    if yes:
        return
    if not sys.stdin.isatty():
        raise OdsConfigError(
            "a file would be deleted, and nobody can be asked here",
            where="--yes",
            advice="Nothing was changed. Pass --yes; --dry-run shows what would be done",
        )
    settings = click.get_current_context().ensure_object(Settings)
    assert settings.shown is not None  # the job is at work
    with settings.shown.aside():
        click.confirm(question, abort=True, err=True)


def _show(done: dict[str, Any], said: str) -> None:
    from ods_provider.cli.printing import show_json, wants_json
    from ods_provider.core.legible import legible

    if wants_json():
        show_json(done)
    else:
        click.echo(legible(said))
