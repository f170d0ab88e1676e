"""Whether a file holds the rows that it should, by what the portal counts: before it is fetched, and afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsAuthError, OdsConfigError, OdsIncomplete, OdsMismatch
from ods_provider.core.formats.registry import Format
from ods_provider.core.limits import SHP_ROWS, XLSX_ROWS
from ods_provider.jobs.state import State

_MOST_ROWS = {"xlsx": (XLSX_ROWS, "an Excel sheet"), "shp": (SHP_ROWS, "a shapefile export")}


@dataclass(frozen=True, slots=True)
class RowRules:
    """What the rows of a file have to be, by what was asked for.

    Args:
        format: The file's.
        options: The format's own parameters.
        limit: Rows at most; None wants all.
        min_rows: Fewer rows than this are an error.
        filtered: Whether the query filters.
        where: What errors name as the place.
    """

    format: Format
    options: Mapping[str, Any] | None
    limit: int | None
    min_rows: int
    filtered: bool
    where: str

    def expect_data(self, before: State) -> None:
        """Raise before anything is fetched when the file could not be right."""
        if before.matching == 0 and before.records_count and not self.filtered:
            raise OdsAuthError(
                f"the portal shows none of the {counted(before.records_count, 'rows')}",
                status=200,
                where=self.where,
                advice="The data is gated for this key: ask the publisher for access, or use another key",
            )
        if self.min_rows and before.matching is None and self.format.check_with(self.options).verified != "counted":
            raise OdsConfigError(
                f"nobody counts groups as {self.format.name}, so that min_rows says nothing",
                where="argument min_rows",
                advice="Leave it out, or use a format whose rows can be counted, such as csv or parquet",
            )
        most, what = _MOST_ROWS.get(self.format.name, (None, ""))
        if most is not None and self.wanted(before.matching or 0) > most:
            raise OdsConfigError(
                f"{counted(before.matching, 'rows')} do not fit into {what}, which holds {most:,}",
                where=self.where,
                advice="Use csv or parquet (fgb or geojson for shapes), or narrow the query",
            )

    def wanted(self, matching: int) -> int:
        """Return how many of the rows that match are asked for."""
        return matching if self.limit is None else min(self.limit, matching)

    def expect_rows(self, rows: int | None, before: State, after: State) -> None:
        """Raise when the rows are not those that the portal counts, or too few."""
        if rows is None:
            # Nothing counts the file: what the portal counts is the most that it can hold.
            self._expect_enough(self.wanted(min(before.matching or 0, after.matching or 0)), "the portal counts")
            return
        if before.matching is not None and after.matching is not None:
            low, high = sorted((self.wanted(before.matching), self.wanted(after.matching)))
            if rows == 0 < low:
                raise OdsIncomplete(
                    f"the export is empty where the portal counts {counted(low, 'rows')}",
                    where=self.where,
                    advice="The data is gated for this key: ask the publisher for access, or use another key (Q3)",
                )
            if not low <= rows <= high:
                expected = f"{low:,}" if low == high else f"between {low:,} and {high:,}"
                raise OdsMismatch(
                    f"the file holds {counted(rows, 'rows')} where the portal counts {expected}",
                    where=self.where,
                    advice="Nothing was kept. Run it again; if it persists, the export is gated or broken",
                )
        self._expect_enough(rows, "the file holds")

    def _expect_enough(self, rows: int, said: str) -> None:
        if rows < self.min_rows:
            raise OdsIncomplete(
                f"{said} {counted(rows, 'rows')}, fewer than min_rows={self.min_rows}",
                where=self.where,
                advice="Check the query and the dataset, or lower min_rows",
            )

    def seen(self, after: State) -> dict[str, Any]:
        """Return what an unfiltered look tells of rows that this key does not see (Q4)."""
        hidden = (after.records_count or 0) - (after.matching or 0)
        if self.filtered or after.matching is None or hidden <= 0:
            return {}
        held = counted(after.records_count or 0, "rows")
        note = (
            f"The portal says that the dataset holds {held} and shows {after.matching:,}: "
            "this key may see fewer than others. min_rows makes that an error"
        )
        return {"hidden_rows": hidden, "note": note}
