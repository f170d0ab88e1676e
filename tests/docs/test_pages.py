"""The documentation is a subject of tests: its examples run, its tables are the code's, its links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from ods_provider.core.outcome import KEYS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load(ROOT / "docs" / "tools" / "pages.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_takes_from_the_code_is_what_the_code_says(page, tool):
    text = page.read_text()
    assert tool.filled(text) == text, "run: python docs/tools/pages.py"


def test_a_class_whose_docstring_leaves_an_argument_out_is_refused(tool, tmp_path):
    source = '''
class Made:
    """Do.

    Args:
        told: Yes.
    """

    def __init__(self, *, told, untold): ...
'''
    (tmp_path / "made.py").write_text(source)
    with pytest.raises(SystemExit, match="does not explain untold"):
        tool.arguments(tmp_path / "made.py", "Made")  # an absolute path stays what it is


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "are templates." in page.read_text()], ids=lambda page: page.stem
)
def test_the_arguments_that_a_page_calls_templates_are_those_that_airflow_renders(page):
    pytest.importorskip("airflow")
    from ods_provider.airflow.arguments import kept_as

    text = page.read_text()
    file, name, table = re.search(r"<!-- arguments: (\S+) (\w+) -->\n(.*?)<!-- end -->", text, re.DOTALL).groups()
    arguments = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    but = re.findall(r"`(\w+)`", re.search(r"^(All .*) are templates\.", text, re.MULTILINE)[1])
    rendered = getattr(importlib.import_module(file.removesuffix(".py").replace("/", ".")), name).template_fields
    assert {kept_as(name) for name in set(arguments) - set(but)} == set(rendered)


def test_lines_with_nox_find_its_uv_and_name_sessions_that_exist():
    found = [
        line for page in PAGES for line in re.findall(r"^    (.*\.venv/bin/nox\b.*)$", page.read_text(), re.MULTILINE)
    ]
    assert len(found) >= 2
    sessions = re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    for line in found:
        # Where make had to fetch uv, it is not on anybody's path.
        assert line.startswith("PATH=$PWD/.tools/bin:$PATH ")
        assert set(line.partition(" -s ")[2].split()) <= set(sessions)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_to_files(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    # The sdist leaves pictures out.
    ending = () if any((ROOT / "docs" / "images").glob("*.png")) else ".png"
    missing = [link for link in links if not (page.parent / link).exists() and not link.endswith(ending)]
    assert not missing


@pytest.mark.parametrize("image", sorted((ROOT / "docs" / "images").glob("*.png")), ids=lambda image: image.name)
def test_a_picture_is_small_shown_and_made_by_a_browser_test(image):
    assert image.stat().st_size < 120_000
    assert any(f"images/{image.name}" in page.read_text() for page in PAGES)
    system = ROOT / "tests" / "system"
    tests = [*(system / "browser").glob("test_*.py"), *system.glob("*/test_on_screen.py")]
    assert any(f'"{image.stem}"' in test.read_text() for test in tests), "make pictures could not make it anew"


@pytest.mark.parametrize(
    "page", [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"], ids=lambda page: page.name
)
def test_files_and_rooms_that_a_map_names_exist(page):
    named = re.findall(r"`((?:ods_provider|tests|benchmarks|docs)/[\w./-]*)`", page.read_text())
    assert named
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.parametrize(
    "map_", [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"], ids=lambda page: page.name
)
def test_a_map_names_every_room(map_):
    rooms = {path.parent.name for path in (ROOT / "ods_provider").glob("*/__init__.py")}
    text = map_.read_text()
    assert rooms
    missing = [room for room in rooms if f"{room}/" not in text]
    assert not missing


@pytest.mark.parametrize("kind", ["operators", "sensors"])
def test_every_operator_and_sensor_has_a_page(kind):
    classes = {}
    for path in (ROOT / "ods_provider" / kind).glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name not in ("OdsJobOperator", "OdsLookingSensor"):
                classes[node.name] = path.stem
    assert classes
    for name, module in classes.items():
        # Some modules hold several, each with a page of its own.
        assert any(page.read_text().startswith(f"# {name}\n") for page in (ROOT / "docs" / kind).glob(f"{module}*.md"))


def test_the_first_dag_of_the_readme_parses_and_is_twenty_lines_long():
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    space: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), space)
    assert [task.task_id for task in space["dag"].tasks] == ["updated", "download"]  # type: ignore[attr-defined]
    assert len(code.splitlines()) <= 24


def test_every_key_of_an_outcome_is_explained():
    text = (ROOT / "docs" / "outcome.md").read_text()
    missing = [key for key in KEYS if f"`{key}`" not in text]
    assert not missing
