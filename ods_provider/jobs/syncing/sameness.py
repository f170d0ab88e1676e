"""Whether two rows that do not look equal are the same all the same: as far as the portal keeps what it is sent.

Hashes tell rows apart by their last digit. Portals may keep less of a value than was sent; such a row would be pushed
again at every run, and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ods_provider.core.schema import Field
from ods_provider.jobs.syncing.values import Make, cutter

_MOMENT = timedelta(milliseconds=1)
_DEGREES = 1e-9  # a tenth of a millimetre
_FRACTION_AT = len("2026-01-05T08:00:00")


@dataclass(slots=True)
class Sameness:
    """Compares values in their pushed form.

    Args:
        fields: Those that are compared.
        finest: Fields of moments in which the portal shows a part of a second anywhere.

    Attributes:
        cut: Fields in which it shows none, and in how many rows the file has one where all else is equal.
    """

    fields: tuple[Field, ...]
    finest: frozenset[str] = frozenset()
    cut: dict[str, int] = field(default_factory=dict)
    _cutters: dict[str, Make | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._cutters = {each.name: cutter(each) for each in self.fields}

    def differing(self, given: Mapping[str, Any], stands: Mapping[str, Any]) -> list[str]:
        """Return the fields in which a row of the file and one of the portal differ, both in their pushed form."""
        found, cut = [], []
        for each in self.fields:
            mine, theirs = given.get(each.name), stands.get(each.name)
            if mine == theirs or self._same(each, mine, theirs):
                continue
            if each.type == "datetime" and self._is_cut(each, mine, theirs):
                cut.append(each.name)
                continue
            found.append(each.name)
        if not found:
            for name in cut:
                self.cut[name] = self.cut.get(name, 0) + 1
        return found

    def _same(self, of: Field, mine: Any, theirs: Any) -> bool:
        if mine is None or theirs is None:
            return False
        cut = self._cutters[of.name]
        if cut is not None and cut(mine) == cut(theirs):
            return True
        if of.multivalued:
            return False
        if of.type == "double" and isinstance(theirs, float):
            return f"{mine:.15g}" == f"{theirs:.15g}"
        if of.type == "date" and isinstance(theirs, str):
            # A field that is kept to the year without saying so.
            return bool(theirs) and str(mine).startswith(theirs)
        if of.type == "datetime":
            first, second = _moment(mine), _moment(theirs)
            return first is not None and second is not None and abs(first - second) < _MOMENT
        if of.type == "geo_point_2d" and isinstance(theirs, Mapping):
            return all(abs(mine[axis] - theirs[axis]) <= _DEGREES for axis in ("lon", "lat"))
        return False

    def _is_cut(self, of: Field, mine: Any, theirs: Any) -> bool:
        """Return whether the two differ by a part of a second, in a field of which the portal shows none anywhere."""
        if of.name in self.finest:
            return False
        first, second = _moment(mine), _moment(theirs)
        return first is not None and second is not None and first.replace(microsecond=0) == second


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def is_fine(value: Any) -> bool:
    """Return whether a moment, in its pushed form, has a part of a second."""
    return isinstance(value, str) and value[_FRACTION_AT : _FRACTION_AT + 1] == "."
