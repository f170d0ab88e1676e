"""What imports what: nothing in a circle, whether the import stands at the top, in a function, or for types alone.

The linter's contract compares rooms and files beside each other; this looks at every module, packages included, which
may not stand in a circle with what they hold either.
"""

from graphlib import CycleError, TopologicalSorter

import pytest

grimp = pytest.importorskip("grimp", reason="not run: import-linter, which brings grimp, is not installed")


def circle(graph):
    """The first circle of imports, as the list of its modules; None where there is none."""
    below = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(below).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_module_of_the_package_stands_in_a_circle():
    graph = grimp.build_graph("ods_provider", cache_dir=None)
    assert len(graph.modules) > 200
    assert circle(graph) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from circular import two", "from circular import one"),
        ("import circular.two", "def late():\n    from circular.one import x"),
        ("from circular.two import y", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import circular.one"),
    ],
)
def test_a_circle_is_found_however_it_is_closed(tmp_path, monkeypatch, first, second):
    package = tmp_path / "circular"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text(first)
    (package / "two.py").write_text(second)
    monkeypatch.syspath_prepend(tmp_path)
    found = circle(grimp.build_graph("circular", cache_dir=None))
    assert set(found) == {"circular.one", "circular.two"}
