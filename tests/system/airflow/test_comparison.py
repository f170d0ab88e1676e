"""docs/comparison.md says of other providers what their installed packages say."""

import importlib.util
from pathlib import Path

TOOL = Path(__file__).resolve().parents[3] / "docs" / "tools" / "expected.py"
spec = importlib.util.spec_from_file_location("expected", TOOL)
assert spec and spec.loader
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


def test_the_table_is_what_the_packages_say() -> None:
    page = tool.PAGE.read_text()
    assert tool.filled(page) == page, "run: python docs/tools/expected.py"
