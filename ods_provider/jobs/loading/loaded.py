"""What earlier loads of the same work brought: whether another is needed, and from where on.

Two things are known of them. The database holds, beside the table, what was written with it. The scheduler knows what
its last *successful* run returned, and so whether what follows a task was run for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.outcome import Done, outcome
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.unchanged import IfUnchanged
from ods_provider.tables.load import Memory, Mode, StandingColumn


@dataclass(frozen=True, slots=True)
class Standing:
    """A table as it was found.

    Attributes:
        columns: That it has, None where no table stands.
        rows: That it holds, None where none stands.
        memory: What its database remembers of the work.
        last: What it remembers of the table's last load, whatever the work.
    """

    columns: tuple[StandingColumn, ...] | None
    rows: int | None
    memory: Memory | None
    last: Memory | None = None

    @property
    def watermark(self) -> Any:
        """The highest value that was loaded, None where the table is gone or was emptied: then all is loaded again."""
        return self.memory.watermark if self.memory is not None and self.rows else None

    def holds(self, mode: Mode, *, ours: bool) -> bool:
        """Return whether what the last load left is still there, as far as numbers of rows tell.

        Args:
            mode: What the load did to the table.
            ours: Whether nobody else's rows stay in the table.
        """
        if self.memory is None or self.rows is None:
            return False
        if ours:
            return self.memory.table_rows == self.rows
        # Others may add rows. Where old ones are cleared away, adding those that are still here would double them.
        left = self.memory.rows if mode == "append" and self.memory.cursor is None else self.memory.table_rows
        return self.rows >= (left or 0)


@dataclass(frozen=True, slots=True)
class EarlierLoad:
    """Decides whether a load need be done at all.

    Args:
        ctx: The job's.
        load_id: Tells the work from other work.
        mode: What a load does to the table.
        how: ``fetch`` looks at nothing, ``keep`` returns the earlier Outcome, ``skip`` lets what follows be skipped.
        least: Fewer rows than this are not kept.
        ours: Whether the load leaves nobody else's rows in the table.
    """

    ctx: JobContext
    load_id: str
    mode: Mode
    how: IfUnchanged
    least: int
    ours: bool

    def still(self, standing: Standing, state: str | None) -> dict[str, Any] | Done | None:
        """Return the earlier Outcome, or what lets the work be skipped; None where it must be done."""
        memory = standing.memory
        if memory is None or state is None or memory.state != state or not standing.holds(self.mode, ours=self.ours):
            return None
        here = self._fitting(json.loads(memory.outcome), state)
        if self.how == "fetch" or here is None:
            # A try of this very run did it and could not say so: rows must not be appended twice.
            appended = self.mode == "append" and memory.run == self.ctx.token
            return self._kept(json.loads(memory.outcome), standing) if appended else None
        known = self.ctx.plugins.last_success(self.load_id, self.ctx.run)
        recorded = self._fitting(known, state)
        if self.how == "keep" or (
            # It was loaded, and no run that did has succeeded: what follows was not run for it.
            recorded is None and (known is not None or memory.run == self.ctx.token)
        ):
            return self._kept(here, standing)
        kept = self._kept(recorded or here, standing)
        what = f"{kept['dataset_id']} has not changed since {kept['data_processed']}"
        return Done(kept, skipped=f"{what} and was loaded before, into {kept['path']}")

    def _fitting(self, told: Mapping[str, Any] | None, state: str | None) -> dict[str, Any] | None:
        if not told or (told.get("fingerprint"), told.get("dataset_state")) != (self.load_id, state):
            return None
        rows = told.get("rows")
        return dict(told) if not self.least or (isinstance(rows, int) and rows >= self.least) else None

    def _kept(self, earlier: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
        remaining = self.ctx.remaining(earlier.get("dataset_id"))
        now = {"unchanged": True, "calls": self.ctx.calls, "quota_remaining": remaining}
        return outcome(**earlier) | now | {"table_rows": standing.rows, "inserted": 0, "updated": 0, "deleted": 0}
