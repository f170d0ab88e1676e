"""Push records into a realtime resource, or delete them, in batches filled to the portal's limit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, get_args

from ods_provider.core.batches import batches
from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.filefields import encoded_bytes, file_value
from ods_provider.core.limits import PUSH_BYTES
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import catalog, push
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.readback import ReadBack
from ods_provider.sources.recordfiles import read_records

Action = Literal["push", "delete"]
Record = Mapping[str, Any]
_UNIT = "sent"


@dataclass(frozen=True, slots=True)
class PushJob:
    """Records to a realtime resource.

    A batch is the unit of progress: after a wait or a kill, the records that the portal accepted are not sent again,
    as long as the source is the same. The interrupted batch is: identical rows collapse on the portal (Q20).

    Args:
        dataset_id, resource_id: Where to.
        records: The records themselves, or
        path: a JSON lines, JSON, CSV or Parquet file of them.
        action: ``push`` adds or upserts, ``delete`` removes the records with these values.
        batch_bytes: Largest body of one call.
        record_ids: Records to delete by their ids instead, one call each.
        file_fields: Fields whose values are paths or URLs of files, which are sent in their place.
        confirm: Whether the records are read back afterwards, by the dataset's key fields.
    """

    dataset_id: str
    resource_id: str
    records: Sequence[Record] | None = None
    path: Any = None
    action: Action = "push"
    batch_bytes: int = PUSH_BYTES
    record_ids: tuple[str, ...] = ()
    file_fields: tuple[str, ...] = ()
    confirm: bool = False

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise OdsConfigError(
                f"action={self.action!r} is not known", where="argument action", advice="Use push or delete"
            )
        if [self.records is not None, self.path is not None, bool(self.record_ids)].count(True) != 1:
            raise OdsConfigError(
                "pass either records, or a path, or ids of records to delete",
                where="arguments records, path, record_id",
                advice="Give exactly one of them",
            )
        if self.record_ids and (self.action != "delete" or self.confirm or self.file_fields):
            raise OdsConfigError(
                "an id names a record to delete, and nothing of it can be read back",
                where="argument record_id",
                advice="Use action='delete', without confirm and file_fields",
            )
        if not 2 < self.batch_bytes <= PUSH_BYTES:
            raise OdsConfigError(
                f"batch_bytes={self.batch_bytes} is outside what the portal takes",
                where="argument batch_bytes",
                advice=f"Use at most {PUSH_BYTES}",
            )

    @property
    def name(self) -> str:
        """What it is called in messages: a deletion is no push."""
        return self.action

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome with ``rows`` sent and ``batches``, those of earlier tries included."""
        # Before anything is read: a missing key shall not be found after an hour of encoding.
        ctx.client.connection.push_key(self.dataset_id, self.resource_id)
        reading = ReadBack.of(ctx.client.run(catalog.dataset(self.dataset_id))) if self.confirm else None
        ledger = ctx.ledger(
            fingerprint(
                base_url=ctx.client.connection.base_url,
                dataset_id=self.dataset_id,
                resource_id=self.resource_id,
                action=self.action,
                batch_bytes=self.batch_bytes,
                source=self._source(ctx),
            )
        )
        sent = (self._send_ids if self.record_ids else self._send)(ctx, ledger)
        confirmed = None
        if reading:
            confirmed = reading.run(ctx, self._read(ctx), rows=sent["rows"], deleted=self.action == "delete")
        ledger.clear()
        return outcome(
            dataset_id=self.dataset_id,
            rows=sent["rows"],
            batches=sent["batches"],
            action=self.action,
            confirmed=confirmed,
            calls=ctx.calls,
            quota_remaining=ctx.remaining(self.dataset_id),
        )

    def _send(self, ctx: JobContext, ledger: Ledger) -> dict[str, int]:
        sent: dict[str, int] = ledger.units.get(_UNIT) or {"rows": 0, "batches": 0}
        total = len(self.records) if self.records is not None else None
        left = islice(self._read(ctx), sent["rows"], None)
        for batch in batches(self._with_files(ctx, left), batch_bytes=self.batch_bytes):
            ctx.check()
            ctx.client.run(push.send(self.dataset_id, self.resource_id, batch.body, action=self.action))
            sent = {"rows": sent["rows"] + batch.rows, "batches": sent["batches"] + 1}
            # The last one leaves nothing to go on with, unless the records are still to be read back.
            if self.confirm or total is None or sent["rows"] < total:
                ledger.confirm(_UNIT, sent)
            ctx.progress(sent["rows"], total, "rows")
        return sent

    def _send_ids(self, ctx: JobContext, ledger: Ledger) -> dict[str, int]:
        done: int = (ledger.units.get(_UNIT) or {"rows": 0})["rows"]
        begun, absent = done, 0
        for record_id in self.record_ids[done:]:
            ctx.check()
            try:
                ctx.client.run(push.delete_by_id(self.dataset_id, self.resource_id, record_id))
            except OdsNotFound:
                # Gone already, perhaps by a call whose answer was lost. But when none is known, the ids are wrong.
                absent += 1
                if not begun and absent == len(self.record_ids):
                    raise
            done += 1
            if done < len(self.record_ids):
                ledger.confirm(_UNIT, {"rows": done})
            ctx.progress(done, len(self.record_ids), "rows")
        return {"rows": done - absent, "batches": done}

    def _read(self, ctx: JobContext) -> Iterator[Record]:
        if self.records is not None:
            yield from self.records
        elif self.path is not None:
            yield from read_records(ctx.destination(self.path))

    def _with_files(self, ctx: JobContext, records: Iterator[Record]) -> Iterator[Record]:
        if not self.file_fields:
            yield from records
            return
        for record in records:
            named = [name for name in self.file_fields if record.get(name)]
            yield {**record, **{name: self._file(ctx, name, record[name]) for name in named}}

    def _file(self, ctx: JobContext, name: str, value: Any) -> Any:
        """Return the value of a file-typed field: what is at the path, encoded."""
        given = value if isinstance(value, Mapping) else {"file": value}
        if "file" not in given:
            return value  # encoded already
        place = ctx.destination(given["file"])
        size_bytes = place.size_bytes()
        if size_bytes is None:
            raise OdsConfigError(
                "there is no such file to push", where=f"field {name}, {place.url}", advice="Correct the path"
            )
        needed = encoded_bytes(size_bytes)
        if needed > self.batch_bytes:
            raise OdsConfigError(
                f"the file takes {needed} bytes as base64, more than a call of {self.batch_bytes} holds",
                where=f"field {name}, {place.url}",
                advice="Make it smaller, or attach it to the dataset in the back office",
            )
        return file_value(place.read_bytes(), name=place.name, content_type=given.get("content-type"))

    def _source(self, ctx: JobContext) -> str:
        """Name what is pushed, so that progress in one file is never taken for progress in another."""
        if self.path is not None:
            place = ctx.destination(self.path)
            return f"{place.url} {place.size_bytes()} {place.modified()}"
        digest = hashlib.sha256()
        for record in self.records or self.record_ids:
            digest.update(json.dumps(record, sort_keys=True, default=str).encode())
        return digest.hexdigest()
