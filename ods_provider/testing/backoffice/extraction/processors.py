"""Processors: what is done to raw rows before fields are configured, in order.

Source: Automation API v1.0, processors. Those that are not here stop the run as a broken processor does: better than
records that no portal would have made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ods_provider.testing.backoffice.extraction.raw import Raw, RawField
from ods_provider.testing.backoffice.trouble import ExtractionError
from ods_provider.testing.schema import literal, quoted

Settings = Mapping[str, Any]


def applied(raw: Raw, processors: Iterable[Settings]) -> Raw:
    """Return a source with all processors behind it.

    Raises:
        ExtractionError: One is not known here, lacks a setting, or names a field that is not there.
    """
    for processor in processors:
        work = KNOWN.get(str(processor.get("type")))
        uid = processor.get("uid")
        if work is None:
            raise ExtractionError(f"Processor {uid} of type {processor.get('type')} is not run by this portal")
        try:
            raw = work(raw, processor)
        except KeyError as error:
            raise ExtractionError(f"Processor {uid} is misconfigured: {error.args[0]} is missing") from None
        except (ValueError, TypeError) as error:
            raise ExtractionError(f"Processor {uid} is misconfigured: {error}") from None
    return raw


def _field(raw: Raw, settings: Settings, name: str = "field") -> str:
    wanted = settings[name]
    if raw.pick(wanted) is None:
        raise ValueError(f"there is no field {wanted}")
    return quoted(wanted)


def _with(raw: Raw, name: str, cell: str) -> Raw:
    """A field changed, or a new one at the end; its type is open again."""
    if raw.pick(name):
        fields = tuple(replace(field, natural=None) if field.name == name else field for field in raw.fields)
        return Raw(f"SELECT * REPLACE ({cell} AS {quoted(name)}) FROM ({raw.sql})", fields)  # noqa: S608  quoted
    fields = (*raw.fields, RawField(name, name))
    return Raw(f"SELECT *, {cell} AS {quoted(name)} FROM ({raw.sql})", fields)  # noqa: S608  as above


def _fields(raw: Raw, settings: Settings) -> list[str]:
    if settings.get("all_fields"):
        return [field.name for field in raw.fields]
    _field(raw, settings)
    return [settings["field"]]


def _string_replace(raw: Raw, settings: Settings) -> Raw:
    for name in _fields(raw, settings):
        cell = f"replace({quoted(name)}, {literal(settings['old'])}, {literal(settings.get('new') or '')})"
        raw = _with(raw, name, cell)
    return raw


def _regexp_replace(raw: Raw, settings: Settings) -> Raw:
    for name in _fields(raw, settings):
        new = literal(settings.get("new") or "")
        raw = _with(raw, name, f"regexp_replace({quoted(name)}, {literal(settings['regexp'])}, {new}, 'g')")
    return raw


def _string_extractor(raw: Raw, settings: Settings) -> Raw:
    # Each named group becomes a field; without one the field itself is cut.
    import re

    cell, pattern = _field(raw, settings), settings["regexp"]
    groups = re.compile(pattern).groupindex
    plain = literal(re.sub(r"\(\?P<\w+>", "(", pattern))
    if not groups:
        return _with(raw, settings["field"], f"nullif(regexp_extract({cell}, {plain}), '')")
    for name, number in groups.items():
        raw = _with(raw, name.lower(), f"nullif(regexp_extract({cell}, {plain}, {number}), '')")
    return raw


def _concat(raw: Raw, settings: Settings) -> Raw:
    left, right = _field(raw, settings, "left"), _field(raw, settings, "right")
    between = literal(settings.get("separator") or "")
    return _with(raw, settings["output_field"], f"concat_ws({between}, {left}, {right})")


def _split(raw: Raw, settings: Settings) -> Raw:
    cell = f"split_part({_field(raw, settings)}, {literal(settings['separator'])}, {int(settings['index'])})"
    return _with(raw, settings["output_field"], f"nullif({cell}, '')")


def _without(*, keep: bool) -> Callable[[Raw, Settings], Raw]:
    def work(raw: Raw, settings: Settings) -> Raw:
        cell, value = _field(raw, settings), settings.get("value")
        exact = settings.get("exact", True)
        if value in (None, ""):
            found = f"{cell} IS NULL"
        else:
            found = f"{cell} = {literal(value)}" if exact else f"contains({cell}, {literal(value)})"
        kept = f"coalesce({found}, false)" if keep and settings.get("keep") else f"NOT coalesce({found}, false)"
        return Raw(f"SELECT * FROM ({raw.sql}) WHERE {kept}", raw.fields)  # noqa: S608  literals are quoted

    return work


def _create_geopoint(raw: Raw, settings: Settings) -> Raw:
    lat, lon = _field(raw, settings, "lat"), _field(raw, settings, "lon")
    return _with(raw, settings.get("output_field") or "geopoint", f"{lat} || ', ' || {lon}")


def _unicode_normalize(raw: Raw, settings: Settings) -> Raw:
    for name in _fields(raw, settings):
        raw = _with(raw, name, f"nfc_normalize({quoted(name)})")
    return raw


KNOWN: dict[str, Callable[[Raw, Settings], Raw]] = {
    "string_replace": _string_replace,
    "regexp_replace": _regexp_replace,
    "string_extractor": _string_extractor,
    "concat": _concat,
    "split": _split,
    "skip_record": _without(keep=True),
    "delete_record": _without(keep=False),
    "create_geopoint": _create_geopoint,
    "unicode_normalize": _unicode_normalize,
}
