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
        # By its number: such a user has no name either. The last resort.
        return Path("/tmp") / f"ods-provider-{os.getuid()}"  # noqa: S108
