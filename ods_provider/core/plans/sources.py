"""Ask another source than the catalogue: every plan about datasets and records serves all of them.

Source: Explore v2.1, whose monitoring source has the endpoints of the catalogue below an address of its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TypeVar

from ods_provider.core.plans.explore import ROOT
from ods_provider.core.plans.rewriting import rewritten
from ods_provider.core.source import CATALOG, Source, named, root
from ods_provider.core.wire import Plan, Request

T = TypeVar("T")


def within(source: Source, plan: Plan[T]) -> Plan[T]:
    """Run a plan about the catalogue at another source: its calls, its quotas and its errors are of that one."""
    return plan if source == CATALOG else rewritten(plan, partial(_moved, source))


def _moved(source: Source, request: Request) -> Request:
    if not request.path.startswith(f"{ROOT}/"):
        return request
    dataset_id = named(source, request.dataset_id) if request.dataset_id else None
    return replace(request, path=root(source) + request.path.removeprefix(ROOT), dataset_id=dataset_id)
