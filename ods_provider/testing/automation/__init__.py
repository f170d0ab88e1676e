"""The Automation API over a back office: what editors of a portal do by hand, done by programs.

Source: Automation API v1.0.
"""

from __future__ import annotations

from starlette.routing import Route

from ods_provider.testing.access import Access
from ods_provider.testing.automation import datasets, hanging, harvesters, lists, looking, metadata, people, resources
from ods_provider.testing.automation.calls import Calls
from ods_provider.testing.backoffice.office import BackOffice


def routes(office: BackOffice, access: Access) -> list[Route]:
    """Return the routes.

    Args:
        office: The back office.
        access: Whose keys open it.
    """
    tables = (datasets, metadata, resources, looking, lists, hanging, harvesters, people)
    return Calls(office, access).routes(entry for one in tables for entry in one.table())
