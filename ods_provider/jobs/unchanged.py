"""Not again: whether what an earlier run wrote is what the portal still has, so that nothing need be fetched.

Two things are known of earlier runs. A sidecar beside a file tells what was written there, of which question and of
which state of the dataset. The scheduler knows what its last *successful* run returned (the hook ``ods_last_success``),
which serves paths that are new every night; and only it knows whether what follows a task was run for what was written.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from ods_provider.core.checkpoint import fingerprint
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.outcome import Done, outcome
from ods_provider.core.schema import Dataset
from ods_provider.core.times import iso
from ods_provider.jobs.context import JobContext
from ods_provider.sinks import sidecar
from ods_provider.sinks.destination import Destination

log = logging.getLogger(__name__)

IfUnchanged = Literal["fetch", "keep", "skip"]
# What a query means tomorrow is something else, though nothing changed on the portal.
_OF_TODAY = re.compile(r"\bnow\s{0,9}\(|#now", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")


def expect_known(how: str) -> None:
    """Check the argument.

    Raises:
        OdsConfigError: It is none of the words.
    """
    if how not in get_args(IfUnchanged):
        raise OdsConfigError(
            f"if_unchanged={how!r} is not known", where="argument if_unchanged", advice="Use fetch, keep or skip"
        )


def digest_of(
    processed: datetime | None, records_count: int | None, matching: int | None, dataset: Dataset | None
) -> str | None:
    """Return what tells the state of a dataset from others; None where the portal does not say when the data changed.

    Args:
        processed: When they did.
        records_count: Rows that it holds in all.
        matching: Rows that match the query, and that this key sees.
        dataset: Its description, for its fields.
    """
    if processed is None:
        return None
    fields = [(each.name, each.type, each.label) for each in dataset.fields] if dataset is not None else None
    return fingerprint(processed=iso(processed), records_count=records_count, matching=matching, fields=fields)


class Earlier:
    """What earlier runs of the same work wrote.

    Args:
        ctx: The job's context.
        place: The file; where several belong together the one that is written last; or a folder that is replaced whole.
        asked: What decides what is written: the question, the format, the options.
        how: ``fetch`` looks at nothing, ``keep`` returns the earlier Outcome, ``skip`` lets what follows be skipped.
        least: Fewer rows than this are not kept.
        folder: Whether ``place`` is a folder.
    """

    def __init__(
        self,
        ctx: JobContext,
        place: Destination,
        asked: Mapping[str, Any],
        *,
        how: IfUnchanged,
        least: int = 0,
        folder: bool = False,
    ) -> None:
        self._ctx = ctx
        self._place = place
        self._told = sidecar.Told(place, folder)
        self._how = how
        self._least = least
        self._of_today = bool(_OF_TODAY.search(json.dumps(asked, default=str)))
        # Without the portal's port: it comes back under another one, behind a tunnel or on this machine. Paths that
        # differ in digits only are those of the same work at other days.
        portal = urlsplit(ctx.client.connection.base_url).hostname
        self._fingerprint = fingerprint(portal=portal, place=(_DIGITS.sub("#", place.path), folder), **asked)

    def still(self, state: str | None) -> dict[str, Any] | Done | None:
        """Return the earlier Outcome, or what lets the work be skipped; None where it must be done.

        Args:
            state: What tells the dataset's state now; None where that is not known, and then nothing is unchanged.
        """
        if self._how == "fetch" or state is None or self._of_today:
            return None
        kept = sidecar.read(self._told)
        if kept is None:
            log.info("%s is written anew: this user may write there, but not look.", self._place.url)
            return None
        known = self._ctx.plugins.last_success(self._fingerprint, self._ctx.run)
        recorded = self._fitting(known, state)
        here = self._standing(self._told, kept, recorded, state)
        if here is None and self._told.stands_something():
            # Of an older state, or somebody else's: whatever was loaded elsewhere, this one is made good.
            return None
        if self._how == "keep":
            return self._kept(here or self._elsewhere(recorded, state))
        if recorded is None and (known is not None or kept.get("run") == self._ctx.token):
            # It was written, and no run that wrote it has succeeded: what follows was not run for it.
            return self._kept(here)
        return self._skipped(recorded or here)

    def written(self, result: dict[str, Any], names: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the Outcome of what was written just now, told beside it where a later run will ask for it.

        Args:
            result: The Outcome, with the state of the dataset that was read under ``dataset_state``.
            names: The files that belong together; None for a single one, or for all of a folder.
        """
        result |= {"fingerprint": self._fingerprint, "unchanged": False}
        if self._how != "fetch" and result["dataset_state"] is not None:
            what = {"fingerprint": self._fingerprint, "run": self._ctx.token, "outcome": result}
            sidecar.write(self._told, what, names)
        return result

    def _fitting(self, told: Mapping[str, Any] | None, state: str) -> dict[str, Any] | None:
        """Return an earlier Outcome if it is one of the same question and state, and good enough for this run."""
        if not told or (told.get("fingerprint"), told.get("dataset_state")) != (self._fingerprint, state):
            return None
        rows = told.get("rows")
        enough = not self._least or (isinstance(rows, int) and rows >= self._least)
        # A file that was listed and missing may have come.
        return dict(told) if enough and not told.get("missing") else None

    def _standing(
        self, told: sidecar.Told, kept: Mapping[str, Any], recorded: Mapping[str, Any] | None, state: str
    ) -> dict[str, Any] | None:
        """Return the Outcome of what stands there as it was written, None where it does not."""
        found = self._fitting(kept.get("outcome"), state)
        if found is not None and sidecar.stands(told, kept["files"], found, self._ctx.check):
            return found
        # Without a sidecar, a file on this machine is known by its bytes.
        if found is None and recorded is not None and recorded.get("sha256"):
            itself = {told.target.name: None}
            known = self._path_of(recorded) == told.place.url
            return dict(recorded) if known and sidecar.stands(told, itself, recorded, self._ctx.check) else None
        return None

    def _elsewhere(self, recorded: Mapping[str, Any] | None, state: str) -> dict[str, Any] | None:
        """Return the Outcome of the last success, if what it wrote still stands under its path."""
        path = self._path_of(recorded or {})
        # The path that is told lacks what opened it, such as a connection's name: the same filesystem has it.
        prefix = self._place.url.removesuffix(self._place.path)
        if recorded is None or not path or path == self._place.url or not path.startswith(prefix):
            return None
        earlier = replace(self._told, place=replace(self._place, path=path.removeprefix(prefix), url=path))
        return self._standing(earlier, sidecar.read(earlier) or {}, recorded, state)

    def _path_of(self, told: Mapping[str, Any]) -> str:
        """Return the place that an Outcome tells of: of files that belong together the one that is written last."""
        return str((not self._told.folder and told.get("manifest")) or told.get("path") or "")

    def _kept(self, earlier: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if earlier is None:
            return None
        remaining = self._ctx.remaining(earlier.get("dataset_id"))
        return outcome(**earlier) | {"unchanged": True, "calls": self._ctx.calls, "quota_remaining": remaining}

    def _skipped(self, earlier: Mapping[str, Any] | None) -> Done | None:
        kept = self._kept(earlier)
        if kept is None:
            return None
        what = f"{kept['dataset_id']} has not changed since {kept['data_processed']}"
        return Done(kept, skipped=f"{what} and was loaded before, to {kept['path']}")
