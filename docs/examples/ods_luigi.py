"""Luigi tasks that are `ods` commands. What `ods` writes appears whole or not at all, so that it is the target itself.

Run it with cron, every ten minutes or so, from the folder of this file, which Luigi does not look into by itself: a job
that waits for a quota ends the process with 75 and goes on later::

    cd /srv && PYTHONPATH=. luigi --module ods_luigi Photos --local-scheduler
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import luigi


# [START luigi]
class Turn(luigi.ExternalTask):
    """The moment when the portal answers again. Luigi does not wait for it: it ends, and cron starts it again."""

    def complete(self) -> bool:
        """Say that it has not come: else `ods` would not have asked to wait."""
        return False


class Ods(luigi.Task):
    """Run `ods` until its file is there. 0: it is. 75: not before the portal's reset. Anything else: failed."""

    def command(self) -> list[str]:
        """Return the words after `ods`."""
        raise NotImplementedError

    def run(self) -> Iterator[Turn]:
        """Run the command; it goes on where an earlier run of the same words stopped."""
        code = subprocess.run(["ods", *self.command()], check=False).returncode  # noqa: S603, S607
        if code == 75:
            yield Turn()
        elif code:
            raise RuntimeError(f"ods {' '.join(self.command())} ended with {code}")


class Photos(Ods):
    """The images of a dataset; the manifest is written last."""

    dataset = luigi.Parameter(default="landmark-photos")
    folder = luigi.Parameter(default="photos")

    def output(self) -> luigi.LocalTarget:
        """Return the manifest."""
        return luigi.LocalTarget(f"{self.folder}/manifest.jsonl")

    def command(self) -> list[str]:
        """Return `ods media …`."""
        return ["media", self.dataset, self.folder, "--kind", "files"]


# [END luigi]


class Rows(Ods):
    """Rows as JSON lines."""

    dataset = luigi.Parameter()
    path = luigi.Parameter()
    order_by = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        """Return the file."""
        return luigi.LocalTarget(self.path)

    def command(self) -> list[str]:
        """Return `ods records …`."""
        return ["records", self.dataset, "--order-by", self.order_by, "--output", self.path]
