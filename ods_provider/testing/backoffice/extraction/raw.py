"""What an extractor gives: rows of text, as SQL, and what is known of each field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ods_provider.testing.schema import Column, quoted


@dataclass(frozen=True)
class RawField:
    """One field of a source.

    Attributes:
        natural: The type that the source itself states, None where it is text only.
        described: The field of a dataset that it was, with what that says of it.
    """

    name: str
    label: str
    natural: str | None = None
    described: Column | None = None


@dataclass(frozen=True)
class Raw:
    """A source: SQL whose columns are called as the fields are, and hold text or null."""

    sql: str
    fields: tuple[RawField, ...]

    def pick(self, name: str) -> RawField | None:
        """Return the field of that name."""
        return next((field for field in self.fields if field.name == name), None)


def named(headers: Iterable[str], naturals: Iterable[str | None] | None = None) -> tuple[RawField, ...]:
    """Return fields for these headers: names in lower case without accents and signs, each once.

    Source: Automation API v1.0, field configurations (``AnzahlPP`` becomes ``anzahlpp``).
    """
    made: list[RawField] = []
    taken: set[str] = set()
    headers = list(headers)
    for number, (header, natural) in enumerate(zip(headers, naturals or [None] * len(headers), strict=True), 1):
        plain = unicodedata.normalize("NFKD", header.casefold()).encode("ascii", "ignore").decode()
        base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or f"column_{number}"
        name, again = base, 1
        while name in taken:
            again += 1
            name = f"{base}_{again}"
        taken.add(name)
        made.append(RawField(name, header.strip() or name, natural))
    return tuple(made)


def selected(fields: Iterable[RawField], cells: Iterable[str], source: str) -> str:
    """Return a SELECT of these cells under the fields' names."""
    shown = ", ".join(f"{cell} AS {quoted(field.name)}" for field, cell in zip(fields, cells, strict=True))
    return f"SELECT {shown} FROM {source}"  # noqa: S608  names are quoted
