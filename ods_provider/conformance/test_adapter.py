"""What ``pytest --pyargs ods_provider.conformance`` collects: the suite, held against ``ODS_ADAPTER``."""

from __future__ import annotations

import os
from importlib import import_module

from ods_provider.conformance.reference import Reference
from ods_provider.conformance.suite import AdapterSuite


def _adapter() -> type:
    named = os.environ.get("ODS_ADAPTER")
    if not named:
        return type("Bare", (Reference, AdapterSuite), {})
    module, _, name = named.partition(":")
    found: type = getattr(import_module(module), name)
    return found


TestAdapter = type("TestAdapter", (_adapter(),), {"__doc__": "The adapter that is held against the contract."})
