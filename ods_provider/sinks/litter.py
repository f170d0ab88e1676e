"""What killed runs left behind: unfinished parts and progress that nobody will take up again."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ods_provider.sinks.destination import Destination

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
# As the writer names parts, by a run's token or by a run's and a try's, and as jobs name the folder of their progress.
OF_STORES = re.compile(r"[0-9a-f]{24}")  # progress that lies beside no file
OF_RUNS = re.compile(r"\.(?:.+\.)?[0-9a-f]{12}(?:\.[0-9a-f]{8})?\.(?:part|progress)")


def sweep(
    folder: Destination, *, now: datetime, older: timedelta = WEEK, names: re.Pattern[str] = OF_RUNS, ours: str = ""
) -> None:
    """Remove what stands directly below ``folder``, has such a name, and was not touched for so long.

    A run that is at work touches its part all the time; one that waits for a quota is asked for again before ``older``.
    It is a courtesy: what cannot be looked at or removed stays, and no job fails of it.

    Args:
        folder: Where to look.
        now: The present moment.
        older: How long nobody may have touched it.
        names: How it is called, the whole name.
        ours: Token of this run, whose progress is its own however old; but where parts have names of their own at every
            try, its earlier ones go at once.
    """
    try:
        # A listing may be cached by the filesystem and tell of yesterday.
        folder.fs.invalidate_cache()
        for name in list(_names(folder, hidden=names is OF_RUNS)):
            if not names.fullmatch(name):
                continue
            place = folder.child(name)
            if ours and ours in name:
                touched, gone = None, name.endswith(".part") and not folder.can.renames
            else:
                touched = _touched(place)
                gone = touched is not None and now - touched > older
            if gone:
                place.remove(recursive=True)
                log.info("Removed %s: nobody has touched it since %s.", place.url, touched or "its run began anew")
    except Exception as error:
        log.debug("What is left below %s stays there: %s", folder.url, type(error).__name__)


def _names(folder: Destination, *, hidden: bool) -> Iterator[str]:
    if folder.can.folders or not hidden:
        yield from folder.names()
        return
    # A bucket may hold millions of keys beside the hidden ones: those alone are asked for.
    above = folder.path.rstrip("/") + "/"
    found = folder.fs.find(folder.path, prefix=".")
    yield from sorted({str(path)[len(above) :].partition("/")[0] for path in found if str(path).startswith(above)})


def _touched(place: Destination) -> datetime | None:
    """Return when the file, or anything in the folder, was last written; None where the filesystem does not know."""
    fs = place.fs
    paths = [place.path, *fs.find(place.path)] if place.can.folders and fs.isdir(place.path) else fs.find(place.path)
    known = []
    for path in paths or [place.path]:
        try:
            moment: datetime = fs.modified(path)
        except (NotImplementedError, FileNotFoundError, KeyError):
            continue
        known.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return max(known, default=None)
