"""The query arguments that every call shares, coerced from what a template may leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import COMPUTED
from ods_provider.core.given import clauses, is_given, mapping, text, truth
from ods_provider.core.legible import kind_of
from ods_provider.core.wire import Params

Filter = Mapping[str, str | Iterable[str]] | str | None


def filter_pairs(name: str, given: Filter) -> Params:
    """Return ``refine`` or ``exclude`` as repeated parameters, one per value, never comma-joined (Q43).

    Args:
        name: ``refine`` or ``exclude``.
        given: Facet to value or values, as a mapping, the same as text (JSON or Python's spelling, which a template
            leaves), or one ``facet:value`` text.
    """
    if not is_given(given):
        return ()
    if isinstance(given, str) and given.lstrip().startswith("{"):
        given = mapping(name, given)
    if isinstance(given, str):
        if ":" not in given:
            raise _bad(name, f"={given!r} names no value", 'Write {"facet": "value"} or "facet:value"')
        return ((name, given),)
    if not isinstance(given, Mapping):
        raise _bad(name, f" is {kind_of(given)}", 'Pass a mapping: {"facet": ["value"]}')
    return tuple(_pairs(name, given))


def _pairs(name: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for facet, values in given.items():
        each = [values] if isinstance(values, str) or not isinstance(values, Iterable) else values
        for value in each:
            # "None" may well be a value of a facet.
            if value is None or not str(value).strip():
                # Left out, it would let every row pass: nobody means that by an empty template.
                raise _bad(name, f" names no value of {facet}", f"Give one; {COMPUTED}")
            yield name, f"{facet}:{value}"


def _bad(name: str, what: str, advice: str) -> OdsConfigError:
    return OdsConfigError(f"{name}{what}", where=f"argument {name}", advice=advice)


@dataclass(frozen=True, slots=True)
class Query:
    """What to select, in the portal's own words.

    ``timezone`` is always sent: the default differs between portals and shifts both filters and values (Q13).
    """

    select: str | None = None
    where: tuple[str, ...] = ()
    group_by: str | None = None
    order_by: str | None = None
    refine: Params = ()
    exclude: Params = ()
    lang: str | None = None
    timezone: str = "UTC"
    include_links: bool = False
    include_app_metas: bool = False

    @classmethod
    def of(
        cls,
        *,
        select: str | Sequence[str] | None = None,
        where: str | Sequence[str] | None = None,
        group_by: str | Sequence[str] | None = None,
        order_by: str | Sequence[str] | None = None,
        refine: Filter = None,
        exclude: Filter = None,
        lang: str | None = None,
        timezone: str | None = "UTC",
        include_links: bool | str | None = False,
        include_app_metas: bool | str | None = False,
    ) -> Query:
        """Return the query, each argument coerced.

        Raises:
            OdsConfigError: An argument cannot be understood; the message names it.
        """
        return cls(
            select=", ".join(clauses("select", select)) or None,
            where=clauses("where", where),
            group_by=", ".join(clauses("group_by", group_by)) or None,
            order_by=", ".join(clauses("order_by", order_by)) or None,
            refine=filter_pairs("refine", refine),
            exclude=filter_pairs("exclude", exclude),
            lang=text("lang", lang),
            timezone=text("timezone", timezone, "UTC"),
            include_links=truth("include_links", include_links, default=False),
            include_app_metas=truth("include_app_metas", include_app_metas, default=False),
        )

    def filters_only(self) -> Query:
        """Return the query reduced to what decides which rows match."""
        return replace(self, select=None, group_by=None, order_by=None, include_links=False, include_app_metas=False)

    def told(self) -> list[str]:
        """Return the names of what was given: all that is not as it is of itself."""
        return [each.name for each in fields(self) if getattr(self, each.name) != each.default]

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the rows."""
        return bool(self.where or self.refine or self.exclude)

    def params(self) -> Params:
        """Return the query as parameters in a fixed order."""
        single = [("select", self.select), ("group_by", self.group_by), ("order_by", self.order_by)]
        several = [("where", clause) for clause in self.where]
        always = [("lang", self.lang), ("timezone", self.timezone)]
        named = [(name, value) for name, value in [*single, *several] if value]
        return (*named, *self.refine, *self.exclude, *((name, value) for name, value in always if value))

    def list_params(self) -> Params:
        """Return the parameters of a list or a lookup, which may come with links and technical fields."""
        beside = (("include_links", self.include_links), ("include_app_metas", self.include_app_metas))
        return (*self.params(), *((name, "true") for name, wanted in beside if wanted))
