"""Which resource of a dataset a file goes into, and what it says afterwards; it is never deleted and made anew.

Source: Automation API v1.0, resources; the first defines the schema, and two of them double the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ods_provider.core.errors import OdsConfigError, OdsNotFound, OdsQueryError
from ods_provider.core.plans.automation import resources
from ods_provider.core.wire import Plan
from ods_provider.jobs.publishing.content import About
from ods_provider.jobs.publishing.reading import JSON_PATHS, Kind

Object = dict[str, Any]
UPLOADED = "uploaded_file"
# Certain names; of the others the portal says which it has.
_CERTAIN: dict[Kind, str] = {"csv": "csvfile", "geojson": "geojson", "json": "jsonfile"}
_LIKELY: dict[Kind, str] = {"jsonl": "jsonfile", "xlsx": "xlsfile"}
_READS: dict[str, tuple[Kind, ...]] = {
    "csvfile": ("csv",),
    "csv": ("csv",),
    "jsonfile": ("json", "jsonl"),
    "jsondict": ("json",),
    "jsonl": ("jsonl",),
    "geojson": ("geojson",),
    "file": ("csv", "json", "jsonl", "geojson", "xlsx"),
}
_NOT_TOLD = ("headers_first_row", "first_row_no", "encoding", "sheet_no")
_SHOWN = 10


def chosen(there: Sequence[Object], wanted: str | None, *, dataset_id: str) -> Object | None:
    """Return the resource that a file goes into; None where the dataset has none yet.

    Args:
        there: All resources of the dataset.
        wanted: The uid or the title of one; None where it has one at most.
        dataset_id: For messages.

    Raises:
        OdsConfigError: Several fit, or none of those there are, or what fits is no uploaded file.
    """
    named = [each for each in there if each.get("uid") == wanted]
    named = named or [each for each in there if wanted in (each.get("title"), each.get("display_name"))]
    fitting = list(there) if wanted is None else named
    if not there and str(wanted).startswith("re_"):
        raise OdsConfigError(
            f"the dataset has no resource, so that {wanted} is none of its own",
            where=f"argument resource, dataset {dataset_id}",
            advice="Leave it out, or name the title that the first one shall have",
        )
    if not there:
        return None
    if len(fitting) != 1:
        which = "none of them is called that" if not fitting else f"{len(fitting)} of them fit"
        raise OdsConfigError(
            f"the dataset has {len(there)} resource{'s' if len(there) > 1 else ''}, and {which}: {_listed(there)}",
            where=f"argument resource, dataset {dataset_id}",
            advice="Name one by its uid",
        )
    (found,) = fitting
    kind = (found.get("datasource") or {}).get("type") or found.get("type")
    if kind != UPLOADED:
        raise OdsConfigError(
            f"the resource {_listed([found])} is no uploaded file: what it fetches from would be lost",
            where=f"argument resource, dataset {dataset_id}",
            advice="Name a resource that is one, or delete this one in the back office if the file takes its place",
        )
    return found


def file_of(resource: Mapping[str, Any] | None) -> str | None:
    """Return the uid of the file that a resource reads."""
    source = (resource or {}).get("datasource") or {}
    file = source.get("file") or {}
    return str(file["uid"]) if source.get("type") == UPLOADED and file.get("uid") else None


def taken(there: Sequence[Object], uid: str, file_uid: str) -> str | None:
    """Return what somebody else made of a resource meanwhile; None where it still reads the file.

    Args:
        there: All resources of the dataset.
        uid: Of the resource.
        file_uid: The file, as the portal told it when the resource was pointed at it.
    """
    found = next((each for each in there if each.get("uid") == uid), None)
    if found is None:
        return f"the resource {uid} was deleted"
    return None if file_of(found) == file_uid else f"the resource {uid} was pointed at something else"


def reading(
    uid: str,
    content: About,
    before: Mapping[str, Any] | None,
    *,
    file_uid: str,
    extractor: str | None,
    params: Mapping[str, Any] | None,
) -> Plan[Object]:
    """Return the type and the parameters with which a resource reads the file.

    What people set on the resource is kept where it fits the file, and what the file contradicts (its delimiter, its
    encoding) is not. What the user names stands above both.

    Args:
        uid: Of the dataset.
        content: The file.
        before: The resource as it is; None for a new one.
        file_uid: Of the upload.
        extractor: The extractor that the user names.
        params: Its parameters that the user names.
    """
    type_ = type_for(content.kind, before, extractor) or (yield from _guessed(uid, content.kind, file_uid))
    kept = dict(before.get("params") or {}) if before is not None and before.get("type") == type_ else {}
    told = dict(content.params) if content.kind in _read_by(type_) and type_ != "file" else {}
    return {"type": type_, "params": {**kept, **told, **(params or {})}}


def type_for(kind: Kind, before: Mapping[str, Any] | None, extractor: str | None) -> str | None:
    """Return the extractor that reads a file; None where the portal says it once the file is there.

    Args:
        kind: Of the file.
        before: The resource as it is; None for a new one.
        extractor: The one that the user names.
    """
    if extractor is not None:
        return extractor
    if before is not None and kind in _read_by(str(before.get("type"))):
        return str(before["type"])
    return _CERTAIN.get(kind)


def reads_by(before: Mapping[str, Any] | None, extractor: str | None = None) -> dict[str, Any]:
    """Return how the file of a resource is read, as far as no file says so itself: where its records are.

    Args:
        before: The resource; None for a new one.
        extractor: The extractor that the user names: another one than the resource's drops its parameters.
    """
    if before is None or extractor not in (None, before.get("type")):
        return {}
    params = before.get("params") or {}
    names = (*_NOT_TOLD, *(JSON_PATHS if "json" in _read_by(str(before.get("type"))) else ()))
    return {name: params[name] for name in names if params.get(name) is not None}


def _read_by(type_: str) -> tuple[Kind, ...]:
    if type_.startswith("xls"):
        return ("xlsx",)
    return _READS.get(type_, ())


def _guessed(uid: str, kind: Kind, file_uid: str) -> Plan[str]:
    try:
        found = yield from resources.guessed_extractors(uid, resources.file_source(file_uid))
    except (OdsNotFound, OdsQueryError):
        return _LIKELY[kind]
    names = [str(each["type"]) for each in found if each.get("type")]
    return names[0] if names else _LIKELY[kind]


def _listed(there: Sequence[Object]) -> str:
    shown = [
        f"{each.get('uid')} ({each.get('title') or each.get('display_name') or each.get('type')!r}, "
        f"{(each.get('datasource') or {}).get('type') or each.get('type')})"
        for each in there[:_SHOWN]
    ]
    return ", ".join(shown) + (", …" if len(there) > _SHOWN else "")
