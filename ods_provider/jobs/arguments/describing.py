"""The arguments of what describes a dataset: values of its metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ods_provider.core.datasetid import dataset_named
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import mapping, required, text, truth
from ods_provider.core.plans.automation.placing import parted
from ods_provider.jobs.arguments.kinds import Flag, Mapped, Seconds, Text, time_limit, word
from ods_provider.jobs.coverage import END, START
from ods_provider.jobs.metadata import MetadataJob


def metadata_job(
    *,
    dataset_id: Text,
    metadata: Mapped = None,
    coverage_of: Text = None,
    publish: Text = "metadata",
    override: Flag = False,
    timeout: Seconds = None,
    dry_run: Flag = False,
) -> MetadataJob:
    """Return a change of a dataset's metadata.

    Raises:
        OdsConfigError: An argument is bad; the message names it.
    """
    values = by_name(mapping("metadata", metadata) or {})
    field = text("coverage_of", coverage_of)
    if not values and field is None:
        raise OdsConfigError(
            "there is nothing to set", where="arguments metadata, coverage_of", advice="Give at least one of them"
        )
    if field is not None and (twice := values.keys() & {START, END}):
        raise OdsConfigError(
            f"coverage_of fills {' and '.join(sorted(twice))}, which metadata fills too",
            where="arguments metadata, coverage_of",
            advice="Give it in one of them",
        )
    return MetadataJob(
        dataset_named(required("dataset_id", dataset_id)),
        metadata=values,
        coverage_of=field,
        publish=_published(publish),
        override=truth("override", override, default=False),
        timeout_s=time_limit(timeout),
        dry_run=truth("dry_run", dry_run, default=False),
    )


def by_name(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by ``template.field``; those of one template may come as a mapping under its name.

    Raises:
        OdsConfigError: A name has no template, or is there twice.
    """
    found: dict[str, Any] = {}
    for typed, value in _flat(given):
        name = ".".join(parted(typed))
        if name in found:
            raise OdsConfigError(f"{name} is given twice", where="argument metadata", advice="Give it once")
        found[name] = value
    return found


def _flat(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if "." not in name and isinstance(value, Mapping):
            yield from ((f"{name}.{field}", one) for field, one in value.items())
        else:
            yield name, value


def _published(publish: Text) -> Any:
    # None is written by who wants no publication; an empty text is a template that rendered to nothing.
    if publish is None or publish.strip().lower() == "none":
        return None
    return word("publish", publish, "metadata")
