"""Whether a portal knows the extractor that the user names, and its parameters: found out before anything is sent.

Portals list their extractors, each with its parameters. The list of types is taken at its word, but for names that were
seen at portals which need not list them. A parameter that is not listed may be one all the same, since nobody has
seen such a list that was whole: it is refused where it is near to one that is listed, and so mistyped.

Source: Automation API v1.0, extractors; the names seen are csvfile, jsonfile, jsondict, file and geojson.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsResponseError
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.plans.automation import lists
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.pointing import type_for
from ods_provider.jobs.publishing.reading import Kind
from ods_provider.jobs.publishing.wanted import Wanted

_SEEN = ("csvfile", "jsonfile", "jsondict", "file", "geojson")
# What an upload's resource may say besides, whether or not its extractor's list tells it.
_SEEN_PARAMS = (
    "headers_first_row", "first_row_no", "encoding", "separator", "doublequote", "escapechar", "sheet_no", "json_root",
    "json_object", "extract_filename", "extract_meta", "extract_geopoint",
)  # fmt: skip


def expect_known(ctx: JobContext, wanted: Wanted, kind: Kind, resource: Mapping[str, Any] | None) -> None:
    """Look whether the portal knows what the user names. One call, and none where the user names nothing.

    Args:
        ctx: The job's.
        wanted: With the extractor and the parameters.
        kind: Of the file.
        resource: Which takes it; None for a new one.

    Raises:
        OdsConfigError: It does not; the message has the names that it knows.
    """
    if wanted.extractor is None and not wanted.params:
        return
    known = _known(ctx)
    if not known:
        return
    named, own = wanted.extractor, (resource or {}).get("type")
    if named is not None and named not in (*known, *_SEEN, own):
        likely = nearest(named, (*known, *_SEEN))
        has = f"Pass {listed(likely)}" if likely else f"It has {listed(known)}"
        raise OdsConfigError(
            f"the portal has no extractor {named!r}",
            where="argument extractor",
            advice=f"{has}, or leave it out: the file tells it. Nothing was changed",
        )
    type_ = type_for(kind, resource, named)
    # Of a new resource for what no name is certain of, the portal chooses when the file is there.
    there = known.get(str(type_), ()) if type_ else tuple(name for names in known.values() for name in names)
    for name in wanted.params or {}:
        if name in there or name in _SEEN_PARAMS or name in ((resource or {}).get("params") or {}):
            continue
        likely = nearest(name, (*there, *_SEEN_PARAMS))
        if likely:
            raise OdsConfigError(
                f"the extractor{f' {type_}' if type_ else ''} has no parameter {name!r}",
                where="argument params",
                advice=f"Pass {listed(likely)}. Nothing was changed",
            )


def _known(ctx: JobContext) -> dict[str, tuple[str, ...]]:
    """Return the names of each extractor's parameters; nothing where the portal tells this key of none."""
    try:
        found = ctx.client.run(lists.extractor_types())
    except OdsResponseError as error:
        if error.transient:
            raise
        return {}
    return {str(each["type"]): tuple(_names(each.get("parameters"))) for each in found if each.get("type")}


def _names(parameters: Any) -> list[str]:
    return [str(each["name"]) for each in parameters or () if isinstance(each, Mapping) and each.get("name")]
