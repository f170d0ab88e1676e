"""Look at what is waited for: how fresh a dataset is, and whether a quota allows calls again."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError, OdsQuotaExceeded
from ods_provider.core.limits import PAGE_ROWS
from ods_provider.core.odsql import any_of, literal
from ods_provider.core.plans.records import count, page
from ods_provider.core.query import Query
from ods_provider.core.quota import Quota, QuotaBook
from ods_provider.core.schema import Dataset
from ods_provider.core.times import iso
from ods_provider.core.wire import Plan, Request, Response

_IDS_BYTES = 7_000  # in a URL; nginx takes 8 KB for the whole request line


@dataclass(frozen=True, slots=True)
class QuotaLook:
    """A quota as one call showed it, and when to look again; ``ready_at`` is None when there is no need to wait."""

    quota: Quota
    ready: bool
    ready_at: datetime | None

    def said(self, dataset_id: str | None, min_remaining: int) -> str:
        """Return in words what was looked at, what is there, and what that means."""
        of = "the portal" if dataset_id is None else dataset_id
        if self.quota.remaining is None:
            return f"No quota of {of} is stated: enough"
        reset = iso(self.ready_at) or "a time that it does not tell"
        return (
            f"{counted(self.quota.remaining, 'calls', self.quota.limit)} of {of} left, {min_remaining:,} wanted: "
            f"{'enough' if self.ready else f'waiting for the reset at {reset}'}"
        )


def quota(book: QuotaBook, dataset_id: str | None, min_remaining: int) -> Generator[Request, Response, QuotaLook]:
    """Ask for nothing but the headers of an answer. One call, which counts in the quota itself.

    Args:
        book: Where the driver notes the quotas it sees.
        dataset_id: A dataset with a quota of its own; None looks at the portal's.
        min_remaining: Calls that must be left; 0 only shows what is.

    Raises:
        OdsConfigError: The whole quota is smaller than that, so that waiting would never end.
    """
    try:
        yield from count(dataset_id, Query())
    except OdsQuotaExceeded as error:
        if error.retry_at is None:
            raise
        return QuotaLook(Quota(remaining=0, reset_at=error.retry_at), ready=False, ready_at=error.retry_at)
    seen = book.tightest(dataset_id)
    # A portal that states no quota lets calls through: that is what was asked.
    if seen is None or seen.remaining is None or seen.remaining >= min_remaining:
        return QuotaLook(seen or Quota(), ready=True, ready_at=None)
    if seen.limit is not None and min_remaining >= seen.limit:
        raise OdsConfigError(
            f"min_remaining={min_remaining} is never left of {seen.limit} calls, of which the look takes one",
            where="argument min_remaining",
            advice=f"Ask for {max(seen.limit - 1, 0)} at most",
        )
    return QuotaLook(seen, ready=False, ready_at=seen.reset_at)


def datasets(dataset_ids: Iterable[str]) -> Plan[dict[str, Dataset]]:
    """Ask how fresh many datasets are: one call for each hundred, or for as many as a URL takes.

    Returns:
        Descriptions by id; a dataset that this key does not see in the catalogue is absent.
    """
    found: dict[str, Dataset] = {}
    for some in calls(dataset_ids):
        seen = yield from page(None, Query.of(where=any_of("dataset_id", some)), limit=len(some))
        found |= {str(row["dataset_id"]): Dataset.from_json(row) for row in seen.rows}
    return found


def calls(dataset_ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield the ids, each once and in order, cut into as few calls as page size and length of a URL allow."""
    some: list[str] = []
    size = 0
    for dataset_id in sorted(set(dataset_ids)):
        # As it will stand in the URL: a letter beyond ASCII takes six bytes there and more.
        more = len(quote_plus(f"{literal(dataset_id)}, "))
        if some and (len(some) == PAGE_ROWS or size + more > _IDS_BYTES):
            yield some
            some, size = [], 0
        some.append(dataset_id)
        size += more
    if some:
        yield some


def as_result(look: QuotaLook) -> dict[str, Any]:
    """Return what a quota sensor returns: ``{limit, remaining, reset_at}``."""
    return look.quota.as_dict()
