"""Words in texts, whatever their accents and case: as SQL over the text fields of a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from ods_provider.testing.odsql import Field
from ods_provider.testing.odsql.sql import Sql, bound, glue, joined
from ods_provider.testing.schema import quoted


def cell(field: Field) -> Sql:
    """Return a field as SQL."""
    return Sql(quoted(field.name), (), field.type, field.multivalued, field.precision)


def text_cells(fields: Iterable[Field]) -> list[Sql]:
    """Return the fields that a bare word is looked for in."""
    return [cell(field) for field in fields if field.type == "text" and "." not in field.name]


def folded(text: str) -> str:
    """Return a text without accents, in lower case."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(char for char in apart if not unicodedata.combining(char)).lower()


def words(text: str) -> list[str]:
    """Return the words of a text, folded."""
    return [word for word in re.split(r"[^\w]+", folded(text)) if word]


def folded_cell(cells: Sequence[Sql]) -> Sql:
    """Return the texts of a row as one, folded."""
    parts = [glue("array_to_string({}, ' ')", part, kind="text") if part.multivalued else part for part in cells]
    return glue("lower(strip_accents(concat_ws(' ', " + ", ".join("{}" for _ in parts) + ")))", *parts, kind="text")


def _tokens(cells: Sequence[Sql]) -> Sql:
    return glue("regexp_split_to_array({}, '[^\\p{{L}}\\p{{N}}_]+')", folded_cell(cells), kind="text")


def begins(text: str, cells: Sequence[Sql]) -> Sql:
    """Every word of ``text`` begins a word of the row: ``film`` finds films and filmography."""
    wanted = words(text)
    if not wanted or not cells:
        return bound(not wanted, "boolean")
    tests = []
    for word in wanted:
        found = glue("len(list_filter({}, lambda t: starts_with(t, ?))) > 0", _tokens(cells))
        tests.append(found.with_params(*found.params, word))
    return joined(" AND ", tests)


def holds(text: str, cells: Sequence[Sql]) -> Sql:
    """The words of ``text`` stand in the row, whole and one after the other."""
    wanted = words(text)
    if not wanted or not cells:
        return bound(not wanted, "boolean")
    return glue(
        "contains(' ' || array_to_string({}, ' ') || ' ', {})", _tokens(cells), bound(f" {' '.join(wanted)} ", "text")
    )
