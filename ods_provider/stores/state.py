"""Where this user's own state lies: progress of runs without a destination, OAuth2 tokens."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ods_provider.core.errors import OdsConfigError


def state_folder() -> Path:
    """Return the folder of this package below the user's state folder; it need not exist yet.

    Raises:
        OdsConfigError: The user has no home, and somebody else has taken the place where his state would lie instead.
    """
    base = os.environ.get("XDG_STATE_HOME")
    if base:
        return Path(base) / "ods-provider"
    try:
        return Path.home() / ".local" / "state" / "ods-provider"
    except RuntimeError:  # a user without a home, as in some containers
        return _last_resort(Path(tempfile.gettempdir()))


def expanded(name: str) -> Path:
    """Return a path with ``~`` read as the user's home; where he has none, ``~`` is a name like any other."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def _last_resort(base: Path) -> Path:
    """Return a folder below one that everybody may write to, named for its user by number: he may have no name either.

    Tokens lie in it, so that nobody else may have made it, and nobody else may look into it.
    """
    folder = base / f"ods-provider-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise _unsafe(folder, error.strerror or type(error).__name__) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise _unsafe(folder, "it is not a folder of this user alone")
    return folder


def _unsafe(folder: Path, why: str) -> OdsConfigError:
    return OdsConfigError(
        f"this user has no home, and nothing can be kept here instead: {why}",
        where=str(folder),
        advice="Set XDG_STATE_HOME (or HOME) to a folder of this user",
    )
