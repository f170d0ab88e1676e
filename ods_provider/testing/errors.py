"""The refusals of a portal, in its own words.

Source: Explore v2.1 errors, as recorded from live portals.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer that is an error: status, and the body's two keys."""

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error_code": error_code, "message": message}


def bad_parameter(message: str) -> Refusal:
    """400 for a REST parameter."""
    return Refusal(400, "InvalidRESTParameterError", message)


def no_dataset(dataset_id: str) -> Refusal:
    """404 for a dataset, unknown or invisible."""
    return Refusal(404, "NotFoundResource", f"The requested dataset {dataset_id} does not exist.")


def no_resource(what: str) -> Refusal:
    """404 for something within a dataset."""
    return Refusal(404, "NotFoundResource", f"The requested {what} does not exist.")


def no_uri() -> Refusal:
    """404 for an address that is no endpoint."""
    return Refusal(404, "NotFoundURI", "The requested URI does not exist.")


def wrong_method() -> Refusal:
    """405 for an endpoint that takes other methods."""
    return Refusal(405, "MethodNotAllowed", "The requested method is not allowed for this URI.")


def forbidden() -> Refusal:
    """403 for gated records."""
    return Refusal(403, "ForbiddenAccess", "You don't have permission to access the requested resource")


def unauthorized(message: str) -> Refusal:
    """401 for a private portal or a key that is none."""
    return Refusal(401, "Unauthorized", message)


def out_of_range() -> Refusal:
    """400 for a number that no column can hold."""
    return Refusal(400, "ODSQLError", "ODSQL query is malformed: a number is out of range.")


def failed() -> Refusal:
    """500, which says nothing more."""
    return Refusal(500, "InternalError", "An unexpected error occurred.")


def gone() -> Refusal:
    """410 for endpoints of version 2.0."""
    return Refusal(410, "GoneURI", "The requested endpoint is no longer available in this version of the API.")
