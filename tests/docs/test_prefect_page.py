"""docs/prefect.md is a subject of tests: its tables are the code's. No Prefect is needed to read the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FACE = ROOT / "ods_provider" / "schedulers" / "prefect"
PAGE = (ROOT / "docs" / "prefect.md").read_text()


def parsed(name: str) -> ast.Module:
    return ast.parse((FACE / f"{name}.py").read_text())


def made() -> list[ast.FunctionDef]:
    """The functions of all modules that hold tasks."""
    return [
        node
        for module in ("tasks", "administering", "describing")
        for node in parsed(module).body
        if isinstance(node, ast.FunctionDef)
    ]


def test_every_task_has_a_row():
    tasks = [node.name for node in made() if any("ods_task" in ast.unparse(each) for each in node.decorator_list)]
    assert len(tasks) >= 13
    assert sorted(re.findall(r"^\| `(ods_\w+)\(", PAGE, re.MULTILINE)) == sorted(tasks)


def test_every_field_of_the_block_has_a_row():
    (block,) = [node for node in parsed("credentials").body if isinstance(node, ast.ClassDef)]
    fields = [
        node.target.id
        for node in block.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_")
    ]
    section = PAGE.partition("## Credentials")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == fields


def test_every_wait_mode_has_a_row():
    (modes,) = [
        ast.literal_eval(node.value.slice)
        for node in parsed("waiting").body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WaitMode"
    ]
    section = PAGE.partition("## Waiting")[2].partition("## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)[1:]) == modes


def test_the_names_that_the_page_types_are_exported():
    exported = ast.literal_eval(
        next(
            node.value
            for node in parsed("__init__").body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        )
    )
    assert set(re.findall(r"\b(ods_[a-z]+(?:_update|_file)?|OdsCredentials)\(", PAGE)) == set(exported)
    assert (FACE / "updates.py").read_text().count('"opendatasoft.dataset.updated"') == 1
    assert 'expect: ["opendatasoft.dataset.updated"]' in PAGE


def parameters(node: ast.FunctionDef) -> set[str]:
    return {each.arg for each in (*node.args.args, *node.args.kwonlyargs)} - {"self"}


@pytest.mark.parametrize(
    ("task", "module", "operator"),
    [
        ("ods_search", "search", "OdsSearchOperator"),
        ("ods_publish_file", "publish", "OdsPublishFileOperator"),
        ("ods_publish", "publish", "OdsPublishOperator"),
        ("ods_metadata", "metadata", "OdsMetadataOperator"),
        ("ods_harvest", "harvest", "OdsHarvestOperator"),
        ("ods_visibility", "visibility", "OdsVisibilityOperator"),
        ("ods_analyse", "analysis", "OdsAnalysisOperator"),
        ("ods_download", "download", "OdsDownloadOperator"),
        ("ods_media", "media", "OdsMediaOperator"),
        ("ods_push", "push", "OdsPushOperator"),
    ],
)
def test_a_task_takes_what_the_operator_takes(task, module, operator):
    (one,) = [node for node in made() if node.name == task]
    tree = ast.parse((ROOT / "ods_provider" / "operators" / f"{module}.py").read_text())
    (known,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == operator]
    (init,) = [node for node in known.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    ours = {"max_xcom_bytes" if name == "max_bytes" else name for name in parameters(one)}
    assert ours - {"credentials", "wait_mode"} == parameters(init)
