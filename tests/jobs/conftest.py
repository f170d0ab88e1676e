from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from lab import API_KEY, PUSH_KEY, Lab, Shelf, assert_no_key

from ods_provider.testing.portal import LocalPortal


@pytest.fixture(scope="session")
def _big_portal() -> Iterator[LocalPortal]:
    with LocalPortal(synthetic_rows=12_345, api_key=API_KEY, push_key=PUSH_KEY) as portal:
        yield portal


@pytest.fixture(scope="session")
def few_rows() -> Iterator[LocalPortal]:
    """A portal with 2,000 synthetic rows, for tests that fetch all of them many times."""
    with LocalPortal(synthetic_rows=2_000, api_key=API_KEY, push_key=PUSH_KEY) as portal:
        yield portal


@pytest.fixture
def portal(_big_portal: LocalPortal) -> Iterator[LocalPortal]:
    """A portal with 12,345 synthetic rows, as it was at its start."""
    _big_portal.reset()
    yield _big_portal
    _big_portal.clear_faults()


@pytest.fixture
def lab(portal: LocalPortal, tmp_path: Path, shelf: Shelf) -> Iterator[Lab]:
    """Jobs against that portal with both keys; at the end no key stands in anything that was said."""
    made = Lab(portal.url, tmp_path, api_key=API_KEY, push_api_key=PUSH_KEY)
    yield made
    assert_no_key(*shelf.lines, *map(repr, made.events), *map(str, made.events))


@pytest.fixture
def make_lab(tmp_path: Path) -> Callable[..., Lab]:
    """Makes a lab with settings of its own."""

    def make(url: str, **settings: object) -> Lab:
        return Lab(url, tmp_path, **settings)

    return make


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """Every log line of the test, debug included."""
    kept, root = Shelf(), logging.getLogger()
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(kept)
    root.setLevel(level)


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for 127.0.0.1, and the file of the authority that vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return context, bundle


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the destinations lie."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
