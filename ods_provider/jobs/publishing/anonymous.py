"""What somebody without a key sees of a dataset: asked with no credentials, in a session of its own.

Source: Explore v2.1, datasets, records; Automation API v1.0, security.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ods_provider.client import OdsClient
from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsAuthError, OdsNotAPortal, OdsNotFound, OdsQueryError
from ods_provider.core.plans.catalog import dataset
from ods_provider.core.plans.records import count
from ods_provider.core.query import Query
from ods_provider.jobs.context import JobContext


@dataclass(frozen=True, slots=True)
class Sight:
    """What an anonymous call got.

    Attributes:
        seen: Whether it saw the dataset.
        records: How many of its records; None where it may read none.
        said: In words.
    """

    seen: bool
    records: int | None
    said: str


def sight(ctx: JobContext, dataset_id: str) -> Sight:
    """Ask for a dataset and the number of its records without a key, at the same host. Two calls.

    Raises:
        OdsError: The portal cannot be asked at all.
    """
    plain = replace(
        ctx.client.connection,
        auth="anonymous",
        login=None,
        api_key=None,
        push_keys={},
        client_id=None,
        client_secret=None,
        refresh_token=None,
    )
    terms = ctx.client.terms
    with OdsClient(plain, emit=ctx.emit, heed=ctx.check, now=terms.now, sleep=terms.sleep) as anybody:
        try:
            return _seen(anybody, dataset_id)
        finally:
            ctx.client.quota.calls += anybody.quota.calls


def _seen(anybody: OdsClient, dataset_id: str) -> Sight:
    try:
        anybody.run(dataset(dataset_id))
    except (OdsNotFound, OdsAuthError, OdsNotAPortal) as error:
        # A page to log in at comes with 200.
        return Sight(False, None, "nothing" if isinstance(error, OdsNotFound) else f"{error.status}, {error.what}")
    try:
        records = anybody.run(count(dataset_id, Query()))
    except (OdsNotFound, OdsAuthError, OdsQueryError):
        return Sight(True, None, "the dataset without its records")
    return Sight(True, records, f"the dataset and {counted(records, 'records')}")
