"""A mirror in a folder: a file for each dataset, a sidecar beside each, and a list of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from ods_provider.core.errors import OdsSinkError
from ods_provider.core.formats.endings import file_name
from ods_provider.core.formats.registry import format_named
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.mirroring.order import MirrorOrder
from ods_provider.jobs.mirroring.remembered import Known, Remembered
from ods_provider.sinks import sidecar
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.names import name_apart
from ods_provider.sinks.writer import write_bytes

LIST = "_ods_mirror.json"  # readers of folders pass over names that begin so


class Folder:
    """A ``Place`` of files.

    Args:
        order: What is wanted.
    """

    done = "downloaded"

    def __init__(self, order: MirrorOrder) -> None:
        self._order = order

    def shown(self, ctx: JobContext) -> str:
        """Return the folder."""
        return self._folder(ctx).url

    def side_by_side(self, ctx: JobContext) -> bool:
        """Files take no notice of each other."""
        return True

    def remembered(self, ctx: JobContext) -> Remembered | None:
        """Return what the list in the folder says, None where there is none."""
        place = self._at(ctx, LIST)
        return Remembered.of(place.read_bytes(), place.url) if place.size_bytes() else None

    def remember(self, ctx: JobContext, what: Remembered) -> None:
        """Write the list, whole or not at all."""
        write_bytes(self._at(ctx, LIST), what.as_json().encode(errors="surrogatepass"), token=ctx.token)

    def named(self, dataset_id: str, taken: AbstractSet[str]) -> str:
        """Return the name of a dataset's file, which its id alone decides."""
        return file_name(name_apart(dataset_id, None), self._order.format, None)

    def standing(self, ctx: JobContext, known: Iterable[Known]) -> set[str]:
        """Look into the folder, once."""
        return set(self._folder(ctx).names()) & {each.place for each in known}

    def written(self, ctx: JobContext, known: Mapping[str, Known]) -> dict[str, dict[str, Any]]:
        """Return what the sidecars of files that stand say of them."""
        here = self.standing(ctx, known.values())
        found = {name: self._written(ctx, name, each) for name, each in known.items() if each.place in here}
        return {name: outcome for name, outcome in found.items() if outcome is not None}

    def _written(self, ctx: JobContext, dataset_id: str, known: Known) -> dict[str, Any] | None:
        place = self._at(ctx, known.place)
        outcome = (sidecar.read(sidecar.Told(place)) or {}).get("outcome")
        if not outcome or outcome.get("dataset_id") != dataset_id or place.size_bytes() != outcome.get("size_bytes"):
            return None
        return dict(outcome)

    def bring(self, ctx: JobContext, dataset_id: str, known: Known) -> dict[str, Any]:
        """Download a dataset into its file."""
        made = format_named(self._order.format)
        done = DownloadJob(dataset_id, self._at(ctx, known.place), made, if_unchanged="keep").work(ctx)
        assert isinstance(done, dict)  # nothing but "skip" returns anything else
        return done

    def drop(self, ctx: JobContext, dataset_id: str, known: Known) -> None:
        """Remove the file and its sidecar."""
        place = self._at(ctx, known.place)
        place.remove()
        sidecar.Told(place).sidecar.remove()

    def _folder(self, ctx: JobContext) -> Destination:
        return ctx.destination(self._order.to)

    def _at(self, ctx: JobContext, name: str) -> Destination:
        # It may come from a list that somebody else wrote, and files are removed by it.
        if "/" in name or name in ("", ".", ".."):
            raise OdsSinkError(
                f"{name!r} is no name of a file in it", where=self.shown(ctx), advice=f"Remove {LIST} there"
            )
        return self._folder(ctx).child(name)
