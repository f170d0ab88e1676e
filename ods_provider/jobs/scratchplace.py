"""Where an export lies between the portal and a table: a folder that goes when its rows are in."""

from __future__ import annotations

import re
from typing import Any, Self

from ods_provider.core.errors import OdsSinkError
from ods_provider.jobs.context import JobContext
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.litter import sweep
from ods_provider.stores.state import state_folder

_NAMES = re.compile(r"[0-9a-f]{12}-[0-9a-f]{16}")


class ScratchPlace:
    """A folder of one run's work. What a try that ended early fetched stays in it for the next one.

    Args:
        folder: The folder.

    Attributes:
        target: What is fetched into it: a file, or a folder of parts.
    """

    def __init__(self, folder: Destination) -> None:
        self._folder = folder
        self.target = folder.child("rows.parquet")

    @classmethod
    def of(cls, ctx: JobContext, staging: Any, load_id: str) -> Self:
        """Return the folder of this run below ``staging``, or below the user's state folder where that is None.

        What killed runs left there, and nobody touched for a week, is removed.
        """
        above = ctx.destination(staging if staging is not None else str(state_folder() / "staging"))
        sweep(above, now=ctx.client.terms.now(), names=_NAMES)
        return cls(above.child(f"{ctx.token}-{load_id}"))

    @property
    def folder(self) -> Destination:
        """The folder itself."""
        return self._folder

    def files(self) -> list[Destination]:
        """Return the Parquet files that were fetched, in their order."""
        if not self.target.fs.isdir(self.target.path):
            return [self.target]
        parts = [name for name in self.target.names() if name.endswith(".parquet") and not name.startswith((".", "_"))]
        if not parts:
            raise OdsSinkError("the export that was fetched is gone", where=self.target.url, advice="Run it again")
        return [self.target.child(name) for name in sorted(parts)]

    def forget(self) -> None:
        """Remove all of it."""
        self._folder.remove(recursive=True)
