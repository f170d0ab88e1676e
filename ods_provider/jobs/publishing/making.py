"""A dataset that is not there yet is made by the file that will be its data: once, restricted, under the given id.

Nothing is made for a file that cannot be published: it is read to its end first. Whoever comes after a process that
died, or after an answer that was lost, finds the dataset by its id, and goes on as with any other.

Source: Automation API v1.0, datasets (create, find by dataset_id).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.outcome import outcome
from ods_provider.core.plans.automation import datasets
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.content import Content
from ods_provider.jobs.publishing.extractors import expect_known
from ods_provider.jobs.publishing.pointing import chosen
from ods_provider.jobs.publishing.wanted import Wanted

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """The dataset that a file is for.

    Attributes:
        dataset: It; None where a dry run would make it.
        made: The content that was read before it was made just now; None where it stood.
    """

    dataset: Object | None
    made: Content | None = None


def target(ctx: JobContext, wanted: Wanted) -> Target:
    """Return the dataset, and make it where there is none and a title is given for it.

    Raises:
        OdsNotFound: There is none, and no title.
        OdsConfigError: Several have the id, or none can be made under it; nothing was made.
        OdsIncomplete: The file holds too few rows; nothing was made.
    """
    found = ctx.client.run(datasets.find(wanted.dataset_id))
    if found is not None:
        return Target(found)
    name, title = wanted.dataset_id, wanted.new_title
    if title is None:
        raise OdsNotFound(
            "The portal has no dataset of this id that the key may edit",
            status=404,
            where=f"dataset {name}",
            advice="Check the id (it is case-sensitive), and that the key has edit_dataset, or a rule on the dataset; "
            "or have the file make the dataset: pass new_title='Its title'",
        )
    if datasets.is_uid(name):
        raise OdsConfigError(
            f"{name} reads like the uid of a dataset, which is gone or none of this key's: a new one gets its uid from "
            "the portal",
            where="arguments dataset_id, new_title",
            advice="Pass the id that the new dataset shall have",
        )
    chosen((), wanted.resource, dataset_id=name)
    content = wanted.read(ctx, None)
    try:
        wanted.expect_enough(content.about.rows, None)
        expect_known(ctx, wanted, content.about.kind, None)
        if wanted.dry_run:
            return Target(None, content)
        return Target(_made(ctx, name, title), content)
    except BaseException:
        content.close()
        raise


def would_make(ctx: JobContext, wanted: Wanted, content: Content) -> Mapping[str, Any]:
    """Return what a dry run says of a dataset that it would make."""
    about = content.about
    content.close()
    return outcome(
        dataset_id=wanted.dataset_id,
        path=wanted.given({}).place(ctx),
        format=about.kind,
        rows=about.rows,
        size_bytes=about.size_bytes,
        sha256=about.sha256,
        dataset_state=wanted.state(about.sha256),
        resource=None,
        file=None,
        dry_run=True,
        note=f"nothing was changed: the dataset would be made, restricted, as {wanted.new_title!r}",
        calls=ctx.calls,
    )


def _made(ctx: JobContext, dataset_id: str, title: str) -> Object:
    made = ctx.client.run(datasets.create({"default": {"title": {"value": title}}}, dataset_id=dataset_id))
    several = ctx.client.run(datasets.named(dataset_id))
    if len(several) > 1:
        uids = " and ".join(str(each.get("uid")) for each in several)
        raise OdsConfigError(
            f"{len(several)} datasets have the id {dataset_id!r} now: {uids}",
            where="argument dataset_id",
            advice="Somebody made one at the same moment: leave one of them, and delete the others, which are empty",
        )
    return made
