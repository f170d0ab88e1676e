"""The arguments of what follows a dataset in time: a push of records, a sync with a file, and a wait for an update."""

from __future__ import annotations

from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import COMPUTED
from ods_provider.core.given import clauses, is_given, record_list, required, seconds, text, truth, whole_number
from ods_provider.core.limits import PUSH_BYTES
from ods_provider.core.share import share
from ods_provider.core.source import CATALOG, source_named
from ods_provider.core.watermark import what_named
from ods_provider.jobs.arguments.kinds import Flag, Number, Place, Seconds, Text, Texts, file_place, mark, names, word
from ods_provider.jobs.push import PushJob
from ods_provider.jobs.sync import SyncJob
from ods_provider.jobs.watch import WatchJob

POLL_INTERVAL_S = 300.0
MAX_DELETE = "10%"


def push_job(
    *,
    dataset_id: Text,
    resource_id: Text,
    records: Any = None,
    path: Place = None,
    action: Text = "push",
    batch_bytes: Number = PUSH_BYTES,
    record_id: Texts = None,
    file_fields: Texts = None,
    confirm: Flag = False,
    delimiter: Text = None,
    encoding: Text = None,
    unknown_fields: Text = "refuse",
) -> PushJob:
    """Return a push of records to a realtime resource, or their deletion.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return PushJob(
        dataset_id=dataset_named(dataset_id),
        resource_id=text("resource_id", required("resource_id", resource_id), ""),
        records=record_list("records", records),
        path=file_place(path) if is_given(path) else None,
        action=word("action", action, "push"),
        batch_bytes=whole_number("batch_bytes", batch_bytes, default=PUSH_BYTES),
        record_ids=_ids(record_id),
        file_fields=clauses("file_fields", file_fields),
        confirm=truth("confirm", confirm, default=False),
        delimiter=mark("delimiter", delimiter),
        encoding=text("encoding", encoding),
        unknown_fields=word("unknown_fields", unknown_fields, "refuse"),
    )


def sync_job(
    *,
    dataset_id: Text,
    resource_id: Text,
    records: Any = None,
    path: Place = None,
    key: Texts = None,
    delete_missing: Flag = True,
    max_delete: Number = MAX_DELETE,
    dry_run: Flag = False,
    delimiter: Text = None,
    encoding: Text = None,
    unknown_fields: Text = "refuse",
) -> SyncJob:
    """Return what makes a realtime dataset equal to a file, or to records.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return SyncJob(
        dataset_id=dataset_named(dataset_id),
        resource_id=text("resource_id", required("resource_id", resource_id), ""),
        records=record_list("records", records),
        path=file_place(path) if is_given(path) else None,
        key=names("key", key),
        delete_missing=truth("delete_missing", delete_missing, default=True),
        max_delete=share("max_delete", max_delete, MAX_DELETE),
        dry_run=truth("dry_run", dry_run, default=False),
        delimiter=mark("delimiter", delimiter),
        encoding=text("encoding", encoding),
        unknown_fields=word("unknown_fields", unknown_fields, "refuse"),
    )


def watch_job(
    *,
    dataset_id: Text,
    source: Text = CATALOG,
    since: Any = None,
    what: Text = "data",
    poll_interval_s: Seconds = POLL_INTERVAL_S,
) -> WatchJob:
    """Return a wait for a dataset's next update.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    return WatchJob(
        dataset_named(dataset_id),
        since if is_given(since) else None,
        what_named(text("what", what, "data")),
        seconds("poll_interval_s", poll_interval_s, default=POLL_INTERVAL_S),
        source_named(source),
    )


def _ids(record_id: Texts) -> tuple[str, ...]:
    """Return the ids of records.

    Raises:
        OdsConfigError: One of several is empty: it would be left out, and its record would stay.
    """
    several = list(record_id) if isinstance(record_id, (list, tuple)) else []
    if not all(is_given(each) for each in several):
        raise OdsConfigError(
            "record_id holds an id that is empty",
            where="argument record_id",
            advice=f"Leave it out; {COMPUTED}",
        )
    return clauses("record_id", record_id)
