"""Dagster's face, read as text, because Dagster is not installed here: it takes what the builders take."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from ods_provider.jobs import arguments

FACE = Path(__file__).resolve().parents[2] / "ods_provider" / "schedulers" / "dagster"


def functions(name: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((FACE / f"{name}.py").read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("job", ["search", "analysis", "download", "load", "media", "push", "sync", "publish_file"])
def test_ops_and_assets_hand_all_that_they_are_given_to_the_builder(job):
    op = functions("ops")[f"ods_{job}_op"]
    assets = functions("assets") | functions("sentassets")
    asset = assets["ods_dataset_asset" if job == "download" else f"ods_{job}_asset"]
    for made in (op, asset):
        assert made.args.kwarg is not None and f"{job}_job" in ast.unparse(made)
    known = inspect.signature(getattr(arguments, f"{job}_job")).parameters
    own = {"name", "resource_key", "partitions_def", "partition_field", "partition_where", "asset_options"}
    own |= {"checks", "rows_as"}
    assert {each.arg for each in (*asset.args.args, *asset.args.kwonlyargs)} - own <= set(known)
