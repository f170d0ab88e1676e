"""The fixture ``ods_portal``: a portal on localhost for your own tests.

pytest imports this module in every run on the machine, so that it imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def _ods_portal_server() -> Iterator[Any]:
    try:
        from ods_provider.testing.portal import LocalPortal
    except ImportError as error:
        pytest.fail(f"The fixture ods_portal needs: pip install 'ods-provider[portal]' ({error})", pytrace=False)
    with LocalPortal() as portal:
        yield portal


@pytest.fixture
def ods_portal(_ods_portal_server: Any) -> Iterator[Any]:
    """A ``LocalPortal`` with the small datasets, as it was at its start."""
    _ods_portal_server.reset()
    yield _ods_portal_server
    _ods_portal_server.clear_faults()
