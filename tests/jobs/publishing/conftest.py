"""A portal with a dataset of ours, files to publish into it, and jobs that do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import API_KEY, Lab, Shelf, assert_no_key
from publishing_desk import Desk

from ods_provider.testing.portal import LocalPortal


@pytest.fixture(scope="session")
def _office_portal() -> Iterator[LocalPortal]:
    with LocalPortal(api_key=API_KEY) as portal:
        yield portal


@pytest.fixture
def portal(_office_portal: LocalPortal) -> Iterator[LocalPortal]:
    """A portal as it was at its start."""
    _office_portal.reset()
    yield _office_portal
    _office_portal.clear_faults()


@pytest.fixture
def lab(portal: LocalPortal, tmp_path: Path, shelf: Shelf) -> Iterator[Lab]:
    """Jobs against that portal; at the end the key stands in nothing that was said."""
    made = Lab(portal.url, tmp_path, api_key=API_KEY)
    yield made
    assert_no_key(*shelf.lines, *map(repr, made.events), *map(str, made.events))


@pytest.fixture
def desk(lab: Lab, portal: LocalPortal, out: Path) -> Desk:
    return Desk(lab, portal, out)
