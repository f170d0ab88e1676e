"""The page of types is the code's: its table is what a run makes of an export."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ods_provider.testing.portal import LocalPortal
from ods_provider.testing.schema import SQL_TYPES

TOOL = Path(__file__).resolve().parents[2] / "docs" / "tools" / "load_types.py"


def test_the_table_is_what_a_run_makes(ods_portal: LocalPortal):
    spec = importlib.util.spec_from_file_location(TOOL.stem, TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = tool.PAGE.read_text()
    assert tool.filled(page, ods_portal.url) == page, "run: python docs/tools/load_types.py"
    for type_ in SQL_TYPES:  # all that the local portal has
        assert f"\n| {type_}" in page
