"""Sixty operations on answers that were changed; ``tests/system/fuzz`` runs ten thousand."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
from fuzzing import mutated
from fuzzing.mutated import work  # noqa: F401  importing it registers its operations
from fuzzing.mutated.operations import OPERATIONS

from ods_provider import jobs
from ods_provider.client import OdsClient
from ods_provider.client.v1 import ClientV1, Download
from ods_provider.core.formats.registry import format_names
from ods_provider.jobs.context import Job

SHORT = 70


def _jobs() -> list[str]:
    names = [found.name for found in pkgutil.iter_modules(jobs.__path__, f"{jobs.__name__}.") if not found.ispkg]
    found = {
        kind
        for name in names
        for kind in vars(importlib.import_module(name)).values()
        if inspect.isclass(kind) and kind is not Job and callable(getattr(kind, "work", None))
    }
    return sorted(kind.__name__ for kind in found)


def _methods(kind: type) -> list[str]:
    names = [name for name in dir(kind) if not name.startswith("_")]
    return [f"{kind.__name__}.{name}" for name in names]


@pytest.mark.parametrize("name", [*_methods(OdsClient), *_methods(ClientV1), *_methods(Download), *_jobs()])
def test_every_method_and_every_job_is_tried(name: str) -> None:
    assert [each for each in OPERATIONS.values() if each.of == name], f"add an operation for {name}"


@pytest.mark.parametrize("catalogue", [False, True])
def test_every_format_is_downloaded(catalogue: bool) -> None:
    tried = {name.rpartition(" ")[2] for name in OPERATIONS if name.startswith("DownloadJob")}
    assert set(format_names(catalogue=catalogue)) <= tried


def test_what_was_changed_becomes_an_error_a_wait_or_the_right_result() -> None:
    assert len({each.of for each in OPERATIONS.values()}) <= SHORT, "each has its turn"
    found = mutated.expect_whole(mutated.start(operations=SHORT, kinds=True))
    assert found["a result"] > 10
    assert sum(number for name, number in found.items() if name.startswith("Ods")) > 10
