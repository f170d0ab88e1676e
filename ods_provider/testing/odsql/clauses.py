"""What the clauses of one query share, and the rows that they keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ods_provider.testing.odsql import predicates
from ods_provider.testing.odsql.expressions import Compiler
from ods_provider.testing.odsql.fields import Field
from ods_provider.testing.odsql.parse import parse
from ods_provider.testing.odsql.refining import restrictions
from ods_provider.testing.odsql.sql import Sql, joined


@dataclass(frozen=True)
class Clauses:
    """What all clauses of one query share."""

    fields: Mapping[str, Field]
    timezone: str
    lang: str = "en"

    def compiler(self, text: str, clause: str, aliases: Mapping[str, Sql] | None = None) -> Compiler:
        """Return what compiles one clause."""
        return Compiler(text, clause, self.fields, aliases, self.timezone, self.lang)

    def conditions(self, where: Sequence[str], refine: Sequence[str], exclude: Sequence[str]) -> Sql:
        """Return what rows must fulfil: every ``where``, and the facets that are refined or excluded."""
        parts = [Sql("true", (), "boolean")]
        for text in where:
            compiler = self.compiler(text, "where")
            parts.append(predicates.compile_where(compiler, parse(text, "where").children[0]))
        parts += restrictions(self.fields, refine, exclude)
        return joined(" AND ", parts)
