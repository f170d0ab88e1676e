"""Dagster's face, read as text, because Dagster is not installed here: it takes what Airflow's operators take."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ods_provider"


def named(path: Path, name: str) -> ast.FunctionDef | ast.ClassDef:
    nodes = ast.walk(ast.parse(path.read_text()))
    return next(node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name)


def parameters(function: ast.FunctionDef) -> set[str]:
    return {each.arg for each in (*function.args.args, *function.args.kwonlyargs)} - {"self", "cls"}


def fields(config: ast.ClassDef) -> set[str]:
    return {node.target.id for node in config.body if isinstance(node, ast.AnnAssign)}


@pytest.mark.parametrize("job", ["search", "analysis", "download", "media", "push"])
def test_assets_and_ops_take_what_the_operator_takes(job):
    operator = named(PACKAGE / "operators" / f"{job}.py", f"Ods{job.capitalize()}Operator")
    (init,) = [node for node in operator.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    wanted = parameters(init) - {"max_xcom_bytes"}
    make = named(PACKAGE / "schedulers" / "dagster" / "arguments.py", f"{job}_job")
    query = parameters(named(PACKAGE / "core" / "query.py", "of")) if make.args.kwarg else set()
    assert wanted - parameters(make) - query == set()
    ops = PACKAGE / "schedulers" / "dagster" / "ops.py"
    config = named(ops, f"{job.capitalize()}Config")
    shared = fields(named(ops, "_Query")) if config.bases[0].id == "_Query" else set()
    # Records come to the op as its input.
    assert wanted - fields(config) - shared - {"records"} == set()
