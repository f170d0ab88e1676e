"""What a dataset is called now whose id was changed: its ``dataset_uid`` stays."""

from __future__ import annotations

import re

from ods_provider.core.errors import OdsError
from ods_provider.core.odsql import literal
from ods_provider.jobs.context import JobContext

_UID = re.compile(r"da_[A-Za-z0-9]{1,64}")


def now_called(ctx: JobContext, dataset_uid: str) -> str | None:
    """Return the id of the dataset of that uid, None where the portal shows none or does not say.

    It is asked after an error, which stays the news.
    """
    if not _UID.fullmatch(dataset_uid):
        return None
    try:
        found = ctx.client.datasets(where=f"dataset_uid = {literal(dataset_uid)}", limit=2)
        # A portal that does not filter by it would show any.
        ids = [str(each["dataset_id"]) for each in found if each.get("dataset_uid") == dataset_uid]
    except OdsError:
        return None
    return ids[0] if len(ids) == 1 else None
