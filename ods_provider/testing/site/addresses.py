"""The addresses of the pages: what is asked there counts in no quota, meets no fault, and stands in no log."""

from __future__ import annotations

import re

ROOT = "/explore/"
DATASET = f"{ROOT}dataset/{{dataset_id}}"
DATA = f"{ROOT}data"
STATIC = f"{ROOT}static"
ICON = "/favicon.ico"  # browsers ask for it by themselves
# As real portals call the parts of a dataset's page: one page has all of them here. What else lies below a dataset's
# address (files, downloads) belongs to the APIs.
VIEWS = ("information", "table", "map", "api")
_PAGE = re.compile(
    rf"(?:/|/explore/?|{re.escape(ICON)}|(?:{DATA}|{STATIC})/.*|/explore/dataset/[^/]+/?(?:(?:{'|'.join(VIEWS)})/?)?)\Z",
    re.DOTALL,
)


def is_page(path: str) -> bool:
    """Return whether an address is of a page for people, or of what such a page asks for."""
    return _PAGE.match(path) is not None
