"""The arguments of what makes a dataset public: a file that becomes its data, and orders to publish."""

from __future__ import annotations

from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.given import is_given, mapping, record_list, required, text, truth, whole_number
from ods_provider.core.share import Share, share
from ods_provider.jobs.arguments.kinds import Flag, Mapped, Number, Place, Seconds, Text, file_place, time_limit, word
from ods_provider.jobs.publish import PublishJob
from ods_provider.jobs.publishfile import PublishFileJob

MAX_DROP = "20%"


def publish_file_job(
    *,
    dataset_id: Text,
    path: Place = None,
    records: Any = None,
    resource: Text = None,
    new_title: Text = None,
    extractor: Text = None,
    params: Mapped = None,
    if_unchanged: Text = "skip",
    max_errors: Number = 0,
    min_rows: Number = 0,
    max_drop: Text = MAX_DROP,
    restore: Flag = True,
    delimiter: Text = None,
    encoding: Text = None,
    timeout: Seconds = None,
    dry_run: Flag = False,
) -> PublishFileJob:
    """Return a publication of a file, or of records, as a dataset's data.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return PublishFileJob(
        dataset_id=dataset_named(required("dataset_id", dataset_id)),
        path=file_place(path) if is_given(path) else None,
        records=record_list("records", records),
        resource=text("resource", resource),
        new_title=text("new_title", new_title),
        extractor=text("extractor", extractor),
        params=mapping("params", params),
        if_unchanged=word("if_unchanged", if_unchanged, "skip"),
        max_errors=whole_number("max_errors", max_errors, default=0),
        min_rows=whole_number("min_rows", min_rows, default=0),
        max_drop=_drop(max_drop),
        restore=truth("restore", restore, default=True),
        # A tab is a space too, and stands for itself here.
        delimiter=delimiter if delimiter == "\t" else text("delimiter", delimiter),
        encoding=text("encoding", encoding),
        timeout_s=time_limit(timeout),
        dry_run=truth("dry_run", dry_run, default=False),
    )


def publish_job(
    *,
    dataset_id: Text,
    action: Text = "publish",
    wait: Flag = True,
    timeout: Seconds = None,
    abort_on_timeout: Flag = False,
    dry_run: Flag = False,
) -> PublishJob:
    """Return an order to publish a dataset, its metadata alone, or to withdraw it.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return PublishJob(
        dataset_named(required("dataset_id", dataset_id)),
        action=word("action", action, "publish"),
        wait=truth("wait", wait, default=True),
        timeout_s=time_limit(timeout),
        abort_on_timeout=truth("abort_on_timeout", abort_on_timeout, default=False),
        dry_run=truth("dry_run", dry_run, default=False),
    )


def _drop(max_drop: Any) -> Share | None:
    # None is written by who wants no limit; an empty text is a template that rendered to nothing.
    if max_drop is None or str(max_drop).strip().lower() == "none":
        return None
    return share("max_drop", max_drop, MAX_DROP)
