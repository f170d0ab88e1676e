"""The query arguments that every call shares, coerced from what a template may leave behind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.wire import Params

Filter = Mapping[str, str | Iterable[str]] | str | None


def whole_number(name: str, value: Any, *, least: int = 0) -> int | None:
    """Return ``value`` as an integer of at least ``least``; None and empty text stay None.

    Raises:
        OdsConfigError: The value is no integer or too small; the message names the argument.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", "none")):
        return None
    try:
        number = int(str(value).strip())
    except ValueError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        raise OdsConfigError(
            f"{name}={value!r} is not a whole number of at least {least}",
            where=f"argument {name}",
            advice="Pass a number, or leave it out",
        )
    return number


def truth(name: str, value: Any) -> bool:
    """Return ``value`` as a boolean; rendered templates arrive as text."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("true", "1", "yes", "on"):
        return True
    if text in ("false", "0", "no", "off"):
        return False
    raise OdsConfigError(
        f"{name}={value!r} is neither true nor false", where=f"argument {name}", advice="Use true or false"
    )


def filter_pairs(name: str, given: Filter) -> Params:
    """Return ``refine`` or ``exclude`` as repeated parameters, one per value, never comma-joined (Q43).

    Args:
        name: ``refine`` or ``exclude``.
        given: Facet to value or values, as a mapping, the same as text (JSON or Python's spelling, which a template
            leaves), or one ``facet:value`` text.
    """
    if given in (None, "", "None"):
        return ()
    if isinstance(given, str) and given.lstrip().startswith("{"):
        given = mapping(name, given)
    if isinstance(given, str):
        if ":" not in given:
            raise OdsConfigError(
                f"{name}={given!r} names no value",
                where=f"argument {name}",
                advice='Write {"facet": "value"} or "facet:value"',
            )
        return ((name, given),)
    if not isinstance(given, Mapping):
        raise OdsConfigError(
            f"{name} is a {type(given).__name__}",
            where=f"argument {name}",
            advice='Pass a mapping: {"facet": ["value"]}',
        )
    pairs: list[tuple[str, str]] = []
    for facet, values in given.items():
        each = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
        pairs += [(name, f"{facet}:{value}") for value in each]
    return tuple(pairs)


def clauses(name: str, given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one clause or several as a tuple; None and empty text give none."""
    if given is None:
        return ()
    each = [given] if isinstance(given, str) else list(given)
    for clause in each:
        if not isinstance(clause, str):
            raise OdsConfigError(
                f"{name} holds a {type(clause).__name__}", where=f"argument {name}", advice="Pass text"
            )
    return tuple(clause for clause in each if clause.strip())


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
            lang=lang or None,
            timezone=timezone or "UTC",
            include_links=truth("include_links", include_links or False),
            include_app_metas=truth("include_app_metas", include_app_metas or False),
        )

    def filters_only(self) -> Query:
        """Return the query reduced to what decides which rows match."""
        return replace(self, select=None, group_by=None, order_by=None, include_links=False, include_app_metas=False)

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


def required(name: str, value: Any) -> Any:
    """Return ``value``, which must not be empty after its template was rendered.

    Raises:
        OdsConfigError: It is; the message names the argument.
    """
    if value is None or (isinstance(value, str) and value.strip() in ("", "None")):
        raise OdsConfigError(
            f"{name} is empty", where=f"argument {name}", advice="Set it; if it is a template, check what it renders to"
        )
    return value.strip() if isinstance(value, str) else value


def mapping(name: str, value: Any) -> Mapping[str, Any] | None:
    """Return a mapping; a template without native rendering leaves it as text, JSON or Python's spelling.

    Raises:
        OdsConfigError: It is none; the message names the argument.
    """
    if value is None or (isinstance(value, str) and value.strip() in ("", "None")):
        return None
    if isinstance(value, str):
        value = _from_text(name, value)
    if not isinstance(value, Mapping):
        raise OdsConfigError(f"{name} is a {type(value).__name__}", where=f"argument {name}", advice="Pass a mapping")
    return value


def record_list(name: str, value: Any) -> list[Mapping[str, Any]] | None:
    """Return records as a list; a template without native rendering leaves them as text, JSON or Python's spelling.

    Raises:
        OdsConfigError: They are neither; the message names the argument.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = _from_text(name, value)
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Iterable):
        raise OdsConfigError(
            f"{name} is a {type(value).__name__}", where=f"argument {name}", advice="Pass a list of dicts"
        )
    return list(value)


def _from_text(name: str, text: str) -> Any:
    import ast

    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    raise OdsConfigError(
        f"{name} is a text that is neither JSON nor a literal of Python",
        where=f"argument {name}",
        advice="Pass the XCom itself (task.output), or set render_template_as_native_obj on the DAG",
    )
