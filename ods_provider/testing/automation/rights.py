"""What a key must be allowed to do for each group of calls.

Source: Automation API v1.0, rights; the mapping is written for its ancestor only.
"""

from __future__ import annotations

from ods_provider.testing.backoffice.draft import Draft

Permissions = frozenset[str]

# For calls that are about no dataset: all of these, or any of them.
ALL: dict[str, tuple[str, ...]] = {
    "create": ("create_dataset",),
    "harvest": ("create_dataset", "edit_dataset", "publish_dataset"),
    "people": ("edit_domain",),
    "own": (),
}
ANY: dict[str, tuple[str, ...]] = {
    "tools": ("create_dataset", "edit_dataset"),
}


def may(right: str, permissions: Permissions, user: str | None, draft: Draft | None = None) -> bool:
    """Return whether who asks may do something.

    Args:
        right: create, list, tools, harvest, people or own; of a dataset: read, write, publish or security.
        permissions: Of the key.
        user: Whose key it is, for what the dataset's own rules give.
        draft: The dataset.
    """
    if right in ALL:
        return set(ALL[right]) <= permissions
    if right == "list":
        # Who may edit a single dataset is shown that one.
        return True
    if right in ANY:
        return bool(set(ANY[right]) & permissions)
    assert draft is not None
    edits = "edit_dataset" in permissions or _given(draft, user, "edit_dataset")
    publishes = "publish_dataset" in permissions or _given(draft, user, "publish_dataset")
    if right == "read":
        return edits or _given(draft, user, "publish_dataset")
    if right == "write":
        return edits
    if right == "publish":
        return (edits and publishes) or _given(draft, user, "publish_dataset")
    return edits and ("manage_dataset" in permissions or _given(draft, user, "manage_dataset"))


def shows(permissions: Permissions, user: str | None, draft: Draft) -> bool:
    """Return whether a list shows a dataset: only what the key may edit."""
    return may("read", permissions, user, draft)


def _given(draft: Draft, user: str | None, permission: str) -> bool:
    return user is not None and draft.permits(user, permission)
