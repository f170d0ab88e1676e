"""Which partition, or range of partitions, a run is about, as Dagster writes it into the run's tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PARTITION = "dagster/partition"
_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dataclass(frozen=True, slots=True)
class RunPartitions:
    """The partitions of a run, by the keys of the first and of the last."""

    first: str
    last: str
    ranged: bool

    @property
    def one(self) -> str | None:
        """The key, None where there may be several."""
        return None if self.ranged else self.first

    @property
    def name(self) -> str:
        """What tells them from others."""
        return f"{self.first}...{self.last}" if self.ranged else self.first

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags of a run of the same partitions, without the one that a request's ``partition_key`` makes."""
        return dict(zip(_RANGE, (self.first, self.last), strict=True)) if self.ranged else {}


def partition_of(run: Any) -> RunPartitions | None:
    """Return the partitions of a run, None where it has none."""
    tags: Mapping[str, str] = run.tags
    if PARTITION in tags:
        return RunPartitions(tags[PARTITION], tags[PARTITION], ranged=False)
    if all(name in tags for name in _RANGE):
        return RunPartitions(tags[_RANGE[0]], tags[_RANGE[1]], ranged=True)
    return None
