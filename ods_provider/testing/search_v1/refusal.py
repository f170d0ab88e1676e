"""How Search API v1.0 refuses: one key, ``error``, whoever in the portal it is that refuses."""

from __future__ import annotations

from typing import Any

from ods_provider.testing.errors import Refusal
from ods_provider.testing.search_v1.form import is_v1


class V1Refusal(Refusal):
    """A refusal in the older envelope, which has no code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, "", message)
        self.body = {"error": message}


def envelope(path: str, refusal: Refusal) -> dict[str, Any]:
    """Return the body of a refusal in the words of the API that was asked."""
    return {"error": str(refusal)} if is_v1(path) else refusal.body


def bad(message: str) -> V1Refusal:
    """400 for a parameter or a query."""
    return V1Refusal(400, message)


def no_dataset(dataset_id: str) -> V1Refusal:
    """404 for a dataset, unknown or invisible."""
    return V1Refusal(404, f"Unknown dataset: {dataset_id}")
