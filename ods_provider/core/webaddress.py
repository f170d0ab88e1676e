"""Where people look at a portal: the addresses of its pages, which hold no key."""

from __future__ import annotations

from ods_provider.core.segments import segment


def portal_page(base_url: str) -> str:
    """Return the address of the page on which a portal lists its datasets."""
    return f"{base_url}/explore/"


def dataset_page(base_url: str, dataset_id: str) -> str:
    """Return the address of a dataset's page.

    Raises:
        OdsConfigError: The id would lead to another page.
    """
    return f"{base_url}/explore/dataset/{segment(dataset_id)}/"
