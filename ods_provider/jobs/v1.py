"""Search, analysis and download through Search API v1.0, in that API's own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar, cast

from ods_provider.core.clusters import cluster_rows
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.formats.check import Check
from ods_provider.core.formats.delimited import CsvCheck
from ods_provider.core.formats.endings import format_for
from ods_provider.core.formats.registry import Format, format_named
from ods_provider.core.plans.v1 import calls
from ods_provider.core.plans.v1.params import V1Query
from ods_provider.core.plans.v1.rows import V1Rows
from ods_provider.core.schema import held
from ods_provider.core.wire import Plan, Response
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.download import DownloadJob
from ods_provider.jobs.pages import read_rows
from ods_provider.jobs.rows import give_map, give_rows
from ods_provider.jobs.state import State

Row = dict[str, Any]
T = TypeVar("T")

FORMATS = {made.name: made for made in (*map(format_named, ("csv", "json", "geojson", "shp", "kml")), Format("xls"))}


@dataclass(frozen=True, slots=True)
class V1SearchJob:
    """Record objects of a dataset, or dataset objects of the catalogue, to XCom or to a JSON lines file.

    All that match unless ``rows`` says how many: in one page where 1,000 hold them all, in pages where ``sort`` or
    ``start`` is given, else in one download. A page is the unit of progress.

    Args:
        dataset_id: None searches the catalogue.
        query: That API's parameters.
        path: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned without a path.
    """

    dataset_id: str | None
    query: V1Query
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    name: ClassVar[str] = "search"

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        place = None if self.path is None else ctx.file(self.path)
        return read_rows(
            ctx,
            V1Rows(self.dataset_id, self.query),
            limit=self.query.number("rows"),
            asked={"dataset_id": self.dataset_id, "v1": self.query.params},
            place=place,
            max_xcom_bytes=self.max_xcom_bytes,
            dataset_id=self.dataset_id,
        )


@dataclass(frozen=True, slots=True)
class V1AnalysisJob:
    """An analysis, or clusters where their parameters are given, to XCom or to a JSON lines file. One call.

    Args:
        dataset_id: The dataset.
        query: That API's parameters: ``x`` and ``y``, or ``clusterprecision``.
        path: File to write; None returns the rows.
        max_xcom_bytes: Most bytes of rows, as JSON, that are returned without a path.
        geojson: Whether clusters come as a FeatureCollection.
    """

    dataset_id: str
    query: V1Query
    path: Any = None
    max_xcom_bytes: int = 1_000_000
    geojson: bool = False
    name: ClassVar[str] = "analysis"

    def __post_init__(self) -> None:
        if not any(name.startswith("y.") or name == "clusterprecision" for name, _ in self.query.params):
            raise OdsConfigError(
                "neither a series nor a cluster precision was asked",
                where="argument v1",
                advice='Pass {"x": "country", "y": {"n": {"func": "COUNT"}}}, or {"clusterprecision": 5}',
            )
        if self.geojson and self.query.get("clusterprecision") is None:
            raise OdsConfigError(
                "only clusters have a place on a map", where="argument geojson", advice="Pass clusterprecision in v1"
            )

    def work(self, ctx: JobContext) -> Any:
        """Return the rows, or an Outcome when a path was given."""
        place = None if self.path is None else ctx.file(self.path)
        if self.query.get("clusterprecision") is not None:
            rows: list[Row] = ctx.client.run(calls.geocluster(self.dataset_id, self.query))["clusters"]
        else:
            rows = ctx.client.run(calls.analyze(self.dataset_id, self.query))
        if self.geojson:
            placed = cluster_rows(rows, where=f"dataset {self.dataset_id}")
            return give_map(ctx, place, placed, max_xcom_bytes=self.max_xcom_bytes, dataset_id=self.dataset_id)
        return give_rows(ctx, place, rows, max_xcom_bytes=self.max_xcom_bytes, dataset_id=self.dataset_id)


@dataclass(frozen=True, slots=True)
class V1DownloadJob(DownloadJob):
    """One download, counted, hashed, and compared with the ``nhits`` of the same query before and after.

    Args:
        v1: That API's parameters.
    """

    v1: V1Query = field(default_factory=V1Query)

    @classmethod
    def of(
        cls,
        dataset_id: str,
        path: Any,
        query: V1Query,
        *,
        format: str | None = None,
        **how: Any,
    ) -> V1DownloadJob:
        """Return the download of a query; its format is the query's own, else ``format``, else by the path's ending.

        Args:
            dataset_id: The dataset.
            path: File to write; without an ending it gets CSV.
            query: That API's parameters.
            format: What the caller asked for besides, None for nothing.
            how: The arguments of a download that have nothing to do with the query: ``if_moved``, ``min_rows``.

        Raises:
            OdsConfigError: The format is not offered, or two were named.
        """
        named = query.get("format")
        asked = {each for each in (named, format) if each}
        if len(asked) > 1 or not asked <= set(FORMATS):
            raise OdsConfigError(
                f"Search API v1.0 offers {', '.join(FORMATS)}, and was asked for {' and '.join(sorted(asked))}",
                where="argument format",
                advice="Name one of them, as format or within v1, or use Explore v2.1 for the others",
            )
        chosen = format_for(path, next(iter(asked), None), FORMATS, default="csv")
        return cls(
            dataset_id=dataset_id,
            path=path,
            format=FORMATS[chosen],
            limit=query.number("rows"),
            v1=query.having(format=chosen),
            **how,
        )

    def asked(self) -> dict[str, Any]:
        """Return what decides what is written."""
        return DownloadJob.asked(self) | {"v1": self.v1.params}

    def look(self, ctx: JobContext) -> State:
        """Return the dataset as it is now."""
        dataset_id = cast("str", self.dataset_id)  # ``of`` wants one
        processed, records_count = held(ctx.client.run(calls.dataset(dataset_id)).get("metas"))
        matching = ctx.client.run(calls.count(dataset_id, self.v1))
        return State(matching, records_count, processed)

    def _plan(self, read: Callable[[Response], T]) -> Plan[T]:
        return calls.download(cast("str", self.dataset_id), self.v1, read)

    def _check(self) -> Check:
        if self.format.name != "csv":
            return self.format.check()
        return CsvCheck(self.v1.get("csv_separator") or ";")

    @property
    def _filtered(self) -> bool:
        return self.v1.filtered
