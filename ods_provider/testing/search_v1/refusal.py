"""How Search API v1.0 refuses: one key, ``error``."""

from __future__ import annotations

from ods_provider.testing.errors import Refusal


class V1Refusal(Refusal):
    """A refusal in the older envelope, which has no code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "", message)
        self.body = {"error": message}


def bad(message: str) -> V1Refusal:
    """400 for a parameter or a query."""
    return V1Refusal(400, message)


def no_dataset(dataset_id: str) -> V1Refusal:
    """404 for a dataset, unknown or invisible."""
    return V1Refusal(404, f"Unknown dataset: {dataset_id}")
