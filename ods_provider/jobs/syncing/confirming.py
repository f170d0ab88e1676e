"""Read back what was sent: a 200 says that the portal took the rows, not that it stored them as they were (Q20).

A few rows that were sent are waited for, by their keys. Where more than those were sent, the whole dataset is then
fetched and compared once more: as many calls as one export, however many rows there were, and every row is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsMismatch
from ods_provider.core.schema import Dataset
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.syncing.difference import Counts, Difference
from ods_provider.jobs.syncing.plan import told_shortly
from ods_provider.jobs.syncing.readback import WAITS_S, ReadBack
from ods_provider.jobs.syncing.sending import Sending, Sent

AWAITED = 100


@dataclass(frozen=True, slots=True)
class Confirming:
    """Waits until the portal shows what was sent.

    Args:
        ctx: The job's.
        dataset: The dataset.
        key: Names of the key fields.
        sending: What was sent.
        compare: Fetches the dataset again and returns how it differs.
    """

    ctx: JobContext
    dataset: Dataset
    key: tuple[str, ...]
    sending: Sending
    compare: Callable[[], Difference]

    def run(self, sent: Sent, planned: Counts) -> int:
        """Return how many of the rows that were sent were looked at.

        Args:
            sent: How many there were.
            planned: What the plan counted.

        Raises:
            OdsMismatch: The dataset does not show them.
        """
        seen = self._awaited(sent.pushed, deleted=False)
        # Where the portal does not tell rows apart by the key, another row of it may stand.
        missing = planned.gone if self.sending.gone and not self.sending.replaced else 0
        seen += self._awaited(missing, deleted=True)
        if seen < sent.pushed + sent.deleted:
            self._whole(sent)
        return sent.pushed + sent.deleted

    def _awaited(self, rows: int, *, deleted: bool) -> int:
        if not rows:
            return 0
        reading = ReadBack(self.dataset, self.key, AWAITED)
        every = self.sending.missing() if deleted else self.sending.pushed()
        wanted = reading.sample(every, rows)
        return reading.await_all(self.ctx, wanted, rows=rows, deleted=deleted) if wanted else 0

    def _whole(self, sent: Sent) -> None:
        spent_s = 0.0
        for wait_s in (*WAITS_S, None):
            counts = self.compare().counts()
            left = counts.new + counts.changed + (counts.gone if self.sending.gone else 0)
            if not left:
                return
            if wait_s is None or spent_s + wait_s > self.ctx.client.terms.rules.max_wait_s:
                break
            self.ctx.check()
            self.ctx.client.terms.sleep(wait_s)
            spent_s += wait_s
        raise OdsMismatch(
            f"the portal accepted {counted(sent.pushed, 'rows')} and {counted(sent.deleted, 'deletions')}, but after "
            f"{spent_s:.0f} s the dataset is not what the source is: {told_shortly(counts)}",
            where=f"dataset {self.dataset.dataset_id}",
            advice="Run it again, which sends what is left; if it persists, look at the dataset's processing errors, "
            "and whether somebody else pushes into it",
        )
