"""Partitions of an asset as parts of a dataset: a filter and a file for each."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from dagster import (
    MultiPartitionKey,
    MultiPartitionsDefinition,
    PartitionsDefinition,
    StaticPartitionsDefinition,
    TimeWindow,
    TimeWindowPartitionsDefinition,
)

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.odsql import identifier, literal
from ods_provider.sinks.names import name_apart, safe_name, stands_apart

PLACEHOLDER = "{partition}"
Where = Callable[[Any, TimeWindow | None], str]


@dataclass(frozen=True, slots=True)
class Parts:
    """How the partitions of an asset are told apart on the portal.

    Args:
        definition: Dagster's partitions; None when the asset has none.
        field: The field whose value is the partition's key, or whose time lies in the partition's window. With several
            dimensions, a mapping from dimension to field.
        where: Instead, a function of the key and the window (None where there is none) that returns a filter.
        path: Where the asset is written, None for nowhere; with partitions it is text or a ``pathlib.Path`` that names
            each partition apart by ``{partition}``.
        ranges: Whether one run may be about several partitions.

    Raises:
        OdsConfigError: The arguments do not fit together.
    """

    definition: PartitionsDefinition | None
    field: str | dict[str, str] | None
    where: Where | None
    path: Any
    ranges: bool = False

    def __post_init__(self) -> None:
        told = (self.field is not None) + (self.where is not None)
        if self.definition is None and told:
            raise self._bad("the asset has no partitions", "Pass partitions_def")
        if self.definition is not None and told != 1:
            raise self._bad(
                "the portal is not told which rows a partition holds" if not told else "a partition is told twice",
                "Pass either partition_field or partition_where",
            )
        if self.definition is not None and self.path is not None:
            object.__setattr__(self, "path", self._template())

    def of_ranges(self, *, table: bool) -> "Parts":
        """Return the same for runs that may be about several partitions.

        Args:
            table: Whether they go into a table, and not into files or values of their own.

        Raises:
            OdsConfigError: One run cannot make that of several partitions.
        """
        if self.definition is None:
            return self
        what = None
        if not table:
            what = "each partition is a file or a value of its own"
        elif not isinstance(self.field, str) or not self._timed(self.definition):
            what = "only a time partition with one partition_field makes one filter of several partitions"
        if what:
            raise OdsConfigError(
                f"a run of several partitions is not served: {what}",
                where="argument backfill_policy",
                advice="Leave it out, or load into a table: ods_load_asset(…, mode='merge', partition_field='at')",
            )
        return replace(self, ranges=True)

    def _template(self) -> str:
        """Return the path as text with a place for the key, so that no two partitions are written to one file."""
        text = self.path
        # Text would forget the filesystem that some paths carry along: those are refused below.
        if isinstance(text, os.PathLike) and not hasattr(text, "path"):
            text = os.fspath(text)
        if not isinstance(text, str):
            raise OdsConfigError(
                f"with partitions, {text!r} is no path",
                where="argument path",
                advice=f"Pass text or a pathlib.Path that holds {PLACEHOLDER}: s3://bucket/{PLACEHOLDER}.parquet",
            )
        if PLACEHOLDER not in text:
            raise self._bad(
                "all partitions would be written to the same path", f"Put {PLACEHOLDER} into path: data/{PLACEHOLDER}"
            )
        return text

    @staticmethod
    def _bad(what: str, advice: str) -> OdsConfigError:
        return OdsConfigError(what, where="arguments partitions_def, partition_field, partition_where", advice=advice)

    def filter(self, context: Any) -> str | None:
        """Return the filter of the run's partition, None without partitions."""
        if self.definition is None:
            return None
        if self.ranges:
            return _within(str(self.field), context.partition_time_window)
        key = context.partition_key
        window = context.partition_time_window if self._timed(self.definition) else None
        if self.where is not None:
            return self.where(key, window)
        if isinstance(self.field, dict):
            return self._several(key, self.field)
        return _equal(str(self.field), key, window)

    def place(self, context: Any) -> Any:
        """Return the path of the run's partition."""
        if self.definition is None or self.path is None:
            return self.path
        # A key may hold a slash or "..": it names one file, wherever it comes from, and a file of its own.
        return str(self.path).replace(PLACEHOLDER, self._file_name(context.partition_key))

    def _file_name(self, key: Any) -> str:
        if not isinstance(key, MultiPartitionKey):
            return name_apart(str(key), _known(self.definition))
        several = cast("MultiPartitionsDefinition", self.definition)
        known = {part.name: _known(part.partitions_def) for part in several.partitions_defs}
        parts = {name: str(part) for name, part in sorted(key.keys_by_dimension.items())}
        joined = "_".join(parts.values())
        # The dimensions' own mark, a bar, is none for a file; an underscore tells them apart where no key holds one.
        apart = all("_" not in part and stands_apart(part, known[name]) for name, part in parts.items())
        return joined if apart and safe_name(joined) == joined else name_apart(str(key), None)

    @staticmethod
    def _timed(definition: PartitionsDefinition | None) -> bool:
        return isinstance(definition, TimeWindowPartitionsDefinition)

    def _several(self, key: MultiPartitionKey, fields: dict[str, str]) -> str:
        several = cast("MultiPartitionsDefinition", self.definition)
        parts = {part.name: part.partitions_def for part in several.partitions_defs}
        keys = key.keys_by_dimension
        return " AND ".join(
            _equal(field, keys[name], _window(parts[name], keys[name])) for name, field in fields.items()
        )


def _known(definition: PartitionsDefinition | None) -> Sequence[str] | None:
    if isinstance(definition, TimeWindowPartitionsDefinition):
        return ()  # of one form, whose marks may become others
    # Those of other kinds are known to the instance alone.
    return definition.get_partition_keys() if isinstance(definition, StaticPartitionsDefinition) else None


def _window(definition: PartitionsDefinition, key: str) -> TimeWindow | None:
    if isinstance(definition, TimeWindowPartitionsDefinition):
        return definition.time_window_for_partition_key(key)
    return None


def _equal(field: str, key: str, window: TimeWindow | None) -> str:
    if window is None:
        return f"{identifier(field)} = {literal(str(key))}"
    return _within(field, window)


def _within(field: str, window: TimeWindow) -> str:
    name = identifier(field)
    return f"{name} >= {literal(window.start)} AND {name} < {literal(window.end)}"
