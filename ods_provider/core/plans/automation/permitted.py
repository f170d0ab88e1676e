"""Whether a key may publish a dataset, found out before anything of it is changed.

No answer lists what a key may do. But a portal tells the status of a dataset to those alone who may publish it: who
sees the dataset, and is refused its status, lacks that very right. A portal that tells the status to everybody says
nothing of rights by it, and refuses the order itself.

Source: Automation API v1.0, status; rights per group of calls.
"""

from __future__ import annotations

from ods_provider.core.errors import OdsAuthError
from ods_provider.core.faces import setting
from ods_provider.core.plans.automation.status import Status, status
from ods_provider.core.wire import Plan


def permitted(uid: str, dataset_id: str | None = None, *, so_far: str = "Nothing was changed") -> Plan[Status]:
    """Return the status of a dataset that is to be published. One call.

    Args:
        uid: Which dataset; the key sees it.
        dataset_id: What people call it.
        so_far: What an error says of the work that it ends.

    Raises:
        OdsAuthError: The key may not publish it.
    """
    try:
        return (yield from status(uid))
    except OdsAuthError as error:
        if error.status != 403:
            raise
        raise OdsAuthError(
            f"The right publish_dataset is missing: the key may edit this dataset, and not publish it ({error.what})",
            status=error.status,
            code=error.code,
            where=f"dataset {dataset_id or uid}",
            advice=f"{so_far}. Have an administrator give publish_dataset to the user whose key is "
            f"{setting('api_key')}, or to the key itself, or to the user by a rule on the dataset; or use a key that "
            "has it",
        ) from None
