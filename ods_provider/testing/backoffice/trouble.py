"""What the back office refuses, and why an extraction fails; the wire module words both for clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Refused(Exception):
    """An order that the back office does not take.

    Args:
        status: HTTP status that says so.
        code: Word of the newer envelope.
        message: Why.
        detail: What is wrong with single fields.
        error_key: Word of the older envelope.
        raw_message: The message with gaps, as the older envelope has it.
        raw_params: What fills the gaps.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        detail: Any = None,
        error_key: str | None = None,
        raw_message: str | None = None,
        raw_params: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.error_key = error_key or "".join(part.title() for part in code.split("_")) + "Exception"
        self.raw_message = raw_message or message
        self.raw_params = raw_params or {}


def not_found(what: str = "") -> Refused:
    """404 for anything."""
    return Refused(404, "not_found", f"{what} not found" if what else "Not found.")


def invalid(fields: dict[str, list[str]]) -> Refused:
    """400 for values of fields."""
    return Refused(400, "validation_error", "Invalid field value", detail=fields)


def bad_request(message: str) -> Refused:
    """400 for a request as a whole."""
    return Refused(400, "bad_request", message)


def too_large(size_bytes: int) -> Refused:
    """413 for an upload: no portal was seen to word it (our reading)."""
    return Refused(413, "bad_request", f"The file is too large: at most {size_bytes} bytes are accepted")


def wrong_status(status: str, accepted: Iterable[str]) -> Refused:
    """400 for an order that the dataset's status does not allow; names the status and those that do."""
    words = ", ".join(accepted)
    gaps = "Invalid precondition, dataset status is '{current_status}' but must be one of '{authorized_origin_status}'"
    return Refused(
        400,
        "invalid_dataset_status",
        gaps.format(current_status=status, authorized_origin_status=words),
        error_key="InvalidDatasetStatusPreconditionException",
        raw_message=gaps,
        raw_params={"authorized_origin_status": words, "current_status": status},
    )


def wrong_harvester_status(status: str, wanted: str) -> Refused:
    """400 for an order to a harvester that is at something else."""
    return Refused(400, "invalid_harvester_status", f"Invalid transition from {status} to {wanted}")


class ExtractionError(Exception):
    """A source that cannot be read; its message becomes the dataset's."""
