"""Fetch files of a dataset in parallel, each into a folder under its own name, whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from ods_provider.core.drive import drive
from ods_provider.core.errors import (
    OdsNotAPortal,
    OdsNotFound,
    OdsQuotaExceeded,
    OdsResponseError,
    OdsTransportError,
)
from ods_provider.core.plans import files
from ods_provider.core.redact import scrub
from ods_provider.core.times import iso
from ods_provider.core.wire import Response, is_absolute
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.mediafiles.listing import Item
from ods_provider.jobs.mediafiles.manifest import Owner
from ods_provider.jobs.sidebyside import side_by_side
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.marks import mark_of
from ods_provider.sinks.writer import FileWriter

_NAP_S = 0.5  # how long a thread that waits to try again may overlook that it has to stop
# Failures without a file between them, after which it is not single files that fail: a refusal costs one call, what
# passes costs all the tries of a request.
_IN_A_ROW = {False: 10, True: 2}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is here: its entry in the manifest, and the mark of what stands in the folder."""

    entry: dict[str, Any]
    mark: str | None


def fetch(
    ctx: JobContext,
    fetcher: Fetcher,
    left: Iterable[Item],
    *,
    parallel: int,
    keep: Callable[[Item, Fetched], None],
    tell: Callable[[], None],
) -> dict[str, OdsNotFound]:
    """Fetch files and return the errors of those that the portal does not have, by unit; the others come all the same.

    They do too when a file is refused or breaks off each time, which is raised at the end.

    Args:
        ctx: The job's.
        fetcher: Fetches one; for this call only.
        left: What to fetch.
        parallel: Files at the same time.
        keep: Confirms one; called in this thread.
        tell: Says how far it is; called in this thread.

    Raises:
        OdsError: What another failure was. No more files are begun after a quota, after what is not the portal's, or
            after so many in a row that the portal itself fails; those under way are kept.
    """
    missing: dict[str, OdsNotFound] = {}
    failed: list[BaseException] = []
    in_a_row = 0

    def kept(item: Item, fetched: Fetched) -> None:
        nonlocal in_a_row
        keep(item, fetched)
        in_a_row = 0

    def passes_over(item: Item, error: BaseException) -> bool:
        nonlocal in_a_row
        if isinstance(error, OdsNotFound):
            missing[item.unit] = error
        elif _of_one_file(error) and (in_a_row := in_a_row + 1) < _IN_A_ROW[error.transient]:
            failed.append(error)
        else:
            return False
        return True

    side_by_side(ctx, fetcher, left, parallel=parallel, keep=kept, passes_over=passes_over, tell=tell, name="ods-media")
    if failed:
        raise failed[0]
    return missing


def _of_one_file(error: BaseException) -> TypeGuard[OdsResponseError | OdsTransportError]:
    """Return whether an error may be one file's alone: a quota is everybody's, and so is a disk."""
    return isinstance(error, (OdsResponseError, OdsTransportError)) and not isinstance(error, OdsQuotaExceeded)


class Fetcher:
    """Fetches one file after another, in several threads; ``stop`` ends what is under way.

    Args:
        ctx: The job's.
        folder: Where the files go.
        owner: Whose they are, for the manifest: ``dataset_id``, ``kind`` and the like.
    """

    def __init__(self, ctx: JobContext, folder: Destination, owner: Owner) -> None:
        self._ctx, self._folder, self._owner = ctx, folder, owner
        self._dataset_id = str(owner["dataset_id"])
        self._form = 0  # of several addresses of a file, the one that this portal knew last
        self._terms = replace(ctx.client.terms, sleep=self._sleep)
        self.stop = threading.Event()

    def __call__(self, item: Item) -> Fetched:
        """Fetch ``item``."""
        writer, response, url = self._fetched(item)
        asked, answered = _host(url), _host(response.url)
        entry = self.entry(item, url) | {
            "file": item.name,
            # The host alone: what stands behind it may be a signed address, which is a key.
            "redirected_to": answered if answered != (asked or self._ctx.client.connection.host) else None,
            "fetched_at": iso(self._ctx.client.terms.now()),
            "size_bytes": writer.size_bytes,
            "sha256": writer.sha256,
        }
        return Fetched(entry, mark_of(self._folder.child(item.name)))

    def entry(self, item: Item, url: str) -> dict[str, Any]:
        """Return a file's entry in the manifest before anything of it is here."""
        base_url = self._ctx.client.connection.base_url
        return {
            "file": None,
            "url": scrub(url if is_absolute(url) else f"{base_url}/{url.lstrip('/')}"),
            "redirected_to": None,
            "fetched_at": None,
            "title": item.said.get("title") or item.said.get("filename"),
            "mimetype": item.said.get("mimetype"),
            "size_bytes": None,
            "sha256": None,
            **self._owner,
        }

    def _keep(self, item: Item, response: Response) -> tuple[FileWriter, Response]:
        stream = response.stream
        assert stream is not None  # a file is always streamed
        with FileWriter(self._folder.child(item.name), token=self._ctx.token) as writer:
            while piece := stream.read():
                self._expect_going()
                writer.write(piece)
            writer.commit()
            return writer, response

    def _fetched(self, item: Item) -> tuple[FileWriter, Response, str]:
        missing: OdsResponseError | None = None
        for form in _rotated(range(len(item.urls)), self._form):
            self._expect_going()
            url = item.urls[form]
            try:
                plan = files.file(
                    url,
                    dataset_id=self._dataset_id,
                    read=lambda response: self._keep(item, response),
                    mimetype=item.said.get("mimetype"),
                    names=(item.name,),
                )
                writer, response = drive(plan, self._terms)
            except (OdsNotFound, OdsNotAPortal) as error:
                # For an address that it does not know a portal may show one of its pages: "not here" tells more.
                if missing is None or (isinstance(error, OdsNotFound) and not isinstance(missing, OdsNotFound)):
                    missing = error
                continue
            self._form = form
            return writer, response, url
        assert missing is not None  # every item has an address
        raise missing

    def _sleep(self, seconds: float) -> None:
        """Sleep before a retry, which is not made any more once the fetching has to stop."""
        while seconds > 0:
            self._expect_going()
            piece_s = min(seconds, _NAP_S)
            self._ctx.client.terms.sleep(piece_s)
            seconds -= piece_s
        self._expect_going()

    def _expect_going(self) -> None:
        if self.stop.is_set():
            raise _Stopped("stopped before the file was whole")


class _Stopped(Exception):
    """Nobody waits for this thread's file any more. No error of ours, so that nothing retries it."""


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc if is_absolute(url) else ""
    except ValueError:  # it was fetched, by a parser that takes more
        return ""


def _rotated(forms: Iterable[int], first: int) -> list[int]:
    every = list(forms)
    return [first, *(form for form in every if form != first)] if first in every else every
