"""What Dagster is told of an asset besides its job: options of the user's, and what goes without saying."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from inspect import signature
from typing import Any

from ods_provider import __version__
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given
from ods_provider.jobs.arguments import download_job, load_job
from ods_provider.jobs.download import DownloadJob
from ods_provider.schedulers.dagster.arguments import Builder

# What is given so often that it may stand beside the job's own arguments.
LIFTED = (
    "automation_condition",
    "backfill_policy",
    "code_version",
    "deps",
    "description",
    "group_name",
    "key_prefix",
    "kinds",
    "owners",
    "retry_policy",
    "tags",
)
SHAPING = ("select", "group_by", "v1")
_SCHEME = re.compile(r"([a-z][a-z0-9]*)[a-z0-9+.-]*:")
_PLAIN = (str, int, float, bool, list, tuple, dict, type(None))


def chosen(make: Builder, options: Mapping[str, Any] | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the options of an asset, those taken out of its arguments that stand among them.

    Raises:
        OdsConfigError: An option is given twice, or one that this asset cannot serve.
    """
    found = dict(options or {})
    for name in LIFTED:
        # Of a job that takes a `kind`, `kinds` is a slip.
        if name in arguments and not (name == "kinds" and "kind" in signature(make).parameters):
            if name in found:
                raise OdsConfigError(
                    f"{name} is given twice", where="argument asset_options", advice="Give it once, there or beside it"
                )
            found[name] = arguments.pop(name)
    if found.get("check_specs"):
        raise OdsConfigError(
            "check_specs are for assets whose own code evaluates them, and this one's is not yours",
            where="argument asset_options",
            advice="Pass checks=[…], or write a function with @asset_check(asset=…)",
        )
    return found


def of_several(options: Mapping[str, Any]) -> bool:
    """Return whether one run may be about several partitions."""
    policy = options.get("backfill_policy")
    return policy is not None and policy.max_partitions_per_run != 1


def kinds_of(make: Builder, built: Any, arguments: Mapping[str, Any]) -> set[str]:
    """Return what Dagster's UI shows as the asset's kinds: the portal, and the file's format or the database."""
    if make is download_job:
        return {"opendatasoft", _download(built).format.name}
    place = arguments.get("destination") if make is load_job else None
    # An EnvVar is text that may not be read before the run.
    scheme = _SCHEME.match(place) if type(place) is str else None
    return {"opendatasoft", scheme[1]} if scheme else {"opendatasoft"}


def code_version(arguments: Mapping[str, Any]) -> str:
    """Return what changes when an asset is to be made otherwise: this package's version and a digest of arguments."""
    # A destination may hold a password, and of what is not plain nobody knows whether it reads the same tomorrow.
    plain = {
        name: os.fspath(value) if isinstance(value, os.PathLike) else value
        for name, value in sorted(arguments.items())
        if name != "destination" and (type(value) in _PLAIN or isinstance(value, os.PathLike))
    }
    digest = blake2b(json.dumps(plain, sort_keys=True, default=str).encode(), digest_size=4).hexdigest()
    return f"{__version__}-{digest}"


def impossible(make: Builder, built: Any, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return which checks say nothing of an asset, and why."""
    found = {}
    if make is download_job and not _counted(_download(built)):
        groups = " in groups" if arguments.get("group_by") else ""
        uncounted = f"nobody counts rows of {_download(built).format.name}{groups}"
        found = {"rows_counted": uncounted, "min_rows": uncounted}
    if arguments.get("dataset_id") is None:
        found |= dict.fromkeys(("schema_unchanged", "fresh"), "the catalogue has neither schema nor time of its own")
    elif shapes := given(SHAPING, arguments):
        found["schema_unchanged"] = f"{shapes[0]} shapes the rows"
    return found


def given(names: Iterable[str], arguments: Mapping[str, Any]) -> list[str]:
    """Return which of the names are given as arguments."""
    return [name for name in names if is_given(arguments.get(name)) and arguments[name]]


def _download(built: Any) -> DownloadJob:
    """Return the download itself, of one that is cut into parts too."""
    found: DownloadJob = getattr(built, "download", built)
    return found


def _counted(job: DownloadJob) -> bool:
    return not job.query.group_by and job.format.check_with(job.format_options).verified == "counted"
