"""Everything that a client does, each way that it is done; ``tests/fuzz/test_mutated.py`` misses no method."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fuzzing.mutated.bench import Bench, Run
from ods_provider.core.plans import records as record_plans
from ods_provider.core.query import Query

CAPITALS, PHOTOS, READINGS, TYPES, MANY = (
    "world-capitals",
    "landmark-photos",
    "live-readings",
    "all-types",
    "synthetic-rows",
)
ROWS = [
    {"sensor_id": f"fuzz-{number}", "at": f"2026-02-0{number}T00:00:00+00:00", "value": number / 2}
    for number in (1, 2, 3)
]


@dataclass(frozen=True)
class Operation:
    """One way to use one method or job.

    Args:
        of: The class and the method, or the job's class.
        says: What is done.
        run: Does it and returns what came of it, as something to compare.
        counts: Whether it compares its rows with what the portal counts.
        reads: Whether it reads what comes, in place of handing over its bytes.
        writes: Whether the portal holds other data afterwards.
        believes: Mutations of which it can see nothing, since it takes the answer for what it says.
    """

    of: str
    says: str
    run: Run
    counts: bool = False
    reads: bool = True
    writes: bool = False
    believes: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.of}: {self.says}"


OPERATIONS: dict[str, Operation] = {}


def operation(of: str, says: str, run: Run, **how: Any) -> None:
    """Register one."""
    made = Operation(of, says, run, **how)
    assert made.name not in OPERATIONS, made.name
    OPERATIONS[made.name] = made


def _of_client(method: str, says: str, run: Callable[[Any, Bench], Any], **how: Any) -> None:
    operation(f"OdsClient.{method}", says, lambda bench: run(bench.client, bench), **how)


def _of_v1(method: str, says: str, run: Callable[[Any, Bench], Any], **how: Any) -> None:
    operation(f"ClientV1.{method}", says, lambda bench: run(bench.client.v1, bench), **how)


def joined(pieces: Iterable[bytes]) -> bytes:
    return b"".join(pieces)


async def _aside(client: Any) -> Any:
    return await client.arun(record_plans.count(CAPITALS, Query()))


def _read(response: Any) -> bytes:
    try:
        return joined(iter(response.stream.read, b""))
    finally:
        response.stream.close()


def _download(bench: Bench, **params: Any) -> Any:
    with bench.client.v1.download(CAPITALS, rows=20, **params) as rows:
        return list(rows)


def _copied(bench: Bench) -> bytes:
    download = bench.client.v1.download(CAPITALS, rows=20)
    try:
        return joined(iter(download.read, b""))
    finally:
        download.close()


def _quota(client: Any, _: Bench) -> Any:
    client.count(CAPITALS)
    told = client.quota.portal.as_dict() if client.quota.portal else None
    return sorted(told) if told else told


NARROW = {"where": "population > 1000000", "refine": {"cou_name_en": ["France", "Japan", "Chile"]}}
# The catalogue
_of_client("dataset", "its description", lambda client, _: client.dataset(TYPES))
_of_client(
    "dataset_object", "as the portal sends it", lambda client, _: client.dataset_object(CAPITALS, include_links=True)
)
_of_client("datasets", "one page", lambda client, _: list(client.datasets()), counts=True)
_of_client(
    "datasets",
    "in an order, as JSON",
    lambda client, _: list(client.datasets(order_by="dataset_id", limit=3, typed=False, include_app_metas=True)),
    counts=True,
)
_of_client("facets", "of a dataset", lambda client, _: client.facets(CAPITALS))
_of_client(
    "facets", "one, narrowed", lambda client, _: client.facets(CAPITALS, facet="cou_name_en", where="population > 5")
)
_of_client("facets", "of the catalogue", lambda client, _: client.facets())
_of_client("export_formats", "of a dataset", lambda client, _: client.export_formats(CAPITALS))
_of_client("export_formats", "of the catalogue", lambda client, _: client.export_formats())
_of_client("attachments", "of photos", lambda client, _: client.attachments(PHOTOS))
_of_client("alternative_exports", "of photos", lambda client, _: client.alternative_exports(PHOTOS))
_of_client("schema", "asked for once", lambda client, _: (client.schema(CAPITALS), client.schema(CAPITALS)))
_of_client(
    "schema_if_seen", "after it was", lambda client, _: (client.schema(CAPITALS), client.schema_if_seen(CAPITALS))
)
# Records
_of_client("count", "of a dataset", lambda client, _: client.count(CAPITALS, where="population > 100000"))
_of_client("count", "of the catalogue", lambda client, _: client.count(None))
_of_client("records", "one page, typed", lambda client, _: list(client.records(TYPES)), counts=True)
_of_client(
    "records", "few, as JSON", lambda client, _: list(client.records(CAPITALS, limit=7, typed=False)), counts=True
)
_of_client(
    "records",
    "in pages",
    lambda client, _: list(client.records(MANY, order_by="id", limit=230, typed=False)),
    counts=True,
)
_of_client(
    "records", "by an export", lambda client, _: list(client.records(CAPITALS, select="name, coordinates")), counts=True
)
_of_client("records", "narrowed", lambda client, _: list(client.records(CAPITALS, lang="fr", **NARROW)), counts=True)
_of_client(
    "records",
    "with links and technical fields",
    lambda client, _: list(client.records(CAPITALS, limit=120, include_links=True, include_app_metas=True)),
    counts=True,
)
_of_client("record", "typed", lambda client, bench: client.record(CAPITALS, bench.facts["record_id"]))
_of_client("record", "as JSON", lambda client, bench: client.record(CAPITALS, bench.facts["record_id"], typed=False))
_of_client(
    "aggregate", "one row", lambda client, _: client.aggregate(CAPITALS, select="count(*) as n, max(population) as m")
)
_of_client(
    "aggregate",
    "all groups",
    lambda client, _: client.aggregate(CAPITALS, select="count(*) as n", group_by="cou_name_en"),
)
_of_client(
    "aggregate",
    "some",
    lambda client, _: client.aggregate(MANY, select="count(*) as n", group_by="id", order_by="id", limit=9),
)
_of_client(
    "aggregate",
    "of the catalogue",
    lambda client, _: client.aggregate(None, select="count(*) as n", group_by="publisher"),
)
_of_client("rows", "of a query", lambda client, _: list(client.rows(CAPITALS, Query.of(select="name"))), counts=True)
_of_client("rows", "of the catalogue", lambda client, _: list(client.rows(None, Query(), limit=3)), counts=True)
# Files
for _format in ("csv", "json", "parquet"):
    _of_client(
        "export",
        _format,
        lambda client, _, _f=_format: joined(client.export(CAPITALS, format=_f, limit=20)),
        reads=False,
    )
_of_client("export", "of the catalogue", lambda client, _: joined(client.export(format="rdf")), reads=False)
_of_client(
    "open_export",
    "read whole",
    lambda client, _: _read(client.open_export(CAPITALS, Query(), format="jsonl")),
    reads=False,
)
_of_client("file", "of a record", lambda client, bench: joined(client.file(PHOTOS, bench.facts["photo"])), reads=False)
# Realtime
_of_client("push", "rows", lambda client, _: client.push(READINGS, "realtime", ROWS), writes=True)
_of_client("delete", "rows", lambda client, _: client.delete(READINGS, "realtime", ROWS), writes=True)
_of_client(
    "delete",
    "by id",
    lambda client, bench: client.delete(READINGS, "realtime", record_id=bench.facts["reading_id"]),
    writes=True,
)
# Itself
_of_client("run", "a plan", lambda client, _: client.run(record_plans.count(CAPITALS, Query())))
_of_client("arun", "a plan", lambda client, _: asyncio.run(_aside(client)))
_of_client("quota", "after a call", _quota)
# The other source; its counters move with every call, so that what stays is asked for
STATISTICS = "ods-datasets-monitoring"
STEADY = "dataset_id, title, records_count"
_of_client("monitoring", "a description", lambda client, _: client.monitoring.dataset(STATISTICS))
_of_client("monitoring", "a count", lambda client, _: client.monitoring.count(STATISTICS))
_of_client(
    "monitoring",
    "records",
    lambda client, _: list(client.monitoring.records(STATISTICS, select=STEADY, order_by="dataset_id")),
    counts=True,
)
_of_client("monitoring", "facets", lambda client, _: client.monitoring.facets(STATISTICS, facet="publisher"))
_of_client("monitoring", "formats", lambda client, _: client.monitoring.export_formats(STATISTICS))
_of_client(
    "monitoring",
    "an export",
    lambda client, _: joined(client.monitoring.export(STATISTICS, format="csv", select=STEADY)),
    reads=False,
)
_of_client("at", "a source", lambda client, _: client.at("monitoring").count(None))
# What editors see: the portal's objects as they come, so that a damaged one is taken for what it says
for _says, _asks in {
    "datasets": lambda office: office.datasets.list(),
    "a dataset": lambda office: office.datasets.get(CAPITALS),
    "a status": lambda office: office.datasets.status(CAPITALS).status,
    "metadata": lambda office: office.metadata.all(CAPITALS),
    "a value": lambda office: office.metadata.get(CAPITALS, "default.title"),
    "resources": lambda office: office.resources.list(READINGS),
}.items():
    _of_client("automation", _says, lambda client, _, asks=_asks: asks(client.automation))
_of_client("counted_alone", "a count", lambda client, _: client.counted_alone().count(CAPITALS))
_of_client("key_sent", "and the name", lambda client, _: (client.key_sent, len(repr(client)), client.count(CAPITALS)))
_of_client("secrets", "stay", lambda client, _: (len(client.secrets()), client.count(CAPITALS)))
_of_client("close", "twice", lambda client, _: (client.count(CAPITALS), client.close(), client.close()))
_of_client("v1", "gives the other", lambda client, _: client.v1.dataset(READINGS))
operation("OdsClient.count", "with a grant", lambda bench: bench.signed_in.count(CAPITALS))
operation("OdsClient.records", "with a grant", lambda bench: list(bench.signed_in.records(TYPES)), counts=True)
# The older API
_of_v1("search_datasets", "with facets", lambda v1, _: v1.search_datasets(facet=["theme"], rows=5))
_of_v1("dataset", "as the portal sends it", lambda v1, _: v1.dataset(CAPITALS))
_of_v1(
    "search_records",
    "narrowed",
    lambda v1, _: v1.search_records(CAPITALS, refine={"cou_name_en": "France"}, facet="name"),
)
_of_v1("record", "by its id", lambda v1, bench: v1.record(CAPITALS, bench.facts["v1_record_id"]))
_of_v1("analyze", "groups", lambda v1, _: v1.analyze(CAPITALS, x="cou_name_en", y={"n": {"func": "COUNT"}}))
_of_v1("geocluster", "coarse", lambda v1, _: v1.geocluster(CAPITALS, clusterprecision=3))
operation("ClientV1.download", "as bytes", _copied, reads=False)
operation("Download.read", "as bytes", _copied, reads=False)
operation("Download.close", "after the last row", lambda bench: _download(bench, format="csv"), counts=True)
for _format in ("csv", "json", "geojson"):
    operation("ClientV1.download", _format, lambda bench, _f=_format: _download(bench, format=_f), counts=True)
