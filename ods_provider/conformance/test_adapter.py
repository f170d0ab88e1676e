"""What ``pytest --pyargs ods_provider.conformance`` collects: the suite, held against ``ODS_ADAPTER``."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import pytest

from ods_provider.conformance.suite import AdapterSuite
from ods_provider.core.errors import OdsConfigError

ADAPTER = "ODS_ADAPTER"
REFERENCE = "ods_provider.conformance.reference:Reference"
_ADVICE = f"Name a class that has run(self, work) -> Ran, as {REFERENCE} has"


def _suite(named: str) -> type:
    """Return the class of that name, with the suite mixed in where it is missing, as pytest collects it."""
    found = _named(named)
    # Without the suite pytest would find no test in it, and say no more than that.
    bases = (found,) if issubclass(found, AdapterSuite) else (found, AdapterSuite)
    made = type("TestAdapter", bases, {"__doc__": "The adapter that is held against the contract."})
    missing = sorted(getattr(made, "__abstractmethods__", ()))
    if missing:
        raise _bad(f"{found.__name__} has no {', '.join(missing)}", named, _ADVICE)
    return made


def _named(named: str) -> type:
    module_name, _, name = named.partition(":")
    if not module_name or not name:
        raise _bad(f"{named!r} names no class", named, f"Write module:Class, such as {REFERENCE}")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise _bad(
            f"the module {module_name} cannot be imported: {error}",
            named,
            "Install it, or put its folder on PYTHONPATH",
        ) from error
    found: Any = getattr(module, name, None)
    if not isinstance(found, type):
        said = f"{module_name} has no {name}" if not hasattr(module, name) else f"{module_name}:{name} is no class"
        raise _bad(said, named, _ADVICE)
    return found


def _bad(what: str, named: str, advice: str) -> Exception:
    # pytest shows this error's text alone, without a traceback of ours.
    return pytest.Collector.CollectError(str(OdsConfigError(what, where=f"{ADAPTER}={named}", advice=advice)))


TestAdapter = _suite(os.environ.get(ADAPTER) or REFERENCE)
