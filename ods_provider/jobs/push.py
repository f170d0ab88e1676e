"""Push records into a realtime resource, or delete them, in batches filled to the portal's limit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Literal, get_args

from ods_provider.core.batches import MOST_AHEAD, batches, encoded, encoder
from ods_provider.core.checkpoint import Ledger, fingerprint
from ods_provider.core.errors import OdsConfigError, OdsNotFound
from ods_provider.core.filefields import encoded_bytes, file_value, named_file
from ods_provider.core.limits import PUSH_BYTES
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import push
from ods_provider.core.schema import Dataset
from ods_provider.core.shapes import Describe, Names, UnknownFields, is_envelope, opened
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.syncing.readback import ReadBack
from ods_provider.sources.delimited import DelimitedText
from ods_provider.sources.recordfiles import read_records

Action = Literal["push", "delete"]
Record = Mapping[str, Any]
_UNIT = "sent"


@dataclass(frozen=True, slots=True)
class PushJob:
    """Records to a realtime resource.

    A batch is the unit of progress: after a wait or a kill, the records that the portal accepted are not sent again,
    as long as the source is the same. The interrupted batch is: identical rows collapse on the portal (Q20).

    Before anything is sent, the fields that the first records name are looked up in the dataset's schema, where the
    connection may see it: a portal drops what it does not know without a word.

    Args:
        dataset_id, resource_id: Where to.
        records: The records themselves, or
        path: a JSON lines, JSON, GeoJSON, CSV or Parquet file of them.
        action: ``push`` adds or upserts, ``delete`` removes the records with these values.
        batch_bytes: Largest body of one call.
        record_ids: Records to delete by their ids instead, one call each.
        file_fields: Fields whose values are paths or URLs of files, which are sent in their place.
        confirm: Whether the records are read back afterwards, by the dataset's key fields.
        delimiter: What stands between the cells of a CSV; None tells it from the rows.
        encoding: The encoding of a CSV; None is UTF-8.
        unknown_fields: ``refuse`` what the schema does not name, or ``send`` it, for a processor of the dataset.
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
    delimiter: str | None = None
    encoding: str | None = None
    unknown_fields: UnknownFields = "refuse"
    changes_portal: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name, choices in (("action", get_args(Action)), ("unknown_fields", get_args(UnknownFields))):
            if getattr(self, name) not in choices:
                raise OdsConfigError(
                    f"{name}={getattr(self, name)!r} is not known",
                    where=f"argument {name}",
                    advice=f"Use {' or '.join(choices)}",
                )
        if self._text.told and self.path is None:
            raise OdsConfigError(
                "delimiter and encoding say how a CSV is written, and none is given",
                where="arguments delimiter, encoding",
                advice="Leave them out, or pass a path",
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

    @property
    def _text(self) -> DelimitedText:
        return DelimitedText(self.delimiter, self.encoding)

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome with ``rows`` sent and ``batches``, those of earlier tries included."""
        # Before anything is read: a missing key shall not be found after an hour of encoding.
        ctx.client.connection.push_key(self.dataset_id, self.resource_id)
        source = self._source(ctx)
        reading = ReadBack.of(ctx.client.schema(self.dataset_id)) if self.confirm else None

        def describe() -> Dataset | None:
            return ctx.client.schema_if_seen(self.dataset_id)

        ledger = ctx.ledger(
            fingerprint(
                base_url=ctx.client.connection.base_url,
                dataset_id=self.dataset_id,
                resource_id=self.resource_id,
                action=self.action,
                batch_bytes=self.batch_bytes,
                source=source,
            ),
            valid=lambda _, kept: min(kept["rows"], kept.get("batches", 0)) >= 0,
        )
        sent = self._send_ids(ctx, ledger) if self.record_ids else self._send(ctx, ledger, describe)
        confirmed = None
        if reading:
            pushed = self._read(ctx, describe)
            confirmed = reading.run(ctx, pushed, rows=sent["rows"], deleted=self.action == "delete")
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

    def _send(self, ctx: JobContext, ledger: Ledger, describe: Describe) -> dict[str, int]:
        sent: dict[str, int] = ledger.units.get(_UNIT) or {"rows": 0, "batches": 0}
        names = Names(self._where(ctx)) if self.unknown_fields == "refuse" else None
        records = self._read(ctx, describe)
        left = islice(names.watching(records) if names else records, sent["rows"], None)
        filled = batches(
            self._with_files(ctx, left, sent["rows"]),
            batch_bytes=self.batch_bytes,
            first_row=sent["rows"],
            # A record with files may be as large as a batch.
            most_ahead=1 if self.file_fields else MOST_AHEAD,
        )
        for batch in names.before(filled, describe) if names else filled:
            ctx.check()
            ctx.client.run(push.send(self.dataset_id, self.resource_id, batch.body, action=self.action))
            sent = {"rows": sent["rows"] + batch.rows, "batches": sent["batches"] + 1}
            # The last one leaves nothing to go on with, unless the records are still to be read back.
            if self.confirm or sent["rows"] != self._total:
                ledger.confirm(_UNIT, sent)
            ctx.progress(sent["rows"], self._total, "rows")
            del batch  # before the next one is made
        return sent

    @property
    def _total(self) -> int | None:
        """How many records there are; None where that is seen at their end only."""
        return None if self.records is None or any(map(is_envelope, self.records[:1])) else len(self.records)

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

    def _where(self, ctx: JobContext) -> str:
        return "argument records" if self.path is None else ctx.destination(self.path).url

    def _read(self, ctx: JobContext, describe: Describe) -> Iterator[Record]:
        records: Iterable[Record] = self.records or ()
        if self.path is not None:
            records = read_records(ctx.destination(self.path), text=self._text)
        return opened(records, describe, where=self._where(ctx))

    def _with_files(self, ctx: JobContext, records: Iterator[Record], first_row: int) -> Iterator[Record]:
        if not self.file_fields:
            yield from records
            return
        for number, record in enumerate(records, start=first_row):
            named = self.file_fields if isinstance(record, Mapping) else ()
            files = {name: record[name] for name in named if record.get(name) not in (None, "")}
            made = {name: self._file(ctx, value, f"record {number}, field {name}") for name, value in files.items()}
            yield {**record, **made} if made else record

    def _file(self, ctx: JobContext, value: Any, where: str) -> Any:
        """Return the value of a file-typed field: what is at the path, encoded."""
        named = named_file(value, where=where)
        if named is None:
            return value  # encoded already
        place = ctx.destination(named.path)
        needed = encoded_bytes(place.expect_there(where=where))
        if needed > self.batch_bytes:
            raise OdsConfigError(
                f"the file takes {needed} bytes as base64, more than a call of {self.batch_bytes} holds",
                where=f"{where}, {place.url}",
                advice="Make it smaller, or attach it to the dataset in the back office",
            )
        return file_value(place.read_bytes(), name=place.name, content_type=named.content_type)

    def _source(self, ctx: JobContext) -> str:
        """Name what is pushed, so that progress in one file is never taken for progress in another.

        Raises:
            OdsConfigError: A record holds a value without a faithful form; nothing was sent.
        """
        if self.path is not None:
            place = ctx.destination(self.path)
            return f"{place.url} {place.size_bytes()} {place.modified()} {self.delimiter} {self.encoding}"
        digest, encode = hashlib.sha256(), encoder()
        for number, record in enumerate(self.records or ()):
            digest.update(encoded(encode, self._by_name(record), number))
        for record_id in self.record_ids:
            digest.update(encode(record_id))
        return digest.hexdigest()

    def _by_name(self, record: Any) -> Any:
        """Return a record with files named, not read."""
        if not self.file_fields or not isinstance(record, Mapping):
            return record
        return {name: str(value) if name in self.file_fields else value for name, value in record.items()}
