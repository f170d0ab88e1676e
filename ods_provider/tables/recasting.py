"""One kind as another, where a table that stands has a column of that other kind: without loss, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from ods_provider.tables.arrow import Array, pc
from ods_provider.tables.columns import Kind, arrow_type

RECAST: Mapping[Kind, tuple[Kind, ...]] = {
    "int": ("decimal", "double", "text"),
    "double": ("text",),
    "decimal": ("text",),
    "bool": ("text",),
    "date": ("datetime", "text"),
    "datetime": ("text",),
    "json": ("text",),
}
"""As which other kinds values can be staged, the nearest first. An int is a double up to 2^53, and refused beyond."""


def recast(array: Array, kind: Kind, to: Kind) -> Array:
    """Return values of one kind as another.

    Raises:
        ValueError: A value would lose something.
    """
    if kind == to:
        return array
    if to == "text" and kind == "datetime":
        # As portals write them: to the second, and finer only where there is something.
        texts = pc.strftime(array, format="%Y-%m-%dT%H:%M:%S")
        return pc.binary_join_element_wise(pc.replace_substring_regex(texts, r"\.0+$", ""), "+00:00", "")
    return array.cast(arrow_type(to))
