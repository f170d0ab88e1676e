"""Push records into a realtime resource, or delete them, in batches filled to the portal's limit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from ods_provider.core.batches import batches
from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.limits import PUSH_BYTES
from ods_provider.core.outcome import outcome
from ods_provider.core.plans import push
from ods_provider.jobs.context import JobContext
from ods_provider.sinks.recordfiles import read_records

Action = Literal["push", "delete"]
_UNIT = "sent"


@dataclass(frozen=True, slots=True)
class PushJob:
    """Records to a realtime resource.

    A batch is the unit of progress: after a wait or a kill, the batches that the portal accepted are not sent again,
    as long as the source is the same. The interrupted one is: identical rows collapse on the portal (Q20).

    Args:
        dataset_id, resource_id: Where to.
        records: The records themselves, or
        path: a JSON lines, JSON, CSV or Parquet file of them.
        action: ``push`` adds or upserts, ``delete`` removes the records with these values.
        batch_bytes: Largest body of one call.
    """

    dataset_id: str
    resource_id: str
    records: Sequence[Mapping[str, Any]] | None = None
    path: Any = None
    action: Action = "push"
    batch_bytes: int = PUSH_BYTES
    name: ClassVar[str] = "push"

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise OdsConfigError(
                f"action={self.action!r} is not known", where="argument action", advice="Use push or delete"
            )
        if (self.records is None) == (self.path is None):
            raise OdsConfigError(
                "pass either records or a path", where="arguments records, path", advice="Give exactly one of them"
            )
        if not 2 < self.batch_bytes <= PUSH_BYTES:
            raise OdsConfigError(
                f"batch_bytes={self.batch_bytes} is outside what the portal takes",
                where="argument batch_bytes",
                advice=f"Use at most {PUSH_BYTES}",
            )

    def work(self, ctx: JobContext) -> dict[str, Any]:
        """Return the Outcome with ``rows`` sent and ``batches``, those of earlier tries included."""
        # Before anything is read: a missing key shall not be found after an hour of encoding.
        ctx.client.connection.push_key(self.dataset_id, self.resource_id)
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
        sent: dict[str, int] = ledger.units.get(_UNIT) or {"rows": 0, "batches": 0}
        total = len(self.records) if self.records is not None else None
        for number, batch in enumerate(batches(self._read(ctx), batch_bytes=self.batch_bytes)):
            if number < sent["batches"]:
                continue
            ctx.check()
            ctx.client.run(push.send(self.dataset_id, self.resource_id, batch.body, action=self.action))
            sent = {"rows": sent["rows"] + batch.rows, "batches": sent["batches"] + 1}
            if total is None or sent["rows"] < total:
                ledger.confirm(_UNIT, sent)
            ctx.progress(sent["rows"], total, "rows")
        ledger.clear()
        return outcome(
            dataset_id=self.dataset_id,
            rows=sent["rows"],
            batches=sent["batches"],
            action=self.action,
            calls=ctx.calls,
            quota_remaining=ctx.remaining(self.dataset_id),
        )

    def _read(self, ctx: JobContext) -> Iterable[Mapping[str, Any]]:
        if self.records is not None:
            return self.records
        return _iterate(ctx, self.path)

    def _source(self, ctx: JobContext) -> str:
        """Name what is pushed, so that progress in one file is never taken for progress in another."""
        if self.path is not None:
            place = ctx.destination(self.path)
            return f"{place.url} {place.size_bytes()} {place.modified()}"
        digest = hashlib.sha256()
        for record in self.records or ():
            digest.update(json.dumps(record, sort_keys=True, default=str).encode())
        return digest.hexdigest()


def _iterate(ctx: JobContext, path: Any) -> Iterator[Mapping[str, Any]]:
    yield from read_records(ctx.destination(path))
