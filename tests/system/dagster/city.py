"""A project of Dagster's as people have it: a folder of definitions, some of them components in YAML."""

from __future__ import annotations

from pathlib import Path

_PROJECT = """\
[project]
name = "city"
version = "0.1"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "city"
"""
_DEFINITIONS = """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


def write_city(root: Path, **files: str) -> Path:
    """Write the project without any definition, and return it.

    Args:
        root: The folder that it becomes.
        files: What stands in the folder of definitions, by module; of a component, its YAML.
    """
    defs = root / "src" / "city" / "defs"
    defs.mkdir(parents=True)
    (root / "pyproject.toml").write_text(_PROJECT)
    for package in (defs, defs.parent):
        (package / "__init__.py").touch()
    (defs.parent / "definitions.py").write_text(_DEFINITIONS)
    for name, text in files.items():
        if text.startswith("type:"):
            (defs / name).mkdir()
            (defs / name / "defs.yaml").write_text(text)
        else:
            (defs / f"{name}.py").write_text(text)
    return root
